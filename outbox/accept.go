package outbox

import (
	"strconv"
	"time"
)

// maxVersions bounds how often a note is written again after conflicts before it becomes a dead letter (L7.2).
const maxVersions = 5

// accept: the service judged each note.
func (s *settlement) accept(e Replied) {
	c := s.c
	delivered := 0
	s.row.sums.Text = make([]byte, 0, len(s.out.Verdicts)*storedBytes)
	for i, v := range s.out.Verdicts {
		entry := s.sent.Entries[i]
		if v.State == Conflict && entry.Kind == Note {
			s.conflict(entry)
			continue
		}
		delivered++
		s.change.DropMedia = append(s.change.DropMedia, mediaIDs(entry)...)
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
		if relayed(s.bucket) {
			b.relayed += delivered
		}
		if s.out.Cursor != "" {
			b.cursor = s.out.Cursor
		}
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

// record is the batch for the archive: without its media, as their blobs are gone; a note that is sent again names what the service has.
func (s *settlement) record() BatchRecord {
	if sealed := s.c.send.record; sealed.ID == s.sent.ID && s.batch.media == 0 {
		return sealed
	}
	kept := s.sent
	kept.Entries = append([]Entry(nil), kept.Entries...)
	for i := range kept.Entries {
		kept.Entries[i].Media = nil
	}
	return encodeBatch(kept)
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
	s.change.Archive = []ArchiveRecord{{c.now.UnixMilli(), s.record()}}
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
