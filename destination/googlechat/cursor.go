package googlechat

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// The cursor of a batch holds what its uploads were answered: its name and their tokens in order, each escaped as in an
// address, with commas between. One that begins with another batch's name is left over, and says nothing.
//
//	i-7,AATT%2Bx,AATT%2By

// uploaded returns the tokens in a cursor of b, in order of the uploads.
func uploaded(b outbox.Batch, cursor string) (tokens []string) {
	name, rest, more := jsontext.CutByte(cursor, ',')
	if name != escape(b.Name) {
		return nil
	}
	for more {
		var token string
		token, rest, more = jsontext.CutByte(rest, ',')
		tokens = append(tokens, unescape(token))
	}
	return tokens
}

// withToken returns the cursor with the answer to an upload; one to an upload that is repeated takes the old one's place.
func withToken(b outbox.Batch, cursor string, upload int, token string) string {
	tokens := uploaded(b, cursor)
	out := escape(b.Name)
	for _, t := range append(tokens[:min(upload, len(tokens))], token) {
		out += "," + escape(t)
	}
	return out
}

// escape is encodeURIComponent; net/url would bring more than it does.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			out = append(out, c)
			continue
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	return string(out)
}

// unescape undoes escape; what escape never wrote stays as it is.
func unescape(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && digit(s[i+1]) < 16 && digit(s[i+2]) < 16 {
			out = append(out, digit(s[i+1])<<4|digit(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
