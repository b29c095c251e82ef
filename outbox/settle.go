package outbox

import (
	"strconv"
	"time"
)

// maxVersions bounds how often a note is written again after conflicts before it becomes a dead letter (L7.2).
const maxVersions = 5

// verdict on a batch after a reply: what becomes of it, in one transaction with its ledger row (invariant 2).
type settlement struct {
	c       *Core
	batch   *sealed
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
		if e.Err == ErrDamaged || e.Err == ErrNotFound {
			c.alarms.damaged++
			b.parkedUntil = c.now.Add(maxPark)
		}
		return
	}
	s := &settlement{c: c, batch: b, sent: e.Batch, out: e.Outcome, batches: c.batches}
	s.row = ledgerRow{at: c.now, kind: "attempt", batch: b.name, attempt: b.attempts + 1, notes: b.notes, messages: b.messages, bytes: b.bytes, out: e.Outcome}
	s.quota()
	s.fold(e)
	s.finish()
}

// quota teaches limiter, breaker and alarms what this reply says of the bucket.
func (s *settlement) quota() {
	c, o := s.c, s.out
	c.books.limiter = c.books.limiter.Answered(c.now)
	c.books.breaker = c.books.breaker.Step(c.cfg.Policy, c.now, o.Status, c.books.offset)
	c.alarms.replied(c.now, o)
	c.heard(o)
	if o.Cause != TokenRefused && o.Cause != ScopeMissing {
		c.gate.token, c.gate.tokenTries = TokenOK, 0
	}
}

// wait keeps the whole destination back: the server's hint is a floor under our back-off (L3.1, L3.2).
func (s *settlement) wait() {
	c := s.c
	c.books.tries++
	pause := c.cfg.Policy.Wait(s.out.Status, c.books.tries, s.out.Hint, c.rnd())
	c.books.limiter = c.books.limiter.Lock(c.now, c.now.Add(pause))
}

// fold is the table of causes.
func (s *settlement) fold(e Replied) {
	c := s.c
	if s.out.Cause != Unreached && s.batch.unanswered > 0 {
		s.replace(func(b *sealed) { b.unanswered = 0 })
	}
	switch s.out.Cause {
	case Accepted:
		c.books.tries = 0
		s.accept(e)
	case Throttled:
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
		s.attempt()
		s.wait()
	case Unreached:
		s.uncertain()
		s.unheard()
		s.wait()
	}
}

// uncertain: sent, and no word on the notes. The same bytes go again: Keep knows duplicates (invariant 4).
func (s *settlement) uncertain() { s.replace(func(b *sealed) { b.uncertain = true }) }

// attempt counts a try that cost one; after the last the batch parks: kept, and tried again in the next window (L9.1).
func (s *settlement) attempt() {
	p := s.c.cfg.Policy
	retries := p.Foreground
	if !s.c.gate.visible {
		retries = p.Background
	}
	s.replace(func(b *sealed) {
		b.attempts++
		if b.attempts > retries {
			b.parkedUntil = s.c.now.Add(min(maxPark, s.c.cfg.FlushEvery<<min(b.parks, 4)))
			b.parks++
			b.attempts = 0
			s.row.note = "parked"
		}
	})
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

// accept: the service judged each note.
func (s *settlement) accept(e Replied) {
	c := s.c
	delivered := 0
	for i, v := range s.out.Verdicts {
		entry := s.sent.Entries[i]
		if v.State == Conflict && entry.Kind == Note {
			s.conflict(entry)
			continue
		}
		delivered++
		if entry.Kind == Note {
			sum := ""
			if i < len(e.SHA256) {
				sum = e.SHA256[i]
			}
			if v.SHA256 != "" && sum != "" && v.SHA256 != sum {
				c.alarms.changed++
				s.row.note = "the service names another sha256"
			}
			s.row.stored(entry, sum)
		}
	}
	limits := c.limits()
	filled := 2*s.batch.notes >= limits.BatchNotes || 2*s.batch.messages >= limits.BatchMessages || 2*s.batch.bytes >= limits.BatchBytes
	s.remove()
	s.row.replaced = s.sent.Replaced
	s.archive()
	s.edit(func(b *books) {
		b.delivered += delivered
		if filled { // grows back after a 413, when a batch of the smaller size went through
			b.shrink = max(0, b.shrink-1)
		}
	})
}

// thinning says whether old rows go with this settlement: with the first of a session, and then every hour.
func (s *settlement) thinning() bool {
	since := s.c.now.Sub(s.c.thinnedAt)
	return since >= time.Hour || since < 0
}

// archive keeps the delivered bytes for a while, for reconcile (L12.1).
func (s *settlement) archive() {
	c := s.c
	if c.cfg.KeepDelivered <= 0 || s.sent.Kind() != Note {
		return
	}
	if c.tight > 0 { // what waits to be sent needs the room more
		s.change.ArchiveBefore = c.now.UnixMilli()
		s.edit(func(b *books) { b.archived = 0 })
		return
	}
	s.change.Archive = []ArchiveRecord{{c.now.UnixMilli(), encodeBatch(s.sent)}}
	size, full := int64(s.batch.bytes), c.books.archived > maxArchive
	switch {
	case full:
		s.change.ArchiveBefore = c.now.Add(-c.cfg.KeepDelivered / 2).UnixMilli()
	case s.thinning():
		s.change.ArchiveBefore = c.now.Add(-c.cfg.KeepDelivered).UnixMilli()
	}
	s.edit(func(b *books) {
		if full {
			b.archived /= 2
		}
		b.archived += size
	})
}

// conflict: the noteId is taken by other bytes (another device chose the same key). The note is written again as its next
// version, never dropped (L7.2). The version gets a suffix of this session, so that it can meet neither a version that
// the page itself appended meanwhile nor another device's; and it leaves its key, whose own versions go on.
func (s *settlement) conflict(e Entry) {
	base := e.NoteID
	if e.Key != "" {
		base = e.Key
	} else if e.Version > 0 { // a next version already
		for i := len(base) - 2; i > 0; i-- {
			if base[i:i+2] == ".v" {
				base = base[:i]
				break
			}
		}
	}
	if e.Version = max(e.Version, 1) + 1; e.Key == "" && e.Version > maxVersions {
		s.dead(e, InvalidEvent, "the service holds other content under this noteId and its next versions")
		return
	}
	c := s.c
	c.noteN++
	e.Key, e.NoteID = "", versioned(base, e.Version)+"-"+c.session+"-"+strconv.FormatUint(c.noteN, 36)
	e.Raw = renamed(e.Raw, e.NoteID)
	s.row.rewritten = append(s.row.rewritten, e.ID())
	e.Seq, e.Index = 0, len(s.rewrite)
	s.rewrite = append(s.rewrite, e)
}

func (s *settlement) dead(e Entry, code Code, reason string) {
	d := deadRecord(e, code, reason, s.out, s.c.now)
	s.change.PutDead = append(s.change.PutDead, d)
	s.row.note = "dead letter"
	s.row.died = append(s.row.died, e.ID())
	s.edit(func(b *books) { b.dead, b.deadBytes = b.dead+1, b.deadBytes+deadSize(d) })
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
