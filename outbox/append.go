package outbox

import (
	"strconv"
	"time"
)

// A segment holds the entries of one burst, cut so that reading a part of a long burst stays cheap.
const (
	segmentNotes = 500
	segmentBytes = 1 << 20
)

// appendLane is the way of events to disk: waiting → (keys are read) → writing → acknowledged. All that arrives while a
// transaction is in flight goes into the next one.
type appendLane struct {
	waiting []Draft              // a pack is one of them
	keys    map[string]*keyState // business keys met in this session
	reading []string             // keys under way from the store
	token   uint64               // of the Commit in flight; 0: none
	writing []group              // of the Commit in flight, one a segment
	bytes   int64                // of waiting and writing
	marks   []*keyState          // of inbox rows in the Commit
	undo    []func()             // puts the key states back when the Commit fails
	after   uint64               // what is being written gets a Seq above this
	doubt   error                // why it is not known whether the Commit is on disk, see doubt.go; nil: no doubt
	tracing bool                 // the store was asked where the entries in doubt are
}

// group is what goes into one segment: entries and their tickets, or a pack.
type group struct {
	entries []Entry
	tickets []uint32
	size    int
	pack    *Pack
}

// all lists the entries, of a pack too.
func (g group) all() []Entry {
	if g.pack != nil {
		return g.pack.entries()
	}
	return g.entries
}

func (c *Core) onAppended(drafts []Draft) {
	used := c.queueBytes()
	for _, d := range drafts {
		refusal := c.check(d, used)
		if refusal != nil && d.Pack != nil { // one by one: some of it may have room
			c.onAppended(d.Pack.drafts())
			continue
		}
		if refusal != nil {
			c.reject(d.Ticket, refusal)
			continue
		}
		c.append.bytes += d.size()
		c.append.waiting = append(c.append.waiting, d)
	}
}

// onPacked is onAppended of packs.
func (c *Core) onPacked(packs []Pack) {
	drafts := make([]Draft, len(packs))
	for i := range packs {
		drafts[i] = Draft{Ticket: packs[i].Ticket, Kind: Note, Pack: &packs[i]}
	}
	c.onAppended(drafts)
}

// check refuses what needs no look at the store; used is what counts on disk.
func (c *Core) check(d Draft, used int64) *Refusal {
	if refusal := checkKey(d.Key); refusal != nil {
		return refusal
	}
	if d.Inbox != nil && (checkKey(d.Inbox.Mark) != nil || d.Inbox.Mark == "" || d.Key == "") {
		return refuse(InvalidEvent, "a row of the inbox has no name")
	}
	if c.gate.gone && d.Inbox == nil {
		return refuse(Gone, goneMessage)
	}
	if d.Kind == Hide {
		if len(d.Text) == 0 {
			return refuse(InvalidEvent, "hide needs the noteId of a receipt")
		}
		if refusal := c.cannot("hide"); refusal != nil {
			return refusal
		}
		return checkKey(string(d.Text))
	}
	if p := d.Pack; p != nil && p.Notes == 1 && p.Bytes > int64(c.cfg.Limits.NoteBytes) {
		return refuse(TooLarge, "")
	}
	if len(d.Text) > c.cfg.Limits.NoteBytes {
		return refuse(TooLarge, "the event has "+strconv.Itoa(len(d.Text))+" bytes, a note may have "+strconv.Itoa(c.cfg.Limits.NoteBytes)+": split the conversation")
	}
	if refusal := c.cfg.Limits.checkMedia(d.Media); refusal != nil {
		return refusal
	}
	if used += c.append.bytes; d.Inbox == nil && used+d.size() > c.cfg.MaxQueueBytes {
		return refuse(StorageFull, "the queue holds "+strconv.FormatInt(used, 10)+" bytes, maxQueueBytes is "+strconv.FormatInt(c.cfg.MaxQueueBytes, 10)+": it drains when the service can be reached")
	}
	return nil
}

// size counts towards MaxQueueBytes.
func (d Draft) size() int64 {
	if d.Pack != nil {
		return d.Pack.Bytes
	}
	return int64(len(d.Text)) + mediaBytes(d.Media)
}

// tickets are whom it is for.
func (d Draft) tickets() []uint32 {
	list := []uint32{d.Ticket}
	for d.Pack != nil && len(list) < d.Pack.Notes {
		list = append(list, d.Ticket+uint32(len(list)))
	}
	return list
}

func (c *Core) reject(ticket uint32, r *Refusal) { c.rejectAll([]uint32{ticket}, r) }

func (c *Core) rejectAll(tickets []uint32, r *Refusal) {
	list := make([]Rejection, len(tickets))
	for i, t := range tickets {
		list[i] = Rejection{Ticket: t, Refusal: *r}
	}
	c.emit(Reject{Rejections: list})
}

// pumpAppend writes all that waits in one transaction, once the keys in it are known.
func (c *Core) pumpAppend() {
	a := &c.append
	if !c.opened || a.token != 0 || len(a.reading) > 0 || len(a.waiting) == 0 {
		return
	}
	for _, d := range a.waiting {
		a.need(d.Key)
		if d.Inbox != nil {
			a.need(d.Inbox.Mark)
		}
	}
	if len(a.reading) > 0 {
		c.emit(ReadKeys{Keys: a.reading})
		return
	}
	c.writeWaiting()
}

func (c *Core) onKeysRead(e KeysRead) {
	a := &c.append
	if e.Err != nil {
		for _, d := range a.waiting {
			c.rejectAll(d.tickets(), storageRefusal(e.Err))
		}
		a.waiting, a.reading, a.bytes = nil, nil, 0
		return
	}
	if a.keys == nil || len(a.keys) > 10000 { // a cache: the store knows
		a.keys = map[string]*keyState{}
	}
	for _, key := range a.reading {
		a.keys[key] = &keyState{}
	}
	for _, row := range e.Rows {
		a.keys[row.Key] = &keyState{version: row.Version, hash: row.Hash, changedAt: time.UnixMilli(row.ChangedAt)}
	}
	a.reading = nil
}

func (c *Core) writeWaiting() {
	a := &c.append
	drafts := a.waiting
	a.waiting, a.bytes = nil, 0
	var ch Change
	a.after = c.open.last()
	var touched map[string]*keyState
	for i, d := range drafts {
		if touched == nil && d.Pack == nil {
			touched = map[string]*keyState{}
		}
		if d.Pack != nil {
			p := c.named(*d.Pack)
			a.bytes += p.size()
			a.writing = append(a.writing, group{pack: p})
			continue
		}
		e, known, refusal := c.accept(d, touched)
		if refusal != nil {
			c.reject(d.Ticket, refusal)
			continue
		}
		if known {
			c.emit(Acknowledge{Receipts: []Receipt{{Ticket: d.Ticket, ID: e.NoteID, NoteID: e.NoteID, Bytes: len(e.Raw), At: e.At}}})
			continue
		}
		a.bytes += int64(len(e.Raw)) + mediaBytes(e.Media)
		for i, m := range e.Media {
			ch.PutMedia = append(ch.PutMedia, MediaRow{ID: m.ID, Blob: d.Blobs[i]})
		}
		g := a.groupFor(e, len(drafts)-i)
		e.Index = len(g.entries)
		g.entries, g.tickets, g.size = append(g.entries, e), append(g.tickets, d.Ticket), g.size+len(e.Raw)
	}
	for _, g := range a.writing {
		if g.pack != nil {
			ch.Append = append(ch.Append, Segment{Pack: g.pack})
		} else {
			ch.Append = append(ch.Append, encodeSegment(0, g.entries))
		}
	}
	for key, k := range touched {
		ch.Keys = append(ch.Keys, KeyRow{Key: key, Version: k.version, ChangedAt: k.changedAt.UnixMilli(), Hash: k.hash})
	}
	if len(a.writing) > 0 {
		a.token = c.commit(ch)
	}
}

// groupFor is the group that takes e: the last one while it has room, else a new one for at most `more` entries.
func (a *appendLane) groupFor(e Entry, more int) *group {
	if n := len(a.writing); n > 0 {
		g := &a.writing[n-1]
		if g.pack == nil && len(g.entries) < segmentNotes && g.size+len(e.Raw) <= segmentBytes && !g.entries[0].alone() && !e.alone() {
			return g
		}
	}
	more = min(more, segmentNotes)
	a.writing = append(a.writing, group{entries: make([]Entry, 0, more), tickets: make([]uint32, 0, more)})
	return &a.writing[len(a.writing)-1]
}

// accept checks the event, names it and fixes its bytes. known: the same event stands on disk under this key already.
func (c *Core) accept(d Draft, touched map[string]*keyState) (e Entry, known bool, refusal *Refusal) {
	e = Entry{Kind: d.Kind, At: c.now, Key: d.Key}
	c.noteN++
	own := noteName(c.session, c.noteN)
	if d.Kind == Hide || d.Key != "" {
		e.Mark = own
	}
	if d.Kind == Hide {
		e.NoteID, e.Raw = string(d.Text), append([]byte(nil), d.Text...)
		return e, false, nil
	}
	if e.Messages, refusal = inspect(d.Text, c.cfg.Limits.Forbid); refusal != nil {
		return e, false, refusal
	}
	if d.Key == "" {
		e.NoteID = own
		e.attach(d, own)
		return e, false, nil
	}
	if d.Inbox != nil {
		return c.takeOver(e, d, touched)
	}
	k, hash := c.append.keys[d.Key], d.hash()
	known = k.version > 0 && k.hash == hash && !k.pending && d.summed()
	if !known {
		c.append.undo = append(c.append.undo, func(old keyState) func() { return func() { *k = old } }(*k))
		if !c.mayReplace(k) {
			*k = keyState{version: k.version + 1, own: true, firstAt: c.now}
		}
		k.changedAt, k.hash, k.pending, touched[d.Key] = c.now, hash, true, k
	}
	e.Version, e.NoteID = k.version, versioned(d.Key, k.version)
	e.attach(d, e.NoteID+"-"+own) // a later change of the same version has media of its own
	return e, known, nil
}

// onAppendCommitted: on disk, so the page may be told (invariant 1).
func (c *Core) onAppendCommitted(seqs []uint64) {
	a := &c.append
	var told Acknowledge
	var replaced []place
	notes := 0
	for i, g := range a.writing {
		if g.pack != nil {
			notes += g.pack.Notes
			told.Packs = append(told.Packs, WrittenPack{g.pack, seqs[i]})
			c.open.wrotePack(seqs[i], g.pack)
			c.tail.addPack(seqs[i], g.pack)
			continue
		}
		for j := range g.entries {
			e := &g.entries[j]
			e.Seq = seqs[i]
			if e.Key != "" {
				k := a.keys[e.Key]
				if k.version == e.Version && k.at.seq != 0 {
					c.open.supersede(k.at)
					replaced = append(replaced, k.at)
				}
				if k.version == e.Version {
					k.at, k.pending = place{e.Seq, e.Index}, false
				}
			}
			told.Receipts = append(told.Receipts, Receipt{Ticket: g.tickets[j], ID: e.ID(), NoteID: e.NoteID, Bytes: len(e.Raw), At: e.At})
		}
		notes += len(g.entries)
		c.open.written(seqs[i], g.entries)
		c.tail.add(g.entries, c.cfg.Limits.NoteOverhead)
	}
	for _, mark := range a.marks {
		mark.pending = false
	}
	if len(replaced) > 0 {
		c.tail.forget(func(p place) bool { return contains(replaced, p) })
	}
	c.alarms.appended(c.now, notes)
	c.emit(told)
	c.resetAppend()
	c.changed = true
}

func (c *Core) onAppendFailed(err error) {
	a := &c.append
	refusal := storageRefusal(err)
	for i := len(a.undo) - 1; i >= 0; i-- {
		a.undo[i]()
	}
	for _, g := range a.writing {
		if g.pack != nil {
			g.tickets = Draft{Ticket: g.pack.Ticket, Pack: g.pack}.tickets()
		}
		c.rejectAll(g.tickets, refusal)
	}
	c.resetAppend()
}

func (c *Core) resetAppend() {
	a := &c.append
	a.token, a.writing, a.bytes, a.marks, a.undo, a.doubt = 0, nil, 0, nil, nil, nil
	for _, d := range a.waiting {
		a.bytes += d.size()
	}
}
