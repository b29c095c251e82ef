package evernote

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/liff-keep/liff-keep/outbox"
)

const (
	enmlHead = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE en-note SYSTEM "http://xml.evernote.com/pub/enml2.dtd"><en-note>`
	enmlTail = `</en-note>`
)

// appendENML writes the content of the note that carries b (E2.1): a heading, then one <div> an event with the event's
// JSON as text, and below it a line for each medium.
//
//	<div>liff-keep 1 · i-7 · 2 events</div>
//	<div>{&quot;noteId&quot;:&quot;k1&quot;,…}</div>
//	<div><en-media type="audio/mp4" hash="9e107d9d372bb6826bd81d3542a419d6"/></div>
//
// XML cannot hold every character that JSON can; see appendJSON.
func appendENML(dst []byte, b outbox.Batch) []byte {
	dst = append(dst, enmlHead+"<div>liff-keep 1 · "...)
	dst = appendXML(dst, b.Name)
	dst = append(dst, " · "...)
	dst = strconv.AppendInt(dst, int64(len(b.Entries)), 10)
	dst = append(dst, " events</div>"...)
	for _, e := range b.Entries {
		dst = append(dst, divOpen...)
		dst = appendJSON(dst, e.Raw)
		dst = append(dst, divClose...)
		for _, m := range e.Media {
			dst = append(dst, `<div><en-media type="`...)
			dst = append(dst, mime(m.Type)...)
			dst = append(dst, `" hash="`...)
			dst = appendXML(dst, m.Sum)
			dst = append(dst, `"/></div>`...)
		}
	}
	return append(dst, enmlTail...)
}

const (
	divOpen  = "<div>"
	divClose = "</div>"
)

// appendJSON writes JSON text as character data, so that a reader of XML gets back the very bytes. Two characters that JSON
// may hold as they are cannot stand in XML, U+FFFE and U+FFFF. They are written as JSON's own escape, which is the same
// text, in a spelling that nobody else uses, \ufFfE and \ufFfF: so the bytes can be had back, too.
func appendJSON(dst, text []byte) []byte { return appendChars(dst, text, true) }

// appendXML writes plain text; what XML forbids becomes U+FFFD.
func appendXML(dst []byte, text string) []byte { return appendChars(dst, []byte(text), false) }

func appendChars(dst, text []byte, json bool) []byte {
	for i := 0; i < len(text); {
		c, n := utf8.DecodeRune(text[i:])
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, "&quot;"...)
		case c == '\'':
			dst = append(dst, "&#39;"...)
		case c == '\r': // as it is, an XML reader would make it a line feed
			dst = append(dst, "&#13;"...)
		case json && c == 0xfffe:
			dst = append(dst, escapedFFFE...)
		case json && c == 0xffff:
			dst = append(dst, escapedFFFF...)
		case forbidden(c), c == utf8.RuneError: // the latter is a byte that is no UTF-8, or U+FFFD itself
			dst = append(dst, "\ufffd"...)
		default:
			dst = append(dst, text[i:i+n]...)
		}
		i += n
	}
	return dst
}

const (
	escapedFFFE = `\ufFfE`
	escapedFFFF = `\ufFfF`
)

// forbidden says what XML 1.0 has no room for. JSON holds the control characters escaped only.
func forbidden(c rune) bool {
	return c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff
}

const (
	maxTitle     = 255 // characters; counted in UTF-16 units, the stricter way
	defaultTitle = "liff-keep"
)

// titleOf names the note for people: what the page calls it, when it was sealed, how many events.
func (s Service) titleOf(b outbox.Batch) string {
	name := s.Title
	if name == "" {
		name = defaultTitle
	}
	tail := " " + stamp(b.SealedAt) + " (" + strconv.Itoa(len(b.Entries)) + ")" // 25 characters and more
	return cutTitle(name, maxTitle-len(tail)) + tail
}

// stamp is the time as 2026-11-25 01:48Z; Time.Format would add its whole formatter to the module.
func stamp(t time.Time) string {
	t = t.UTC()
	two := func(n int) string { return strconv.Itoa(100 + n)[1:] }
	return strconv.Itoa(t.Year()) + "-" + two(int(t.Month())) + "-" + two(t.Day()) + " " + two(t.Hour()) + ":" + two(t.Minute()) + "Z"
}

// cutTitle makes text fit to stand in a title, at most limit UTF-16 units long: no control characters and line or paragraph
// separators, no separator at either end. Nothing left is the default title.
func cutTitle(text string, limit int) string {
	out := make([]byte, 0, len(text))
	units, kept := 0, 0
	for _, c := range text {
		switch {
		case c < 0x20 || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029:
			c = ' '
		case forbidden(c):
			c = utf8.RuneError
		}
		if separator(c) && len(out) == 0 {
			continue
		}
		if units++; c > 0xffff {
			units++
		}
		if units > limit {
			break
		}
		out = utf8.AppendRune(out, c)
		if !separator(c) {
			kept = len(out)
		}
	}
	if kept == 0 {
		return defaultTitle
	}
	return string(out[:kept])
}

// separator says what Unicode's category Z holds.
func separator(c rune) bool {
	switch {
	case c == ' ', c == 0xa0, c == 0x1680, c >= 0x2000 && c <= 0x200a, c == 0x2028, c == 0x2029, c == 0x202f, c == 0x205f, c == 0x3000:
		return true
	}
	return false
}

// mime returns a type as Evernote takes it, TYPE/SUBTYPE without parameters and at most 255 characters; anything else is a
// file of bytes.
func mime(text string) string {
	const other = "application/octet-stream"
	slash := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		switch {
		case letter:
		case c == '/' && slash == 0 && i > 0:
			slash = i
		case slash > 0 && (c >= '0' && c <= '9' || c == '.' || c == '_' || c == '+' || c == '-'):
		case (c == ';' || c == ' ') && slash > 0 && i > slash+1 && i <= 255:
			return text[:i]
		default:
			return other
		}
	}
	if slash == 0 || slash == len(text)-1 || len(text) > 255 {
		return other
	}
	return text
}
