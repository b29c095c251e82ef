package outbox

import (
	"errors"
	"strconv"
	"time"
)

// verdict on a batch after a reply: what becomes of it, in one transaction with its ledger row (invariant 2).
type settlement struct {
	c       *Core
	batch   *sealed
	bucket  string // that the request was counted in
	sent    Batch
	out     Outcome
	change  Change
	batches []*sealed // as they shall be
	edits   []func(*books)
	rewrite []Entry // conflicts: written again as the next version
	row     ledgerRow
}

func (c *Core) onReplied(e Replied) {
	if c.send.phase != sending {
		return
	}
	b := c.send.batch
	c.changed = true
	if e.Err != nil { // the batch could not be read: nothing was sent
		c.send.phase, c.send.batch = idle, nil
		c.gate.storageFailed(c.now, e.Err)
		if errors.Is(e.Err, ErrDamaged) || errors.Is(e.Err, ErrNotFound) {
			c.alarms.damaged++
			b.parkedUntil = c.now.Add(maxPark)
		}
		return
	}
	s := &settlement{c: c, batch: b, bucket: c.send.way, sent: e.Batch, out: e.Outcome, batches: c.batches}
	s.row = ledgerRow{at: c.now, kind: "attempt", batch: b.name, attempt: b.attempts + 1, notes: b.notes, messages: b.messages, bytes: b.bytes, out: e.Outcome}
	s.quota()
	s.hearRelay()
	s.fold(e)
	s.finish()
}

// quota teaches limiter, breaker and alarms what this reply says of the bucket.
func (s *settlement) quota() {
	c, o := s.c, s.out
	k := c.books.of(s.bucket)
	k.limiter = k.limiter.Answered(c.now)
	k.breaker = k.breaker.Step(c.policy(s.bucket), c.now, o.Status, c.books.offset)
	if s.bucket != "" { // the quota that is shown is the main bucket's
		o.Quota = c.alarms.quota
	}
	c.alarms.replied(c.now, o)
	if s.bucket == "" {
		c.heard(o)
	}
	if o.Cause != TokenRefused && o.Cause != ScopeMissing {
		c.gate.token, c.gate.tokenTries = TokenOK, 0
	}
}

// wait keeps the whole bucket back: the server's hint is a floor under our back-off (L3.1, L3.2).
func (s *settlement) wait() {
	c, k := s.c, s.c.books.of(s.bucket)
	k.tries++
	p := c.policy(s.bucket)
	pause := p.Wait(s.out.Status, k.tries, s.out.Hint, c.rnd())
	if p.Backoff.Phase > 0 {
		pause += p.Phase(c.rnd()) // of the wake-up, drawn for itself (G5.4)
	}
	k.limiter = k.limiter.Lock(c.now, c.now.Add(pause))
}

// fold is the table of causes.
func (s *settlement) fold(e Replied) {
	c, k := s.c, s.c.books.of(s.bucket)
	if s.out.Cursor != "" && s.out.Cursor != s.batch.cursor {
		s.replace(func(b *sealed) { b.cursor = s.out.Cursor })
	} else if s.out.Cause == More { // it would ask the same for ever
		s.out.Cause = Unclear
	}
	if s.out.Cause != Unreached && s.batch.unanswered > 0 {
		s.replace(func(b *sealed) { b.unanswered = 0 })
	}
	switch s.cause() {
	case Accepted:
		k.tries = 0
		if !s.batch.last() {
			s.advance()
			break
		}
		s.accept(e)
	case Absent:
		k.tries = 0
		s.replace(func(b *sealed) { b.doubt, b.uncertain = false, false })
	case More:
		k.tries = 0
	case Taken:
		at := time.Time{}
		if s.out.Cause != Taken || s.batch.next().Probed { // a copy of it may still be on its way: a service that looks at names would have it
			at = c.now.Add(c.cfg.Deadline)
		}
		s.replace(func(b *sealed) { b.doubt, b.probeAt = true, at })
		s.attempt()
	case Throttled:
		s.end()
		s.wait()
	case TokenRefused:
		if c.gate.tokenTries == 0 { // one refresh, at once (L10.2)
			c.gate.tokenTries = 1
			break
		}
		c.pauseForToken(TokenNeeded)
	case ScopeMissing:
		c.pauseForToken(TokenScope)
	case BodyTooLarge:
		s.halve(TooLarge, "the service answered 413: the note is larger than it takes")
	case Refused:
		s.halve(InvalidEvent, "the service refused the note: "+s.out.Message)
	case Retired:
		c.gate.gone = true
	case ServerFailed, Unclear:
		s.uncertain()
		s.wait()
		s.attempt()
	case Unreached:
		s.uncertain()
		if !relayed(s.bucket) || !c.cfg.Relay.Direct { // else the other way shows whether it is the size
			s.unheard()
		}
		s.end()
		s.wait()
	}
}

// cause is the outcome's, except where it makes no sense: a word of probes to what was no probe and the other way round, or
// an accepted batch without a verdict for each note. A probe that is refused says nothing of the notes either; one that is
// answered with something else under our name says that ours is not there, and cannot be.
func (s *settlement) cause() Cause {
	probe := s.batch.doubt
	switch s.out.Cause {
	case Accepted:
		if s.batch.last() && len(s.out.Verdicts) != len(s.sent.Entries) {
			return Unclear
		}
	case Absent, More:
		if !probe {
			return Unclear
		}
	case Taken:
		if probe {
			return Unclear
		}
	case Refused, BodyTooLarge:
		if probe && (s.out.Status < 200 || s.out.Status > 299) {
			return Unclear
		}
		if !probe && s.batch.uncertain && !s.c.cfg.Limits.Copies { // an earlier try may be there: look before it goes in two halves
			return Taken
		}
	}
	return s.out.Cause
}

// advance: the step is done, and that is durable before the next one goes.
func (s *settlement) advance() {
	s.row.note = "step " + strconv.Itoa(s.batch.step+1) + " of " + strconv.Itoa(len(s.batch.steps))
	s.replace(func(b *sealed) {
		b.step++
		b.attempts, b.doubt, b.uncertain = 0, false, false
	})
}

// uncertain: sent, and no word on the notes. The same bytes go again where the service knows duplicates, else it is looked
// up, once the request can no longer arrive (invariant 4).
func (s *settlement) uncertain() {
	s.replace(func(b *sealed) {
		if b.doubt {
			return // it was a probe
		}
		if b.doubtful(); b.doubt {
			b.probeAt = s.c.now.Add(s.c.cfg.Deadline)
		}
	})
}

// attempt counts a try that cost one; after the last the batch parks: kept, and tried again in the next window (L9.1).
func (s *settlement) attempt() {
	s.replace(func(b *sealed) { b.attempts++ })
	if s.c.cfg.Policy.Spent(s.batch.attempts, s.c.now.Sub(s.sent.SealedAt), s.c.gate.visible) {
		if s.detours() {
			s.replace(func(b *sealed) { b.attempts = 0 })
			return
		}
		s.park()
	}
}

// end parks a batch that is older than the policy lets one be tried in a row, also when the try cost no attempt (G5.7).
func (s *settlement) end() {
	if s.c.cfg.Policy.Spent(0, s.c.now.Sub(s.sent.SealedAt), s.c.gate.visible) {
		s.park()
	}
}

func (s *settlement) park() {
	s.replace(func(b *sealed) {
		b.parkedUntil = s.c.now.Add(min(maxPark, s.c.cfg.FlushEvery<<min(b.parks, 4)))
		b.parks++
		b.attempts = 0
	})
	s.row.note = "parked"
}

// replace puts an edited copy of the batch in its place.
func (s *settlement) replace(edit func(*sealed)) {
	b := *s.batch
	edit(&b)
	after := append([]*sealed(nil), s.batches...)
	for i := range after {
		if after[i] == s.batch {
			after[i] = &b
		}
	}
	s.batch, s.batches = &b, after
}

// remove takes the batch out, and puts parts in its place.
func (s *settlement) remove(parts ...Batch) {
	after := make([]*sealed, 0, len(s.batches)+len(parts))
	for _, b := range s.batches {
		if b != s.batch {
			after = append(after, b)
			continue
		}
		for _, p := range parts {
			after = append(after, summarize(p))
			s.change.PutBatches = append(s.change.PutBatches, encodeBatch(p))
		}
	}
	s.batches = after
	s.change.DropBatches = append(s.change.DropBatches, s.batch.id)
}

func (s *settlement) edit(f func(*books)) { s.edits = append(s.edits, f) }

// finish writes everything in one transaction.
func (s *settlement) finish() {
	c := s.c
	if len(s.rewrite) > 0 {
		s.change.Append = []Segment{encodeSegment(0, s.rewrite)}
	}
	s.change.Ledger = c.row(s.row)
	s.edit(func(b *books) {
		b.wrote(s.change.Ledger[0].At)
		b.pruned(s.change.LedgerBefore)
		if b.exportAt == 0 {
			b.exportAt = c.now.UnixMilli()
		}
	})
	if keep := c.cfg.LedgerDays; keep > 0 && s.thinning() {
		s.change.LedgerBefore = c.books.prunable(c.now.Add(-time.Duration(keep) * 24 * time.Hour).UnixMilli())
	}
	c.send.batch = s.batch
	c.write(s.change, s.batches, func(b *books) {
		for _, f := range s.edits {
			f(b)
		}
	}, func(seqs []uint64) {
		if s.change.LedgerBefore != 0 {
			c.thinnedAt = c.now
		}
		if len(seqs) > 0 {
			for i := range s.rewrite {
				s.rewrite[i].Seq = seqs[0]
			}
			c.open.written(seqs[0], s.rewrite)
		}
	})
}
