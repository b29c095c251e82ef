package outbox

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// Batch is a sealed batch: what one request carries. It is immutable: same entries, same bytes, same name on every try,
// over restarts (invariant 3). It is either notes, or one hide.
type Batch struct {
	ID       uint64 // its key in the store
	Name     string // "<install>-<id>", unique over devices; stands in the ledger
	SealedAt time.Time
	Replaced []string // ids of entries that later ones took the place of; for the ledger
	Entries  []Entry
	Steps    []Step // the requests it takes, as the destination planned them
	Cursor   string // that it was planned with
}

// Kind of all entries of the batch.
func (b Batch) Kind() Kind { return b.Entries[0].Kind }

// Messages counts the messages of all entries.
func (b Batch) Messages() (n int) {
	for _, e := range b.Entries {
		n += e.Messages
	}
	return n
}

// Bytes is the size of all notes together, without what a destination puts around them.
func (b Batch) Bytes() (n int) {
	for _, e := range b.Entries {
		n += len(e.Raw)
	}
	return n
}

func encodeBatch(b Batch) BatchRecord {
	head := append([]byte("batch\t"), b.Name...)
	head = append(head, '\t')
	head = strconv.AppendInt(head, b.SealedAt.UnixMilli(), 10)
	head = append(head, '\t')
	for i, id := range b.Replaced {
		if i > 0 {
			head = append(head, ' ')
		}
		head = append(head, id...)
	}
	if b.Cursor != "" || len(b.Steps) > 1 || len(b.Steps) == 1 && b.Steps[0] != oneStep[0] {
		head = append(append(append(head, '\t'), encodeSteps(b.Steps)...), '\t')
		head = jsontext.AppendString(head, b.Cursor)
	}
	head = append(head, '\n')
	s := encodeSegment(0, b.Entries)
	return BatchRecord{ID: b.ID, Head: append(head, s.Head...), Body: s.Body}
}

// DecodeBatch reads a batch record; without a Body the entries' Raw is nil. It answers ErrDamaged for anything else.
func DecodeBatch(r BatchRecord) (Batch, error) {
	line, rest, _ := jsontext.CutByte(r.Head, '\n')
	f := fields{rest: line}
	word := f.text()
	b := Batch{ID: r.ID, Name: f.text(), SealedAt: time.UnixMilli(f.number())}
	for ids := f.text(); ids != ""; {
		var id string
		id, ids, _ = jsontext.CutByte(ids, ' ')
		f.bad = f.bad || id == ""
		b.Replaced = append(b.Replaced, id)
	}
	b.Steps = oneStep
	if !f.done { // of a destination that takes more than one
		var steps, cursor bool
		b.Steps, steps = decodeSteps(f.next())
		b.Cursor, cursor = unquote(f.next())
		f.bad = f.bad || !steps || !cursor || !f.done
	}
	entries, _, err := decodeEntries(0, rest, r.Body)
	if err != nil || f.bad || word != "batch" || len(entries) == 0 {
		return Batch{}, ErrDamaged
	}
	b.Entries = entries
	return b, nil
}

// Limits are a destination's sizes, each a hard ceiling for one request.
type Limits struct {
	NoteBytes     int      // one note
	BatchBytes    int      // one whole body
	BatchNotes    int      // notes a request
	BatchMessages int      // messages a request; a lone note with more still goes, alone
	NoteOverhead  int      // bytes that the destination adds to a note in a body
	MediaBytes    int64    // one voice memo or picture; 0: the service takes none
	MediaTotal    int64    // all media of one note; 0: no limit of its own
	Copies        bool     // a note may go in two batches, the service knows its noteId: a parting shot may carry it
	UnheardBytes  int      // a larger request may be refused by a proxy in a way that looks like no network; 0: none is
	Forbid        []string // names or dotted paths of fields that may not be sent (L8.2)
}

// shrunk returns the limits after `by` answers of 413 in a row: each halves what a batch may hold (never below one note).
func (l Limits) shrunk(by int) Limits {
	l.BatchBytes = max(1, l.BatchBytes>>by)
	l.BatchNotes = max(1, l.BatchNotes>>by)
	l.BatchMessages = max(1, l.BatchMessages>>by)
	return l
}

// take counts how many of the leading entries fit one batch: at least one, whatever its size. full says that the batch
// can hold no more.
func (l Limits) take(entries []Entry) (n int, full bool) {
	var messages, size int
	for _, e := range entries {
		if n > 0 && (e.alone() || entries[0].alone() || n >= l.BatchNotes ||
			messages+e.Messages > l.BatchMessages || size+len(e.Raw)+l.NoteOverhead > l.BatchBytes) {
			return n, true
		}
		messages += e.Messages
		size += len(e.Raw) + l.NoteOverhead
		n++
	}
	return n, n >= l.BatchNotes || messages >= l.BatchMessages
}
