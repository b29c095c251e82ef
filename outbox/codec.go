package outbox

import (
	"bytes"
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// A head is text, one line an entry, fields parted by tabs; the bodies stand behind each other in the record's Body:
//
//	seq  index  kind  messages  at(unix ms)  size(bytes)  version  noteId  key  [mark  [media]]
//
// media is the list as it stands in the note (media.go), JSON without a tab; there is no field without media.
// In a fresh open segment seq is 0: the store numbers segments only when it writes them. A batch's head starts with one
// more line (batch.go). Text, because a person who looks into the database can read it.

// appendHead appends the line of e.
func appendHead(dst []byte, e Entry) []byte {
	dst = strconv.AppendUint(dst, e.Seq, 10)
	dst = append(dst, '\t')
	dst = strconv.AppendInt(dst, int64(e.Index), 10)
	dst = append(dst, '\t', byte(e.Kind), '\t')
	dst = strconv.AppendInt(dst, int64(e.Messages), 10)
	dst = append(dst, '\t')
	dst = strconv.AppendInt(dst, e.At.UnixMilli(), 10)
	dst = append(dst, '\t')
	dst = strconv.AppendInt(dst, int64(len(e.Raw)), 10)
	dst = append(dst, '\t')
	dst = strconv.AppendInt(dst, int64(e.Version), 10)
	dst = append(dst, '\t')
	dst = append(dst, e.NoteID...)
	dst = append(dst, '\t')
	dst = append(dst, e.Key...)
	if e.Mark != "" || len(e.Media) > 0 {
		dst = append(append(dst, '\t'), e.Mark...)
	}
	if len(e.Media) > 0 {
		dst = append(append(dst, '\t'), mediaText(e.Media)...)
	}
	return append(dst, '\n')
}

// headBytes is a little more than the line of an entry without a key.
const headBytes = 80

// encodeSegment makes the record of entries.
func encodeSegment(seq uint64, entries []Entry) Segment {
	s := Segment{Seq: seq}
	size := 0
	for _, e := range entries {
		size += len(e.Raw)
	}
	s.Body = make([]byte, 0, size)
	s.Head = make([]byte, 0, len(entries)*headBytes)
	for _, e := range entries {
		s.Head = appendHead(s.Head, e)
		s.Body = append(s.Body, e.Raw...)
	}
	return s
}

// decodeEntries reads a head, and the bodies when body is not nil. A seq of 0 in the head stands for the record's own.
// Raw points into body. sizes[i] is the length in bytes of entry i. It answers ErrDamaged when head and body disagree.
func decodeEntries(seq uint64, head, body []byte) (entries []Entry, sizes []int, err error) {
	if n := bytes.Count(head, []byte{'\n'}); n > 0 {
		entries, sizes = make([]Entry, 0, n), make([]int, 0, n)
	}
	for len(head) > 0 {
		line, rest, ok := jsontext.CutByte(head, '\n')
		if !ok {
			return nil, nil, ErrDamaged
		}
		head = rest
		f := fields{rest: line}
		e := Entry{Seq: uint64(f.number()), Index: int(f.number())}
		kind := f.text()
		e.Messages, e.At = int(f.number()), time.UnixMilli(f.number())
		size := int(f.number())
		e.Version = int(f.number())
		e.NoteID, e.Key = f.text(), f.text()
		if !f.done {
			e.Mark = f.text()
		}
		if !f.done {
			var ok bool
			e.Media, ok = parseMedia(f.next())
			f.bad = f.bad || !ok || !f.done
		}
		if f.bad || len(kind) != 1 || size < 0 || int64(e.Seq) < 0 || e.Index < 0 || e.Messages < 0 || e.Version < 0 {
			return nil, nil, ErrDamaged
		}
		e.Kind = Kind(kind[0])
		if e.Seq == 0 {
			e.Seq = seq
		}
		if body != nil {
			if size > len(body) {
				return nil, nil, ErrDamaged
			}
			e.Raw, body = body[:size:size], body[size:]
		}
		entries, sizes = append(entries, e), append(sizes, size)
	}
	if len(body) > 0 {
		return nil, nil, ErrDamaged
	}
	return entries, sizes, nil
}

// fields reads the tab-parted fields of one line.
type fields struct {
	rest []byte
	done bool
	bad  bool
}

func (f *fields) next() []byte {
	if f.done {
		f.bad = true
		return nil
	}
	field, rest, more := jsontext.CutByte(f.rest, '\t')
	f.rest, f.done = rest, !more
	return field
}

func (f *fields) text() string { return string(f.next()) }

func (f *fields) number() int64 {
	n, err := strconv.ParseInt(string(f.next()), 10, 64)
	f.bad = f.bad || err != nil
	return n
}
