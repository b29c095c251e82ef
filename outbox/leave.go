package outbox

// A parting shot is a copy of the newest open notes, sent while the page is being left, in a request that outlives it. It
// is a bonus: the notes stay where they are on disk, go with the next batch as well, and the service answers "duplicate".
// Nothing has to become durable first, because their ids and bytes were fixed and on disk when they were acknowledged;
// while a page is leaving, WebKit stores nothing any more. It obeys limiter, breaker and switch like any request.
//
// Only for a service that knows a note by its noteId in whatever batch it comes (Limits.Copies): LINE Keep. One that knows
// sealed bytes only, or nothing, gets no shot: a sealed batch that may go is on its way already, and small requests outlive
// the page by themselves.

// shotBytes is the most that one shot holds: browsers let 64 KiB of such requests pass for the whole page.
const shotBytes = 56 << 10

// tail keeps the newest open notes with their bytes, at most shotBytes of them, each until it is sealed or shot.
type tail struct {
	entries []Entry
	bytes   int
}

func (t *tail) add(entries []Entry, overhead int) {
	newest := len(entries)
	for size := 0; newest > 0 && size <= shotBytes; newest-- { // of a long burst only its end can stay
		if e := entries[newest-1]; e.Kind == Note && len(e.Raw)+overhead <= shotBytes {
			size += len(e.Raw) + overhead
		}
	}
	entries = entries[newest:]
	for _, e := range entries {
		if e.alone() || len(e.Raw)+overhead > shotBytes {
			continue
		}
		t.entries = append(t.entries, e)
		t.bytes += len(e.Raw) + overhead
		for t.bytes > shotBytes {
			t.bytes -= len(t.entries[0].Raw) + overhead
			t.entries = t.entries[1:]
		}
	}
}

// forget takes out what gone says: sealed now, or replaced by a later entry.
func (t *tail) forget(gone func(place) bool, overhead int) {
	kept := t.entries[:0:0]
	for _, e := range t.entries {
		if gone(place{e.Seq, e.Index}) {
			t.bytes -= len(e.Raw) + overhead
			continue
		}
		kept = append(kept, e)
	}
	t.entries = kept
}

// onLeft fires the shot, if a request may go now and none is under way.
func (c *Core) onLeft() {
	if phase := c.send.phase; !c.opened || !c.cfg.Limits.Copies || phase == marking || phase == sending || c.gate.token != TokenOK {
		return
	}
	if at, ever := c.mayGo(""); !ever || at.After(c.now) || !c.mayShoot() {
		return
	}
	b := Batch{Name: c.books.install + "-parting", SealedAt: c.now}
	limits := c.cfg.Limits
	var kept []Entry
	for _, e := range c.tail.entries {
		if c.unsettled(e) { // it may still be replaced: sent twice it would be two contents under one noteId
			kept = append(kept, e)
			continue
		}
		b.Entries = append(b.Entries, e)
	}
	if len(b.Entries) == 0 {
		return
	}
	n, _ := limits.take(b.Entries)
	kept, b.Entries = append(b.Entries[n:len(b.Entries):len(b.Entries)], kept...), b.Entries[:n]
	c.tail = tail{}
	c.tail.add(kept, limits.NoteOverhead)
	way := c.way("")
	k := c.books.of(way)
	k.limiter = k.limiter.Take(c.policy(way), c.now)
	c.books.sent += len(b.Entries)
	if c.send.phase == idle { // the disk may not take it any more: then the next page knows of one request less
		c.commit(Change{State: encodeState(c.books, c.batches, 0), Fence: c.gate.fence})
	}
	c.emit(Shoot{Batch: b, Relayed: relayed(way)})
}
