package outbox

import (
	"errors"
	"time"
)

// phase of the send lane. It does one thing at a time, and each arrow waits for the disk:
//
//	idle → reading → writing (the seal) → idle
//	idle → looking → writing → idle   (reconcile)
//	idle → token → marking (on disk: this batch is on the wire) → sending → writing (the settlement) → idle
type phase byte

const (
	idle phase = iota
	reading
	token
	marking
	sending
	looking
	writing
)

type sendLane struct {
	phase   phase
	batch   *sealed // under way
	way     string  // the bucket that its request is counted in
	commit  uint64  // token of the Commit in flight
	done    func(seqs []uint64)
	link    func(chain string) // waits for the hash of the ledger row to come
	readTo  uint64             // last segment that the seal asked for
	sealAt  time.Time          // the first open entry may still change until then
	sealed  *Batch             // the last that was sealed, until it is sent: it need not be read back
	record  BatchRecord        // of the same, until the answer
	under   uint64             // fence of the lead that sealed it
	control []func()           // decisions of the page that wait for the lane
	asked   uint32             // ticket of the page's decision under way; 0: none
}

// TokenState of the destination's credentials.
type TokenState byte

const (
	TokenOK     TokenState = iota
	TokenNeeded            // none, or refused with 401 (L10.2)
	TokenScope             // refused with 403: keep.write is not granted (L14.6)
)

// gate is what keeps the next request back, besides the limiter and the breaker.
type gate struct {
	visible      bool
	leading      bool
	told         bool   // leading was decided
	fence        uint64 // the token of our lead; 0: unfenced
	gone         bool   // 410: nothing more until the page is opened with another address (L10.1)
	token        TokenState
	tokenTries   int       // refusals in a row
	tokenRetry   time.Time // look again, even if the page does not offer a token
	storageRetry time.Time
	storageErr   error // why the store refused last; it counts until storageRetry
}

const storagePause = 5 * time.Second

func (g *gate) storageFailed(now time.Time, err error) {
	g.storageRetry, g.storageErr = now.Add(storagePause), nil
	if errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable) { // not one record, or another page's lead
		g.storageErr = err
	}
}

// mayGo answers when the next request of a bucket may go: now, later, or (zero) not before something else happens.
func (c *Core) mayGo(bucket string) (at time.Time, ever bool) {
	g := &c.gate
	if !g.leading || g.gone || !c.books.realtime {
		return time.Time{}, false
	}
	at = c.free(c.way(bucket))
	if g.token != TokenOK {
		at = latest(at, g.tokenRetry)
	}
	return latest(at, g.storageRetry), true
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func soonest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (c *Core) pumpSend() {
	s := &c.send
	if !c.gate.leading {
		return // the books belong to the page that sends
	}
	for s.phase == idle && len(s.control) > 0 {
		op := s.control[0]
		s.control = s.control[1:]
		op()
	}
	if s.phase != idle {
		return
	}
	c.draw(false)
	b, at, ever := c.sendable()
	if b == nil || ever && at.After(c.now) && !c.sealedAhead() {
		c.startSeal()
		return
	}
	if !ever || at.After(c.now) {
		return
	}
	s.phase, s.batch = token, b
	c.emit(ReadToken{Fresh: c.gate.token != TokenOK || c.gate.tokenTries > 0})
}

// Pauses while the page has no token that the service takes; a token offered on a click ends them at once.
const (
	tokenPause    = time.Minute
	maxTokenPause = 15 * time.Minute
)

func (c *Core) pauseForToken(state TokenState) {
	g := &c.gate
	g.token = state
	g.tokenRetry = c.now.Add(min(maxTokenPause, tokenPause<<min(g.tokenTries, 8)))
	g.tokenTries++
	c.changed = true
}

// onTokenRead: the token is there, so the mark may go to disk: a page that dies from here on leaves this batch uncertain.
func (c *Core) onTokenRead(e TokenRead) {
	s := &c.send
	if s.phase != token {
		return
	}
	if !e.OK {
		s.phase = idle
		c.pauseForToken(TokenNeeded)
		return
	}
	bucket := s.batch.next().Bucket
	if at, ever := c.mayGo(bucket); !ever || at.After(c.now) {
		s.phase = idle
		return
	}
	name := c.way(bucket)
	s.way = name
	k := c.books.of(name) // a probe is a request like any other
	k.limiter = k.limiter.Take(c.policy(name), c.now)
	c.books.sent += s.batch.notes
	s.phase = marking
	s.commit = c.commit(Change{State: encodeState(c.books, c.batches, s.batch.id), Fence: c.gate.fence})
	c.changed = true
}

// write commits a change of books and batches. edit says what changes in the books: it is applied to the copy that goes
// to disk, and to the books themselves once that is there. The limiter and the breaker change at once: what they know is
// true whether the disk takes it or not.
func (c *Core) write(ch Change, batches []*sealed, edit func(*books), done func(seqs []uint64)) {
	c.send.phase = writing
	c.send.link = func(chain string) {
		if len(ch.Ledger) > 0 {
			ch.Ledger[0].Text = linked(ch.Ledger[0].Text, chain)
			unlinked := edit
			edit = func(b *books) {
				unlinked(b)
				b.chain = chain
			}
		}
		after := c.books
		if edit != nil {
			edit(&after)
		}
		ch.State, ch.Fence = encodeState(after, batches, 0), c.gate.fence
		c.send.commit = c.commit(ch)
		c.send.done = func(seqs []uint64) {
			if edit != nil {
				edit(&c.books)
			}
			c.batches = batches
			if done != nil {
				done(seqs)
			}
		}
	}
	if len(ch.Ledger) == 0 {
		c.onHashed(Hashed{})
		return
	}
	c.emit(Hash{Text: append([]byte(c.books.chain+"\n"), ch.Ledger[0].Text...)})
}

// onHashed: the row's link in the chain of the ledger is known, so the change may go to disk.
func (c *Core) onHashed(e Hashed) {
	link := c.send.link
	c.send.link = nil
	if c.send.phase == writing && link != nil {
		link(e.SHA256)
	}
}

func (c *Core) onCommitted(e Committed) {
	switch {
	case e.Token == c.append.token && e.Token != 0:
		c.onAppendCommitted(e.Seqs)
		c.flushCommitted()
	case e.Token == c.send.commit && c.send.phase == marking:
		c.send.phase = sending
		b := c.send.batch
		c.emit(Send{Batch: b.id, Sealed: c.atHand(b.id), Step: b.step, Probe: b.doubt, Cursor: b.cursor, Relayed: relayed(c.send.way)})
	case e.Token == c.send.commit && c.send.phase == writing:
		done := c.send.done
		c.send.phase, c.send.done, c.send.batch, c.send.asked = idle, nil, nil, 0
		done(e.Seqs)
		c.tight = max(0, c.tight-1)
		c.changed = true
	}
}

// atHand gives away the batch that was sealed last, if it is this one. Under a later lead it may be another page's: read it.
func (c *Core) atHand(id uint64) (b *Batch) {
	s := &c.send
	if s.sealed != nil && s.sealed.ID == id && s.under == c.gate.fence {
		b = s.sealed
	} else {
		s.record = BatchRecord{}
	}
	s.sealed = nil
	return b
}

func (c *Core) onCommitFailed(e CommitFailed) {
	if e.Unknown { // the connection is gone with it: nothing may be written over what is perhaps there
		if e.Token == c.append.token {
			c.append.doubt = e.Err // answered when the store has said where it is
		}
		c.onLost()
		return
	}
	if errors.Is(e.Err, ErrFenced) && e.Token == c.send.commit { // a late holder: nothing of it was written
		c.gate.leading, c.changed = false, true
		c.emit(Dethroned{})
	}
	switch {
	case e.Token == c.append.token && e.Token != 0:
		c.onAppendFailed(e.Err)
		c.flushCommitted()
	case e.Token == c.send.commit && c.send.phase == marking:
		c.send.phase, c.send.batch = idle, nil // not sent: it never was on the wire
		c.gate.storageFailed(c.now, e.Err)
	case e.Token == c.send.commit && c.send.phase == writing:
		sent := c.send.batch != nil
		if sent {
			if b := c.batch(c.send.batch.id); b != nil {
				b.doubtful() // the answer is lost, if there was one: the same bytes again, or ask
				b.probeAt = c.now.Add(c.cfg.Deadline)
			}
		}
		c.send.phase, c.send.done, c.send.batch = idle, nil, nil
		c.dropAsked(e.Err)
		c.gate.storageFailed(c.now, e.Err)
		if errors.Is(e.Err, ErrFull) && c.tight < maxTight { // a smaller one may have room: a seal stands twice on disk while it is written
			c.tight += 3
			if !sent {
				c.gate.storageRetry = time.Time{}
			}
		}
		c.changed = true
	}
}

// dropAsked answers the page whose decision was under way when the store failed.
func (c *Core) dropAsked(err error) {
	ticket := c.send.asked
	c.send.asked, c.recon = 0, nil
	if ticket == 0 {
		return
	}
	c.reject(ticket, unchanged(err))
}

// unchanged is the answer to a call whose change the store did not take. Nothing goes out before the disk holds that it
// does (see the package comment), so that ends the sending too.
func unchanged(err error) *Refusal {
	return refuse(StorageCode(err), "nothing was changed: the device's storage takes no change now ("+err.Error()+"); what was accepted stays and goes by itself when there is room; call it again then")
}

// maxTight leaves a batch one note, or a few small ones.
const maxTight = 9

// onRealtimeSet: the switch acts at once; that it was set goes to disk when the lane is free (L13.4).
func (c *Core) onRealtimeSet(e RealtimeSet) {
	c.books.realtime, c.switched, c.changed = e.On, &e.On, true
	c.send.control = append(c.send.control, func() { c.write(Change{}, c.batches, nil, func([]uint64) { c.switched = nil }) })
}
