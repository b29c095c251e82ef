package outbox

import (
	"bytes"
	"strconv"
	"time"
)

// limits are the destination's, as far as 413s, or a full disk, have not taught a smaller size.
func (c *Core) limits() Limits { return c.cfg.Limits.shrunk(c.books.shrink + c.tight) }

// due says whether the settled open entries make a batch now (C5, L4.1, L4.2), and if not, when they will.
func (c *Core) due() (now bool, at time.Time) {
	x := &c.open
	if len(x.segs) == 0 || x.scanning {
		return false, time.Time{}
	}
	n, notes, messages, bytes := x.settled(c.now, c.cfg.Debounce)
	first := x.segs[0]
	limits := c.limits()
	wanted := x.messages >= c.cfg.FlushAt || x.notes >= limits.BatchNotes || x.bytes >= int64(limits.BatchBytes) ||
		c.flushWants(first.seq) || c.moments.won
	settle := x.segs[min(n, len(x.segs)-1)].at.Add(c.cfg.Debounce)
	if c.now.Before(c.send.sealAt) {
		settle = c.send.sealAt
	}
	every := first.at.Add(c.cfg.FlushEvery)
	if first.at.After(c.now.Add(c.cfg.FlushEvery)) {
		every = c.now // the clock went back
	}
	switch {
	case n > 0 && !c.now.Before(c.send.sealAt) && (messages >= c.cfg.FlushAt || notes >= limits.BatchNotes ||
		bytes >= int64(limits.BatchBytes) || c.flushWants(first.seq) || c.moments.won || !c.now.Before(every)):
		return true, c.now
	case wanted || settle.After(every):
		return false, settle
	}
	return false, every
}

// sealNow says whether a batch is to be sealed: it is due, and has won its draw where there is a lottery.
func (c *Core) sealNow() bool {
	now, _ := c.due()
	return now && (!c.lottery() || c.moments.won || c.flushWants(c.open.segs[0].seq))
}

// startSeal reads the segments that the next batch is cut from.
func (c *Core) startSeal() {
	if !c.gate.leading || !c.books.realtime || c.gate.gone || c.now.Before(c.gate.storageRetry) {
		return
	}
	if !c.sealNow() {
		return
	}
	n, _, _, _ := c.open.settled(c.now, c.cfg.Debounce)
	limits := c.limits()
	var notes, messages int
	var bytes int64
	last := 0
	for i, s := range c.open.segs[:n] {
		last = i
		notes, messages, bytes = notes+s.notes, messages+s.messages, bytes+s.bytes
		if notes > limits.BatchNotes || messages > limits.BatchMessages || bytes > int64(limits.BatchBytes) {
			break
		}
	}
	c.send.phase, c.send.readTo = reading, c.open.segs[last].seq
	c.emit(ReadSegments{From: c.open.segs[0].seq, To: c.send.readTo})
}

// onSegmentsRead seals the next batch: what it takes leaves the open segments and becomes one batch record, in one
// transaction, before anything is sent.
func (c *Core) onSegmentsRead(e SegmentsRead) {
	if c.send.phase != reading {
		return
	}
	c.send.phase = idle
	if e.Err != nil {
		c.gate.storageFailed(c.now, e.Err)
		return
	}
	cut, lost := c.cut(e.Segments), c.open.lost(e.Segments, c.send.readTo)
	if len(cut.taken) == 0 && cut.segments == 0 && len(lost) == 0 {
		return // the first entry may still change: sealAt says when to look again
	}
	after, next := c.batches, c.books.nextBatch
	var made *Batch
	var record BatchRecord
	ch := Change{PutOpen: cut.back, DropMedia: cut.media}
	if cut.segments > 0 {
		ch.DropFrom, ch.DropTo = e.Segments[0].Seq, e.Segments[cut.segments-1].Seq
	}
	if len(cut.taken) > 0 {
		b := c.name(next, cut.taken)
		b.Replaced = cut.replaced
		next++
		record = encodeBatch(b)
		ch.PutBatches = []BatchRecord{record}
		after = append(append([]*sealed(nil), after...), summarize(b))
		last := cut.taken[len(cut.taken)-1]
		c.open.sealed = place{last.Seq, last.Index}
		made = &b
		if c.flushWants(last.Seq) {
			c.moments.asked = max(c.moments.asked, b.ID)
		}
	}
	if len(cut.taken) == 0 && len(cut.replaced) > 0 { // nothing of them is sent: the ledger says where they went
		row := ledgerRow{at: c.now, kind: "replaced", replaced: cut.replaced}
		ch.Ledger = c.row(row)
	}
	c.write(ch, after, func(b *books) {
		b.nextBatch = next
		for _, r := range ch.Ledger {
			b.wrote(r.At)
		}
	}, func([]uint64) {
		// Written, so the lead was ours when they were read (the fence only grows): no other page took them, they are gone.
		c.send.sealed, c.send.record, c.send.under = made, record, c.gate.fence
		c.alarms.damaged += len(lost)
		c.open.forget(lost)
		c.open.consume(e.Segments[:cut.segments], cut.rest)
		c.tail.forget(func(p place) bool { return !p.after(c.open.sealed) })
	})
}

// cut is what a seal does to the open segments.
type cut struct {
	taken    []Entry
	segments int       // leading segments that go
	back     []Segment // written back under their own Seq: the rest of the last one, and damaged ones
	rest     []Entry   // entries of the rest
	replaced []string  // ids of entries that go because a later one took their place
	media    []string  // ids of their media
}

func (c *Core) cut(segments []Segment) (r cut) {
	notes := 0
	for _, s := range segments {
		notes += bytes.Count(s.Head, []byte{'\n'})
	}
	live := make([]Entry, 0, notes)
	ends := make([]int, len(segments)) // live entries up to the end of each segment
	gone := make([]int, len(segments)) // replaced ones up to there
	lost := make([]int, len(segments)) // their media up to there
	stop := false
	for i, s := range segments {
		entries, _, err := decodeEntries(s.Seq, s.Head, s.Body)
		if err != nil {
			c.alarms.damaged++
			r.back = append(r.back, s)
		}
		for _, e := range entries {
			if _, gone := c.open.superseded[place{e.Seq, e.Index}]; gone {
				r.replaced, r.media = append(r.replaced, e.ID()), append(r.media, mediaIDs(e)...)
				continue
			}
			if !stop && c.unsettled(e) {
				stop = true
				c.send.sealAt = c.now.Add(c.cfg.Debounce)
				live, r.taken = live[:len(live):len(live)], live
			}
			live = append(live, e)
		}
		ends[i], gone[i], lost[i] = len(live), len(r.replaced), len(r.media)
	}
	if !stop {
		r.taken = live
	}
	if len(r.taken) > 0 {
		n, _ := c.limits().take(r.taken)
		r.taken = r.taken[:n]
	}
	for i, end := range ends {
		start := 0
		if i > 0 {
			start = ends[i-1]
		}
		if end > len(r.taken) {
			if start < len(r.taken) { // cut in the middle
				r.segments = i + 1
				r.rest = live[len(r.taken):end]
				r.back = append(r.back, encodeSegment(segments[i].Seq, r.rest))
			}
			break
		}
		r.segments = i + 1
	}
	if r.segments > 0 {
		r.replaced, r.media = r.replaced[:gone[r.segments-1]], r.media[:lost[r.segments-1]]
	} else {
		r.replaced, r.media = nil, nil
	}
	kept := r.back[:0]
	for _, s := range r.back {
		if r.segments > 0 && s.Seq <= segments[r.segments-1].Seq {
			kept = append(kept, s)
		}
	}
	r.back = kept
	return r
}

// consume forgets what a seal took, and notes the rest of the segment that it cut.
func (x *index) consume(segments []Segment, rest []Entry) {
	if len(segments) == 0 {
		return
	}
	last := segments[len(segments)-1].Seq
	n := 0
	for n < len(x.segs) && x.segs[n].seq <= last {
		n++
	}
	x.drop(n)
	replaced := x.superseded // an entry of the rest may have been replaced while the seal was being written
	x.superseded = nil
	for p := range replaced {
		if p.seq > last {
			x.mark(p)
		}
	}
	if len(rest) == 0 {
		return
	}
	s := segment{seq: last}
	for _, e := range rest {
		s.bytes, s.media = s.bytes+int64(len(e.Raw)), s.media+mediaBytes(e.Media)
		if s.at.Before(e.At) {
			s.at = e.At
		}
		p := place{e.Seq, e.Index}
		if _, gone := replaced[p]; gone {
			x.mark(p)
			continue
		}
		s.notes, s.messages = s.notes+1, s.messages+e.Messages
	}
	x.segs = append([]segment{s}, x.segs...)
	x.notes, x.messages, x.bytes, x.media = x.notes+s.notes, x.messages+s.messages, x.bytes+s.bytes, x.media+s.media
}

// name makes entries a batch with a name and a plan of its own.
func (c *Core) name(id uint64, entries []Entry) Batch {
	b := Batch{ID: id, Name: c.books.install + "-" + strconv.FormatUint(id, 10), SealedAt: time.UnixMilli(c.now.UnixMilli()), Entries: entries}
	c.plan(&b)
	return b
}

func summarize(b Batch) *sealed {
	s := &sealed{id: b.ID, name: b.Name, notes: len(b.Entries), messages: b.Messages(), bytes: b.Bytes(), steps: b.Steps, cursor: b.Cursor}
	for _, e := range b.Entries {
		s.media += mediaBytes(e.Media)
	}
	return s
}
