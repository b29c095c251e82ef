package outbox

import (
	"strconv"
	"time"
)

// A pack is a run of plain events of one turn whose texts stay where the page has them: the page has judged them with less
// than inspect would spend on them (web/src/packs.js), so the core needs their sums alone, names them by counting, and the
// store's edge writes what encodeSegment would. It becomes one segment, and an event of it an Entry only where that is rare:
// on a full queue, in a parting shot, when a write is in doubt.

// Texts are the events of a pack, which never change.
type Texts interface {
	// Text is event i as JSON, and how many messages it has; nil when the page has let go of it.
	Text(i int) (text []byte, messages int)
}

// Pack is such a run. Value. The page gives its sums, the core the names: event i is the note Session-(First+i), the
// number to base 36.
type Pack struct {
	Texts    Texts
	Ticket   uint32 // of the first event; they count up
	Notes    int    // at most segmentNotes
	Messages int
	Bytes    int64 // of all texts, at most segmentBytes unless it is a single event
	Session  string
	First    uint64
	At       time.Time // of the append
}

// named is p under the next names.
func (c *Core) named(p Pack) *Pack {
	p.Session, p.First, p.At = c.session, c.noteN+1, c.now
	c.noteN += uint64(p.Notes)
	return &p
}

// noteName is the nth name of a session.
func noteName(session string, n uint64) string { return session + "-" + strconv.FormatUint(n, 36) }

// size is how many bytes the notes have, names included.
func (p *Pack) size() int64 {
	size := p.Bytes + int64(p.Notes*(len(notePrefix)+len(p.Session)+len(`-",`)-len("{")))
	for n := p.First; n < p.First+uint64(p.Notes); n++ {
		for rest := n; ; rest /= 36 {
			size++
			if rest < 36 {
				break
			}
		}
	}
	return size
}

// entry is event i as it stands on disk; Raw is nil when the page has let go of the text.
func (p *Pack) entry(i int) Entry {
	text, messages := p.Texts.Text(i)
	e := Entry{Index: i, Kind: Note, NoteID: noteName(p.Session, p.First+uint64(i)), Messages: messages, At: p.At}
	if len(text) > 0 {
		e.Raw = splice(e.NoteID, text)
	}
	return e
}

func (p *Pack) entries() []Entry {
	list := make([]Entry, p.Notes)
	for i := range list {
		list[i] = p.entry(i)
	}
	return list
}

// drafts are its events one by one.
func (p *Pack) drafts() []Draft {
	list := make([]Draft, p.Notes)
	for i := range list {
		text, _ := p.Texts.Text(i)
		list[i] = Draft{Ticket: p.Ticket + uint32(i), Kind: Note, Text: text}
	}
	return list
}

// Encoded is the segment with the bytes that stand on disk: of a pack, those that the browser's store makes by itself.
func (s Segment) Encoded() Segment {
	if s.Pack == nil {
		return s
	}
	return encodeSegment(s.Seq, s.Pack.entries())
}

// WrittenPack is a pack on disk: its receipts.
type WrittenPack struct {
	Pack *Pack
	Seq  uint64
}

// All lists every receipt, those of packs too.
func (a Acknowledge) All() []Receipt {
	list := a.Receipts
	for _, w := range a.Packs {
		for i, e := range w.Pack.entries() {
			e.Seq = w.Seq
			list = append(list, Receipt{Ticket: w.Pack.Ticket + uint32(i), ID: e.ID(), NoteID: e.NoteID, Bytes: len(e.Raw), At: e.At})
		}
	}
	return list
}
