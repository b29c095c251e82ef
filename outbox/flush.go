package outbox

// flush is a page's wish to have everything sent that is there now.
type flush struct {
	ticket    uint32
	commits   int    // append transactions that must end first
	upTo      uint64 // open segments up to here are due, once commits is 0
	sent      int    // counts when it was asked
	delivered int
}

func (c *Core) onFlushAsked(e FlushAsked) {
	f := flush{ticket: e.Ticket, sent: c.books.sent, delivered: c.books.delivered}
	if c.append.token != 0 {
		f.commits++
	}
	if len(c.append.waiting) > 0 {
		f.commits++
	}
	f.upTo = c.open.last()
	c.flushes = append(c.flushes, f)
	c.moments.asked = max(c.moments.asked, c.books.nextBatch-1)
	c.rescan()                    // what other pages wrote is asked for too
	for _, b := range c.batches { // the page asks: parked batches get their next window now
		b.parkedUntil = c.now
	}
}

// flushCommitted is called when an append transaction has ended.
func (c *Core) flushCommitted() {
	for i := range c.flushes {
		if f := &c.flushes[i]; f.commits > 0 {
			f.commits--
			f.upTo = c.open.last()
		}
	}
}

// flushScanned is called when a scan has met everything: flushes that were asked before cover it.
func (c *Core) flushScanned() {
	for i := range c.flushes {
		c.flushes[i].upTo = max(c.flushes[i].upTo, c.open.last())
	}
}

// last is the highest Seq that is known to be open, also when a scan must still meet it.
func (x *index) last() uint64 {
	last := x.known
	for _, h := range x.held {
		last = max(last, h.seq)
	}
	return last
}

// flushWants says whether a flush that was asked makes the segment due. The wish stays when the flush was answered
// "not yet": upTo is kept in wanted.
func (c *Core) flushWants(seq uint64) bool {
	if seq <= c.wanted {
		return true
	}
	for _, f := range c.flushes {
		if seq <= f.upTo {
			return true
		}
	}
	return false
}

// answerFlushes answers each flush when nothing of it is left, or when the next step has to wait for the limiter, the
// breaker, a token or the switch. What is left goes by itself as soon as it may.
func (c *Core) answerFlushes() {
	if !c.opened || len(c.flushes) == 0 {
		return
	}
	kept := c.flushes[:0]
	for _, f := range c.flushes {
		if !c.flushed(f) {
			kept = append(kept, f)
			continue
		}
		c.wanted = max(c.wanted, f.upTo)
		n := c.Counts()
		if n.Pending+n.Parked > 0 && c.gate.storageErr != nil && c.now.Before(c.gate.storageRetry) {
			c.reject(f.ticket, unchanged(c.gate.storageErr))
			continue
		}
		c.emit(FlushDone{Ticket: f.ticket, Summary: Summary{Sent: c.books.sent - f.sent, Delivered: c.books.delivered - f.delivered,
			Pending: n.Pending, Parked: n.Parked, Dead: n.Dead}})
	}
	c.flushes = kept
}

func (c *Core) flushed(f flush) bool {
	if f.commits > 0 || c.open.scanning || c.send.phase != idle {
		return false
	}
	if !c.gate.told {
		return false // whether this page sends is not known yet
	}
	blocked := !c.gate.leading || c.gate.gone || !c.books.realtime || c.now.Before(c.gate.storageRetry)
	if b, at, ever := c.sendable(); b != nil && (blocked || !ever || !at.After(c.now) || c.sealedAhead()) {
		return blocked || !ever || at.After(c.now)
	}
	if len(c.open.segs) > 0 && c.open.segs[0].seq <= f.upTo {
		return blocked // else the debounce is all it waits for
	}
	return true
}
