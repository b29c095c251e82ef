package outbox

import "slices"

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

// tail keeps the newest open notes with their bytes, each until it is sealed or shot: what one shot may hold, and of a pack
// in which that begins the rest too.
type tail struct {
	items []tailItem
	bytes int
}

// tailItem is an entry, or a pack whose first events may be gone.
type tailItem struct {
	entry Entry
	pack  *Pack
	seq   uint64 // of the pack
	from  int
	bytes int
}

func (t *tail) add(entries []Entry, overhead int) {
	newest := len(entries)
	for size := 0; newest > 0 && size <= shotBytes; newest-- { // of a long burst only its end can stay
		if e := entries[newest-1]; e.Kind == Note && len(e.Raw)+overhead <= shotBytes {
			size += len(e.Raw) + overhead
		}
	}
	for _, e := range entries[newest:] {
		if !e.alone() && len(e.Raw)+overhead <= shotBytes {
			t.push(tailItem{entry: e, bytes: len(e.Raw) + overhead})
		}
	}
}

func (t *tail) addPack(seq uint64, p *Pack) { t.push(tailItem{pack: p, seq: seq, bytes: int(p.Bytes)}) }

// push drops what a shot will not reach: the oldest, as long as all behind it fill one.
func (t *tail) push(i tailItem) {
	t.items = append(t.items, i)
	t.bytes += i.bytes
	for len(t.items) > 1 && t.bytes-t.items[0].bytes >= shotBytes {
		t.bytes -= t.items[0].bytes
		t.items = t.items[1:]
	}
}

// forget takes out what gone says: sealed now, or replaced by a later entry.
func (t *tail) forget(gone func(place) bool) {
	kept := t.items[:0:0]
	for _, i := range t.items {
		if i.pack == nil && gone(place{i.entry.Seq, i.entry.Index}) {
			t.bytes -= i.bytes
			continue
		}
		for i.pack != nil && i.from < i.pack.Notes && gone(place{i.seq, i.from}) { // its bytes stay counted until all of it is gone
			i.from++
		}
		if i.pack != nil && i.from == i.pack.Notes {
			t.bytes -= i.bytes
			continue
		}
		kept = append(kept, i)
	}
	t.items = kept
}

// newest lists the newest entries, oldest first, as many as one shot holds.
func (t *tail) newest(overhead int) (list []Entry) {
	room := shotBytes
	take := func(e Entry) bool {
		if size := len(e.Raw) + overhead; len(e.Raw) > 0 && size <= shotBytes {
			if room -= size; room < 0 {
				return false
			}
			list = append(list, e)
		}
		return true
	}
	for i := len(t.items) - 1; i >= 0; i-- {
		item := t.items[i]
		if item.pack == nil && !take(item.entry) {
			break
		}
		for n := 0; item.pack != nil && n < item.pack.Notes-item.from && room > 0; n++ {
			e := item.pack.entry(item.pack.Notes - 1 - n)
			e.Seq = item.seq
			if !take(e) {
				break
			}
		}
		if room <= 0 {
			break
		}
	}
	slices.Reverse(list)
	return list
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
	for _, e := range c.tail.newest(limits.NoteOverhead) {
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
