package outbox

import (
	"sort"
	"time"
)

// index knows of each open segment what planning needs: 40 bytes a segment, no event. It is never stored, so it cannot be
// wrong after a kill: it is read from the heads at opening.
type index struct {
	segs       []segment // ascending
	notes      int       // in all of segs, without superseded ones
	messages   int
	bytes      int64
	media      int64  // bytes of their media
	known      uint64 // highest Seq that was read or written here
	scanning   bool
	again      bool // scan once more when this scan is done
	gap        bool // something on disk is not known here: another page wrote, or a scan failed
	held       []heldSegment
	superseded map[place]struct{} // entries that a later one replaces; they go with their segment
	seen       map[string]place   // keyed noteIds, while scanning
	sealed     place              // last entry that went into a seal
}

type segment struct {
	seq             uint64
	at              time.Time
	notes, messages int
	bytes, media    int64
}

type heldSegment struct {
	seq     uint64
	entries []Entry // without bodies
	sizes   []int
	pack    *segment // instead of entries
	old     bool     // written before the scan under way began
}

// scanPage is how many heads one read brings: small enough for no long task.
const scanPage = 256

// rescan reads the open segments that are not known yet.
func (c *Core) rescan() {
	if !c.opened {
		return
	}
	if c.open.scanning {
		c.open.again = true
		return
	}
	c.open.scanning, c.open.gap = true, false
	for i := range c.open.held {
		c.open.held[i].old = true
	}
	if c.open.seen == nil {
		c.open.seen = map[string]place{}
	}
	c.emit(Scan{After: c.open.known, Limit: scanPage})
}

func (c *Core) onScanned(e Scanned) {
	x := &c.open
	if e.Err != nil {
		x.scanning, x.gap = false, true
		c.gate.storageFailed(c.now, e.Err)
		return
	}
	for _, s := range e.Segments {
		entries, sizes, err := decodeEntries(s.Seq, s.Head, nil)
		if err != nil {
			c.alarms.damaged++
			x.known = max(x.known, s.Seq) // met, else a page full of such heads would be read without end
			continue
		}
		for _, entry := range entries {
			if entry.Key == "" {
				continue
			}
			if old, ok := x.seen[entry.NoteID]; ok {
				x.supersede(old)
			}
			x.seen[entry.NoteID] = place{entry.Seq, entry.Index}
		}
		x.add(s.Seq, entries, sizes)
	}
	c.changed = true
	if len(e.Segments) == e.Limit {
		c.emit(Scan{After: x.known, Limit: scanPage})
		return
	}
	x.scanning, x.seen = false, nil
	held := x.held
	x.held = nil
	for _, h := range held {
		if !h.old || h.seq <= x.known { // else it is open no more: another page sealed it
			x.note(h)
		}
	}
	c.flushScanned()
	x.gap = x.gap || x.again
	x.again = false
}

// written notes a segment that this page wrote.
func (x *index) written(seq uint64, entries []Entry) {
	sizes := make([]int, len(entries))
	for i := range entries {
		sizes[i] = len(entries[i].Raw)
	}
	if !x.scanning && seq == x.known+1 { // the usual case: nothing of them is kept
		x.add(seq, entries, sizes)
		return
	}
	h := heldSegment{seq: seq, entries: append([]Entry(nil), entries...), sizes: sizes}
	for i := range h.entries {
		h.entries[i].Raw = nil
	}
	x.note(h)
}

// wrotePack notes a pack that this page wrote. No entry of it has a key, so none is ever superseded.
func (x *index) wrotePack(seq uint64, p *Pack) {
	x.note(heldSegment{seq: seq, pack: &segment{seq: seq, at: p.At, notes: p.Notes, messages: p.Messages, bytes: p.size()}})
}

func (x *index) note(h heldSegment) {
	switch {
	case h.seq <= x.known: // the scan has met it
	case x.scanning, h.seq != x.known+1:
		x.held = append(x.held, h)
		x.gap = x.gap || !x.scanning
	case h.pack != nil:
		x.push(*h.pack)
	default:
		x.add(h.seq, h.entries, h.sizes)
	}
}

func (x *index) add(seq uint64, entries []Entry, sizes []int) {
	s := segment{seq: seq}
	for i, e := range entries {
		s.bytes, s.media = s.bytes+int64(sizes[i]), s.media+mediaBytes(e.Media)
		if s.at.Before(e.At) {
			s.at = e.At
		}
		if _, gone := x.superseded[place{e.Seq, e.Index}]; !gone {
			s.notes++
			s.messages += e.Messages
		}
	}
	x.push(s)
}

func (x *index) push(s segment) {
	x.known = max(x.known, s.seq)
	x.segs = append(x.segs, s)
	x.notes, x.messages, x.bytes, x.media = x.notes+s.notes, x.messages+s.messages, x.bytes+s.bytes, x.media+s.media
}

// supersede marks an entry that a later one replaces. Its messages stay counted until it is sealed away: they only make
// the batch due a little early.
func (x *index) supersede(p place) {
	if _, done := x.superseded[p]; done {
		return
	}
	x.mark(p)
	if i := x.find(p.seq); i >= 0 {
		x.segs[i].notes--
		x.notes--
	}
}

func (x *index) mark(p place) {
	if x.superseded == nil {
		x.superseded = map[place]struct{}{}
	}
	x.superseded[p] = struct{}{}
}

func (x *index) find(seq uint64) int {
	i := sort.Search(len(x.segs), func(i int) bool { return x.segs[i].seq >= seq })
	if i < len(x.segs) && x.segs[i].seq == seq {
		return i
	}
	return -1
}

// settled counts the leading segments whose last change is a debounce ago, and their messages and notes. An instant in
// the future (the clock went back) counts as past.
func (x *index) settled(now time.Time, debounce time.Duration) (n, notes, messages int, bytes int64) {
	n, notes, messages, bytes = len(x.segs), x.notes, x.messages, x.bytes
	for n > 0 {
		s := x.segs[n-1]
		since := now.Sub(s.at)
		if since >= debounce || since < -debounce {
			break
		}
		n--
		notes, messages, bytes = notes-s.notes, messages-s.messages, bytes-s.bytes
	}
	return n, notes, messages, bytes
}

// lost lists the segments up to the last one asked for that a read did not bring.
func (x *index) lost(read []Segment, to uint64) (lost []uint64) {
	for _, s := range x.segs {
		if s.seq > to {
			break
		}
		for len(read) > 0 && read[0].Seq < s.seq {
			read = read[1:]
		}
		if len(read) == 0 || read[0].Seq != s.seq {
			lost = append(lost, s.seq)
		}
	}
	return lost
}

// forget takes segments out that are not on disk any more: to ask for them again would never end.
func (x *index) forget(lost []uint64) {
	for _, seq := range lost {
		if i := x.find(seq); i >= 0 {
			s := x.segs[i]
			x.notes, x.messages, x.bytes = x.notes-s.notes, x.messages-s.messages, x.bytes-s.bytes
			x.segs = append(x.segs[:i:i], x.segs[i+1:]...)
		}
	}
}

// drop forgets the first n segments.
func (x *index) drop(n int) {
	for _, s := range x.segs[:n] {
		x.notes, x.messages, x.bytes, x.media = x.notes-s.notes, x.messages-s.messages, x.bytes-s.bytes, x.media-s.media
	}
	x.segs = x.segs[n:]
	if len(x.segs) == 0 {
		x.segs = nil
	}
}
