package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/retry"
)

// Where many clients share one bucket, a batch that could go waits for a free moment (retry.Lottery): at each candidate
// moment a draw decides whether one batch goes. Candidates are the lottery's own, the instant a batch becomes due (C5), and
// the page going out of sight. A new install first keeps to the due instant alone; once an answer has shown how full the
// bucket is, or with a hint, what is there may go earlier. flush() goes as far as the limiter allows, without a draw and without
// the lottery's pauses: a person asks for it. What meets a 429 on that way has had its try and joins the draws.

// moments is what a session knows of its draws. In memory only: a page that is opened again has a first look of its own.
type moments struct {
	opened time.Time
	next   time.Time // next candidate
	first  bool      // it is the session's first look: for what was left over
	won    bool      // one batch may go
	lost   bool      // what is due has lost its draw: not before the next candidate
	asked  uint64    // sealed batches up to here a page asked for: they go without a draw
}

// freshFor is how long notes of this session count as such: where the bucket is crowded they wait for the session's end, as
// each request that goes while it lasts leaves a remainder for another one (bench/fleet: 20,000 phones have 97.6 % delivered
// within a day, with draws while the page is open 96.8).
const freshFor = 15 * time.Minute

// shared says whether the bucket is one that many clients share.
func (c *Core) shared() bool { return c.cfg.Fleet.On() && !c.cfg.Stream }

// lottery says whether a batch waits for its draw now: a relay counts for all phones, and needs none.
func (c *Core) lottery() bool { return c.shared() && c.way("") == "" }

func (c *Core) openMoments() {
	c.moments = moments{opened: c.now, first: true}
	if c.shared() {
		c.moments.next = c.cfg.Fleet.FirstMoment(c.now, c.rnd())
	}
	if len(c.flushes) > 0 {
		c.moments.asked = c.books.nextBatch - 1
	}
}

// rebaseMoments keeps a clock that went back from putting a candidate further away than it can be.
func (c *Core) rebaseMoments() {
	if !c.shared() || !c.opened {
		return
	}
	c.books.lottery = c.books.lottery.Rebase(c.now)
	c.moments.opened = soonest(c.moments.opened, c.now)
	l := c.books.lottery
	c.moments.next = soonest(c.moments.next, l.NextMoment(c.cfg.Fleet, latest(c.now, l.NotBefore(false)), 1))
}

// drawn says whether the batch may go as far as the lottery is concerned.
func (c *Core) drawn(b *sealed) bool {
	return !c.lottery() || c.moments.won || b.id <= c.moments.asked
}

// waitsForDraw says whether the batch's next step is one that the lottery holds back.
func (c *Core) waitsForDraw(b *sealed) bool { return b.next().Bucket == "" && !c.drawn(b) }

// stake is what waits for a draw.
type stake struct {
	there bool
	fresh bool      // all of it was written in this session, lately
	full  bool      // a whole batch
	due   time.Time // zero: its own candidate is past, or it has none
}

func (c *Core) stake() (s stake) {
	x := &c.open
	for _, b := range c.batches {
		if !b.parked(c.now) && b.next().Bucket == "" && !c.askable(b).After(c.now) {
			s.there = !c.drawn(b)
			return s
		}
	}
	if len(x.segs) == 0 || x.scanning || c.moments.won || c.flushWants(x.segs[0].seq) {
		return s
	}
	_, at := c.due()
	first := x.segs[0].at
	s.there, s.fresh = true, !first.Before(c.moments.opened) && c.now.Sub(first) < freshFor
	limits := c.limits()
	s.full = x.messages >= c.cfg.FlushAt || x.notes >= limits.BatchNotes || x.bytes >= int64(limits.BatchBytes)
	if !c.moments.lost && c.cfg.Fleet.Seat.Total == 0 && (s.full || !c.books.lottery.Learned()) { // a numbered seat has its slots
		s.due = latest(at, c.books.lottery.NotBefore(s.full))
	}
	return s
}

// candidate returns when the next draw is.
func (c *Core) candidate(s stake) time.Time {
	if !s.due.IsZero() && (s.due.Before(c.moments.next) || !c.early(s)) {
		return s.due
	}
	return c.moments.next
}

// crowded says that the draw may be lost, or that a slot is waited for.
func (c *Core) crowded(s stake) bool {
	return c.cfg.Fleet.Seat.Total > 0 || c.books.lottery.Chance(c.cfg.Fleet, c.now, s.fresh) < 1
}

// early says whether a candidate counts before the batch is due: not on a new install that has heard nothing yet.
func (c *Core) early(s stake) bool {
	return s.due.IsZero() || !s.fresh || c.cfg.Fleet.Phones > 0 || c.cfg.Fleet.Seat.Total > 0 || c.books.lottery.Learned()
}

// draw makes the draw of a candidate moment that has come.
func (c *Core) draw(hidden bool) {
	if !c.lottery() || c.send.phase != idle || !c.gate.leading || c.gate.gone || !c.books.realtime || c.moments.won {
		return
	}
	s := c.stake()
	if !hidden && c.moments.first && (!s.there || s.fresh) && !c.now.Before(c.moments.next) {
		c.nextMomentAfter(c.moments.opened)
		return
	}
	if s.there && (hidden && c.cfg.Fleet.Seat.Total == 0 || !c.now.Before(c.candidate(s))) && !c.now.Before(c.books.lottery.NotBefore(s.full)) {
		p := c.books.lottery.Chance(c.cfg.Fleet, c.now, s.fresh)
		c.moments.won = p == 1 || (hidden || !s.fresh || c.cfg.Fleet.Seats) && c.rnd() < p
		c.moments.lost = !c.moments.won
		c.nextMoment()
		c.changed = true
		return
	}
	if !c.now.Before(c.moments.next) {
		c.nextMoment()
	}
}

// nextMoment draws the next candidate at which something may go; those that the pause after an answer covers do not count.
func (c *Core) nextMoment() { c.nextMomentAfter(c.now) }

func (c *Core) nextMomentAfter(at time.Time) {
	l := c.books.lottery
	if rest := l.NotBefore(false); rest.Sub(at) > freshFor { // no need to count the candidates of a day's pause
		at = rest.Add(-freshFor)
	}
	for again := true; again; again = at.Before(l.NotBefore(false)) {
		at = l.NextMoment(c.cfg.Fleet, at, c.rnd())
	}
	c.moments.first, c.moments.next = false, at
}

// drawHidden is the candidate moment of a page going out of sight: the last of this session, perhaps. Where the bucket is
// known to have room the parting shot is the better one.
func (c *Core) drawHidden() {
	if c.opened && c.lottery() && !c.mayShoot() {
		c.draw(true)
	}
}

// mayShoot says whether the fleet leaves room for a parting shot, whose notes go again with a batch.
func (c *Core) mayShoot() bool {
	l, f := c.books.lottery, c.cfg.Fleet
	return !c.lottery() || f.Seat.Total == 0 && l.Spare(f, c.now) && !c.now.Before(l.NotBefore(true))
}

// heard folds what an answer says of the fleet into the lottery. A try that was not billed keeps its moment; one that never
// reached the service has spent it, and says nothing.
func (c *Core) heard(o Outcome) {
	if !c.shared() {
		return
	}
	l, f := &c.books.lottery, c.cfg.Fleet
	switch {
	case o.Status >= 200 && o.Status < 300:
		m := retry.Measured{Remaining: o.Quota.Remaining, Second: o.Quota.second()}
		m.Own = c.ownRequests(m.Second)
		*l = l.Answered(f, c.now, m, c.rnd())
	case o.Cause == Throttled:
		c.moments.asked, c.wanted = 0, 0 // one wish, one try: what was refused goes on with the draws until the page asks again
		for i := range c.flushes {
			c.flushes[i].upTo = 0
		}
		*l = l.Refused(f, c.now, o.Quota.second(), o.Hint, c.cfg.Policy.Lock, c.rnd())
	case o.Cause == ServerFailed || o.Cause == Unclear:
		*l = l.Failed(f, c.now, c.rnd())
	case o.Cause == TokenRefused || o.Cause == ScopeMissing || o.Cause == BodyTooLarge:
		return
	}
	c.moments.won, c.moments.lost = false, false
	c.nextMoment()
}

// ownRequests counts what this device asked for in the service's minute, before the request that was answered now. The Date
// header is cut to whole seconds, so the minute may have begun up to a second earlier.
func (c *Core) ownRequests(second float64) int {
	if second < 0 {
		return 0
	}
	return max(0, c.books.limiter.Since(c.now.Add(-time.Duration((second+1)*float64(time.Second))))-1)
}

// second is how far the service's minute has gone, -1 where the page cannot read it.
func (q Quota) second() float64 {
	if q.At.IsZero() {
		return -1
	}
	if left := q.ResetsAt.Sub(q.At); left >= 0 && left <= time.Minute {
		return 60 - float64(left.Milliseconds())/1000
	}
	return float64(q.At.Unix() % 60)
}
