package outbox

import "time"

// Wake is a reason to look again, and when.
type Wake struct {
	Reason string
	At     time.Time
}

// Wakes is the one table of deadlines, each computed from the state as it is: a late, early or repeated wake changes
// nothing. Reasons that something else must end (no lead, the switch, 410) have no row.
func (c *Core) Wakes() []Wake {
	var w []Wake
	if !c.opened {
		return nil
	}
	if c.open.gap && !c.open.scanning {
		w = append(w, Wake{"scan", c.gate.storageRetry})
	}
	if c.append.doubt != nil && !c.append.tracing {
		w = append(w, Wake{"scan", c.gate.storageRetry})
	}
	if c.send.phase == looking && !c.recon.at.IsZero() {
		w = append(w, Wake{"look-up", c.recon.at})
	}
	if c.send.phase != idle {
		return w // the answer that the lane waits for wakes it
	}
	b, at, ever := c.sendable()
	if !ever {
		return w
	}
	if b != nil {
		reason := c.held(b)
		if c.waitsForDraw(b) {
			reason = "moment"
		}
		w = append(w, Wake{reason, at})
	}
	if !c.sealedAhead() {
		if s := c.stake(); c.lottery() && s.there {
			reason := "flush"
			if c.crowded(s) {
				reason = "moment"
			}
			w = append(w, Wake{reason, latest(c.candidate(s), c.gate.storageRetry)})
		} else if _, at := c.due(); !at.IsZero() {
			w = append(w, Wake{"flush", latest(at, c.gate.storageRetry)})
		}
	}
	if len(w) > 0 && c.cfg.Relay.On && c.lottery() { // what waits for a draw may go before it, through the relay
		w = append(w, Wake{"pause", c.free(wayRelay)})
	}
	for _, b := range c.batches {
		if b.parked(c.now) {
			w = append(w, Wake{"parked", b.parkedUntil})
		}
	}
	return w
}

// NextWake returns the earliest deadline; ok is false when there is none.
func (c *Core) NextWake() (at time.Time, ok bool) {
	for _, w := range c.Wakes() {
		if !ok || w.At.Before(at) {
			at, ok = w.At, true
		}
	}
	return at, ok
}

// held names what a sealed batch waits for.
func (c *Core) held(b *sealed) string {
	k := c.books.of(c.way(b.next().Bucket))
	switch {
	case c.gate.token != TokenOK:
		return "token"
	case k.breaker.State(c.now).String() == "open":
		return "breaker"
	case k.limiter.LockedUntil().After(c.now):
		return "pause"
	case b.doubt && c.askable(b).After(c.now):
		return "probe"
	}
	return "limiter"
}
