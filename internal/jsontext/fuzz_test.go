package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// The reader comes to an end on any text, without a panic; what is JSON (and not deeper than 256) it reads whole.
func FuzzReader(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2.5e3,true,null,"\u5bff\n"]}`, `[[[{}]]]`, `"\ud83c\udf63"`, `"\`, `{"a":`, `[1,]`, "\"\x01\"", `-`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := New(text)
		err := r.Skip()
		require.LessOrEqual(t, r.Pos(), len(text))
		if err == nil {
			err = r.End()
		}
		if err != nil {
			require.ErrorIs(t, err, ErrSyntax)
			if json.Valid(text) {
				require.Greater(t, strings.Count(string(text), "[")+strings.Count(string(text), "{"), maxDepth, "is JSON: %q", text)
			}
		}
		for _, read := range []func(r *Reader) error{
			func(r *Reader) error { _, err := r.String(); return err },
			func(r *Reader) error { _, err := r.Int(); return err },
			func(r *Reader) error { return r.Object(func([]byte) error { return r.Skip() }) },
			func(r *Reader) error { return r.Array(r.Skip) },
		} {
			r := New(text)
			if err := read(r); err != nil {
				require.ErrorIs(t, err, ErrSyntax)
			}
			require.LessOrEqual(t, r.Pos(), len(text))
		}
	})
}

// Unescape resolves what encoding/json resolves, and AppendString writes what both read back.
func FuzzUnescape(f *testing.F) {
	for _, text := range []string{``, `plain`, `\"\\\/\b\f\n\r\t`, `\u5bff\ud83c\udf63`, `\ud83c`, `\udf63x`, `\ud83c\u0041`, `\x`, `\u12`, "\x80"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		quoted := append(append([]byte{'"'}, raw...), '"')
		got, err := Unescape(raw)
		var want string
		if json.Unmarshal(quoted, &want) == nil && utf8.Valid(raw) {
			require.NoError(t, err, "%q", raw)
			require.Equal(t, want, got, "%q", raw)
		}
		if err == nil && utf8.ValidString(got) {
			var back string
			require.NoError(t, json.Unmarshal(AppendString(nil, got), &back))
			require.Equal(t, got, back)
		}
	})
}
