// Package jsontext reads JSON text without building values and without reflection: encoding/json would add 131 kB to the
// compressed module. It serves two readers: the check of an event at append, and the decoding of small replies.
package jsontext

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// ErrSyntax is the answer to text that is no JSON; Reader.Pos says where.
var ErrSyntax = errors.New("not JSON")

// maxDepth bounds recursion: a reply or an event nested deeper is refused as ErrSyntax.
const maxDepth = 256

// Reader walks one JSON text from left to right. Value of the caller's goroutine.
type Reader struct {
	data  []byte
	pos   int
	depth int
}

// New reads from data, which must not change meanwhile.
func New(data []byte) *Reader { return &Reader{data: data} }

// Pos is the offset in bytes of the next unread byte.
func (r *Reader) Pos() int { return r.pos }

// Peek returns the first byte of the next value without reading it: one of { [ " t f n - 0…9, or 0 at the end.
func (r *Reader) Peek() byte {
	if r.pos < len(r.data) && r.data[r.pos] > ' ' { // as JSON.stringify writes it
		return r.data[r.pos]
	}
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// End returns ErrSyntax when anything but white space is left.
func (r *Reader) End() error {
	if r.Peek() != 0 || r.pos < len(r.data) {
		return ErrSyntax
	}
	return nil
}

func (r *Reader) take(c byte) bool {
	if r.pos < len(r.data) && r.data[r.pos] == c || r.Peek() == c { // mostly there is no white space
		r.pos++
		return true
	}
	return false
}

// Object reads an object; field is called with each raw key (escapes kept) and must read or Skip the value.
func (r *Reader) Object(field func(key []byte) error) error {
	return r.list('{', '}', func() error {
		key, err := r.RawString()
		if err != nil {
			return err
		}
		if !r.take(':') {
			return ErrSyntax
		}
		return field(key)
	})
}

// Array reads an array; element is called before each value and must read or Skip it.
func (r *Reader) Array(element func() error) error { return r.list('[', ']', element) }

func (r *Reader) list(open, close byte, item func() error) error {
	if !r.take(open) {
		return ErrSyntax
	}
	if r.depth++; r.depth > maxDepth {
		return ErrSyntax
	}
	defer func() { r.depth-- }()
	if r.take(close) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if r.take(close) {
			return nil
		}
		if !r.take(',') {
			return ErrSyntax
		}
	}
}

// RawString reads a string and returns the bytes between the quotes, escapes kept.
func (r *Reader) RawString() ([]byte, error) {
	if !r.take('"') {
		return nil, ErrSyntax
	}
	start, data := r.pos, r.data
	for i := start; i < len(data); i++ {
		c := data[i]
		if c != '"' && c != '\\' && c >= 0x20 { // nearly all of a text
			continue
		}
		switch {
		case c == '"':
			r.pos = i + 1
			return data[start:i], nil
		case c == '\\':
			if i++; i >= len(data) || !escape(data[i:]) {
				r.pos = i
				return nil, ErrSyntax
			}
		default:
			r.pos = i
			return nil, ErrSyntax
		}
	}
	r.pos = len(r.data)
	return nil, ErrSyntax
}

// String reads a string and resolves its escapes.
func (r *Reader) String() (string, error) {
	raw, err := r.RawString()
	if err != nil {
		return "", err
	}
	return Unescape(raw)
}

// escape says whether b, behind a backslash, is an escape of JSON.
func escape(b []byte) bool {
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		_, ok := hex4(b[1:])
		return ok
	}
	return false
}

// RawNumber reads a number and returns its text.
func (r *Reader) RawNumber() ([]byte, error) {
	r.Peek()
	start := r.pos
	r.sign("-")
	if r.at('0') {
		r.pos++
	} else if !r.digits() {
		return nil, ErrSyntax
	}
	if r.at('.') {
		if r.pos++; !r.digits() {
			return nil, ErrSyntax
		}
	}
	if r.at('e') || r.at('E') {
		r.pos++
		r.sign("+-")
		if !r.digits() {
			return nil, ErrSyntax
		}
	}
	return r.data[start:r.pos], nil
}

func (r *Reader) at(c byte) bool { return r.pos < len(r.data) && r.data[r.pos] == c }

func (r *Reader) sign(which string) {
	for i := range len(which) {
		if r.at(which[i]) {
			r.pos++
			return
		}
	}
}

func (r *Reader) digits() bool {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > start
}

// Int reads a whole number.
func (r *Reader) Int() (int64, error) {
	raw, err := r.RawNumber()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, ErrSyntax
	}
	return n, nil
}

// Skip reads the next value, whatever it is.
func (r *Reader) Skip() error {
	switch r.Peek() {
	case '{':
		return r.Object(func([]byte) error { return r.Skip() })
	case '[':
		return r.Array(r.Skip)
	case '"':
		_, err := r.RawString()
		return err
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	default:
		_, err := r.RawNumber()
		return err
	}
}

func (r *Reader) word(w string) error {
	if len(r.data)-r.pos < len(w) || string(r.data[r.pos:r.pos+len(w)]) != w {
		return ErrSyntax
	}
	r.pos += len(w)
	return nil
}

// Unescape resolves the escapes of a raw string; a lone surrogate becomes U+FFFD.
func Unescape(raw []byte) (string, error) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		if i++; i >= len(raw) {
			return "", ErrSyntax
		}
		switch c := raw[i]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			hi, ok := hex4(raw[i+1:])
			if !ok {
				return "", ErrSyntax
			}
			i += 4
			if hi >= 0xd800 && hi < 0xdc00 && len(raw) > i+2 && raw[i+1] == '\\' && raw[i+2] == 'u' {
				if lo, ok := hex4(raw[i+3:]); ok && lo >= 0xdc00 && lo < 0xe000 {
					hi = 0x10000 + (hi-0xd800)<<10 + (lo - 0xdc00)
					i += 6
				}
			}
			out = utf8.AppendRune(out, hi)
		default:
			return "", ErrSyntax
		}
	}
	return string(out), nil
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var n rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// AppendString appends s as a JSON string, quotes included.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
