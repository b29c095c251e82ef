package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// deadRecord keeps a note that the service will not take: head is one line of JSON for people, then the entry's line.
func deadRecord(e Entry, code Code, reason string, o Outcome, now time.Time) DeadRecord {
	var w jsontext.Writer
	w.Open('{')
	w.StringField("id", e.ID())
	w.StringField("noteId", e.NoteID)
	w.StringField("code", string(code))
	w.StringField("message", reason)
	w.IntField("status", int64(o.Status))
	w.StringField("requestId", o.RequestID)
	w.IntField("at", now.UnixMilli())
	w.IntField("bytes", int64(len(e.Raw)))
	w.Close('}')
	head := append(w.Text, '\n')
	return DeadRecord{ID: e.ID(), Head: appendHead(head, e), Body: e.Raw}
}

// DeadInfo returns the JSON object of a dead letter: id, noteId, code, message, status, requestId, at (unix ms), bytes.
func DeadInfo(d DeadRecord) []byte {
	info, _, _ := jsontext.CutByte(d.Head, '\n')
	return info
}

// Named says whether the dead letter has this id, or this noteId: a receipt of the page's inbox has no other name.
func (d DeadRecord) Named(id string) bool {
	if d.ID == id {
		return true
	}
	entries, _, _ := decodeEntries(0, afterLine(d.Head), nil)
	return len(entries) == 1 && entries[0].NoteID == id
}

// deadSize is the size of the note and its media, also when only the head was read.
func deadSize(d DeadRecord) int64 {
	entries, sizes, err := decodeEntries(0, afterLine(d.Head), nil)
	if err != nil || len(sizes) != 1 {
		return int64(len(d.Body))
	}
	return int64(sizes[0]) + mediaBytes(entries[0].Media)
}

// onDeadAsked sends a dead letter again, under its old noteId, or discards it: the page's decision, kept in the ledger.
//
// A decision that waited while another page had the lead is not carried out: that one may have been asked the same, and the
// record in hand is no longer known to be there.
func (c *Core) onDeadAsked(e DeadAsked) {
	asked := c.session
	c.send.control = append(c.send.control, func() {
		if c.session != asked {
			c.reject(e.Ticket, refuse(Internal, "another page sent meanwhile: look at dead.list(), and call it again if the dead letter is still there"))
			return
		}
		entries, _, err := decodeEntries(0, afterLine(e.Record.Head), e.Record.Body)
		if err != nil || len(entries) != 1 {
			c.reject(e.Ticket, refuse(InvalidEvent, "no dead letter has this id"))
			return
		}
		entry := entries[0]
		row := ledgerRow{at: c.now, kind: "retried", notes: 1, messages: entry.Messages, bytes: len(entry.Raw), died: []string{entry.ID()}}
		ch := Change{DropDead: []string{e.Record.ID}}
		size := deadSize(e.Record)
		entry.At = c.now
		if e.Discard {
			row.kind = "discarded"
			ch.DropMedia = mediaIDs(entry)
		} else {
			again := entry
			again.Seq, again.Index = 0, 0
			ch.Append = []Segment{encodeSegment(0, []Entry{again})}
		}
		ch.Ledger = c.row(row)
		c.write(ch, c.batches, func(b *books) {
			b.wrote(ch.Ledger[0].At)
			b.dead, b.deadBytes = b.dead-1, b.deadBytes-size
			if e.Discard {
				b.discarded++
			}
		}, func(seqs []uint64) {
			receipt := Receipt{Ticket: e.Ticket, ID: entry.ID(), NoteID: entry.NoteID, Bytes: len(entry.Raw), At: c.now}
			if len(seqs) > 0 {
				entry.Seq, entry.Index = seqs[0], 0
				receipt.ID = entry.ID()
				c.open.written(seqs[0], []Entry{entry})
			}
			c.emit(Acknowledge{Receipts: []Receipt{receipt}})
		})
		c.send.asked = e.Ticket
	})
}
