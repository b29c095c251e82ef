package evernote

import (
	"errors"
	"strconv"

	"github.com/liff-keep/liff-keep/outbox"
)

// ErrNotOurs says that a note's content was not written by this package, or was changed since.
var ErrNotOurs = errors.New("not the content of a batch")

// EncodeRead asks for a note with its content and its resources, in one call (E6.3).
func (s Service) EncodeRead(token, guid string) outbox.Request {
	return s.request(getNote(token, guid))
}

// DecodeRead reads a reply to EncodeRead; the note is whole when the outcome is Accepted.
func (s Service) DecodeRead(r outbox.Reply) (Note, outbox.Outcome) {
	var n Note
	o := s.result(r, "getNote", func(in *reader) { n = readNote(in) })
	if o.Cause != outbox.Accepted {
		n = Note{}
	}
	return n, o
}

// Unpack returns the JSON of each event of a note's content, byte for byte as it was sealed.
func Unpack(content string) ([][]byte, error) {
	if len(content) < len(enmlHead)+len(enmlTail) || content[:len(enmlHead)] != enmlHead ||
		content[len(content)-len(enmlTail):] != enmlTail {
		return nil, ErrNotOurs
	}
	rest := content[len(enmlHead) : len(content)-len(enmlTail)]
	var events [][]byte
	for line := 0; rest != ""; line++ {
		if len(rest) < len(divOpen) || rest[:len(divOpen)] != divOpen {
			return nil, ErrNotOurs
		}
		end := indexOf(rest, divClose)
		if end < 0 {
			return nil, ErrNotOurs
		}
		text := rest[len(divOpen):end]
		rest = rest[end+len(divClose):]
		if line == 0 || len(text) > 0 && text[0] == '<' { // the heading, a medium
			continue
		}
		event, ok := unescape(text)
		if !ok {
			return nil, ErrNotOurs
		}
		events = append(events, event)
	}
	return events, nil
}

func indexOf(text, part string) int {
	for i := 0; i+len(part) <= len(text); i++ {
		if text[i:i+len(part)] == part {
			return i
		}
	}
	return -1
}

// unescape undoes appendJSON.
func unescape(text string) (out []byte, ok bool) {
	slash := false // the byte before is a backslash that escapes this one
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '&':
			end := i + 1
			for end < len(text) && text[end] != ';' {
				end++
			}
			if end == len(text) {
				return nil, false
			}
			c, known := entity(text[i+1 : end])
			if !known {
				return nil, false
			}
			out, i, slash = append(out, c), end, false
		case text[i] == '<':
			return nil, false
		case slash && i+5 <= len(text) && text[i:i+5] == escapedFFFE[1:]:
			out, i, slash = append(out[:len(out)-1], "\ufffe"...), i+4, false
		case slash && i+5 <= len(text) && text[i:i+5] == escapedFFFF[1:]:
			out, i, slash = append(out[:len(out)-1], "\uffff"...), i+4, false
		default:
			slash = text[i] == '\\' && !slash
			out = append(out, text[i])
		}
	}
	return out, true
}

func entity(name string) (byte, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	}
	if len(name) > 1 && name[0] == '#' {
		n, err := strconv.ParseUint(name[1:], 10, 7)
		return byte(n), err == nil
	}
	return 0, false
}
