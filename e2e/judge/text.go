// Package judge decides whether what a server stored is what a page was given.
// It shares no code with the product: it has a JSON reader of its own where the
// standard one is too kind (lone surrogates all decode to the same character
// there, so a change of one would go unseen).
package judge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is a JSON string, decoded: UTF-8, in which a lone surrogate keeps its own
// three bytes. Two Texts are equal exactly when JavaScript calls the strings equal.
type Text string

// UnmarshalJSON decodes one JSON string; the error says what is no string.
func (t *Text) UnmarshalJSON(raw []byte) error {
	decoded, err := decodeText(raw)
	if err != nil {
		return err
	}
	*t = decoded
	return nil
}

// MarshalJSON writes the text for a report; lone surrogates become the replacement character.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(string(t)) }

func decodeText(raw []byte) (Text, error) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", fmt.Errorf("not a JSON string: %.40s", raw)
	}
	raw = raw[1 : len(raw)-1]
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		if i+1 >= len(raw) {
			return "", fmt.Errorf("ends in an escape: %.40s", raw)
		}
		if raw[i+1] != 'u' {
			out = append(out, simpleEscape(raw[i+1]))
			i += 2
			continue
		}
		unit, err := codeUnit(raw, i)
		if err != nil {
			return "", err
		}
		i += 6
		if utf16.IsSurrogate(unit) {
			// a pair makes one character; only the second half of a pair may join it
			if low, err := codeUnit(raw, i); err == nil {
				if whole := utf16.DecodeRune(unit, low); whole != utf8.RuneError {
					out = utf8.AppendRune(out, whole)
					i += 6
					continue
				}
			}
			out = append(out, 0xE0|byte(unit>>12), 0x80|byte(unit>>6)&0x3F, 0x80|byte(unit)&0x3F)
			continue
		}
		out = utf8.AppendRune(out, unit)
	}
	return Text(out), nil
}

// codeUnit reads the escape of six bytes at i.
func codeUnit(raw []byte, i int) (rune, error) {
	if i+6 > len(raw) || raw[i] != '\\' || raw[i+1] != 'u' {
		return 0, fmt.Errorf("no \\u escape at byte %d", i)
	}
	unit, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16)
	if err != nil {
		return 0, fmt.Errorf("bad \\u escape at byte %d: %w", i, err)
	}
	return rune(unit), nil
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // quote, backslash, slash stand for themselves
		return c
	}
}
