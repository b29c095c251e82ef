package jsontext

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// walk reads the whole of text and returns the error.
func walk(text string) error {
	r := New([]byte(text))
	if err := r.Skip(); err != nil {
		return err
	}
	return r.End()
}

func TestSkipReadsOneWholeValue(t *testing.T) {
	for _, text := range []string{`{}`, `[]`, `""`, `0`, `-1.5e+3`, `true`, `false`, `null`, ` [ 1 , "a" , { "b" : [ ] } ] `,
		"\t{\"a\":\r\n1}", `"\"\\\/\b\f\n\r\té"`, `"寿司 🍣"`, `{"":"","":""}`, strings.Repeat("[", 256) + strings.Repeat("]", 256)} {
		require.True(t, json.Valid([]byte(text)), text)
		require.NoError(t, walk(text), text)
	}
	for _, text := range []string{``, ` `, `{`, `}`, `[`, `]`, `[1`, `[1,]`, `[,1]`, `[1 2]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`,
		`{"a":1 "b":2}`, `"`, `"a`, `"\`, `"\"`, "\"\n\"", "\"\x00\"", `tru`, `True`, `nul`, `nulll`, `x`, `1 2`, `{}{}`, `'a'`,
		strings.Repeat("[", 257) + strings.Repeat("]", 257), strings.Repeat("[", 1e6), strings.Repeat(`{"a":`, 1e5)} {
		require.ErrorIs(t, walk(text), ErrSyntax, "%.40s", text)
	}
}

// The reader says where it stopped, in bytes.
func TestPosIsTheByteOfTheError(t *testing.T) {
	for text, want := range map[string]int{`{"a":1,"b":tru}`: 11, `[1,2`: 4, "\"寿\n\"": 4, `{"a" 1}`: 5} {
		r := New([]byte(text))
		require.ErrorIs(t, r.Skip(), ErrSyntax, text)
		require.Equal(t, want, r.Pos(), text)
	}
}

func TestObjectAndArrayVisitInOrder(t *testing.T) {
	r := New([]byte(`{"a": [1, -2, 3], "b\n": "x", "c": {"d": null}}`))
	var seen []string
	require.NoError(t, r.Object(func(key []byte) error {
		seen = append(seen, string(key))
		switch string(key) {
		case "a":
			var sum int64
			err := r.Array(func() error {
				n, err := r.Int()
				sum += n
				return err
			})
			require.Equal(t, int64(2), sum)
			return err
		case `b\n`: // raw, escapes kept
			s, err := r.String()
			require.Equal(t, "x", s)
			return err
		}
		return r.Skip()
	}))
	require.NoError(t, r.End())
	require.Equal(t, []string{"a", `b\n`, "c"}, seen)
}

func TestIntIsAWholeNumber(t *testing.T) {
	for text, want := range map[string]int64{`0`: 0, `-7`: -7, `9223372036854775807`: 9223372036854775807} {
		n, err := New([]byte(text)).Int()
		require.NoError(t, err, text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{`1.5`, `1e3`, `9223372036854775808`, `"1"`, `-`, ``, `null`} {
		_, err := New([]byte(text)).Int()
		require.ErrorIs(t, err, ErrSyntax, text)
	}
}

func TestStringResolvesEscapes(t *testing.T) {
	for text, want := range map[string]string{
		`"plain"`: "plain", `"\"\\\/"`: `"\/`, `"\b\f\n\r\t"`: "\b\f\n\r\t", `"\u5bff"`: "寿", `"\ud83c\udf63"`: "🍣", `"\uD83C\uDF63"`: "🍣",
		`"\ud83c"`: "\ufffd", `"\ud83cx"`: "\ufffdx", `"\udf63\ud83c"`: "\ufffd\ufffd", `"\ud83cA"`: "\ufffdA", `"\u0000"`: "\x00",
	} {
		s, err := New([]byte(text)).String()
		require.NoError(t, err, text)
		require.Equal(t, want, s, text)
	}
	for _, text := range []string{`"\x"`, `"\u12"`, `"\u12g4"`, `"\u+123"`, `"\u 123"`, `"\u"`, `x`} {
		_, err := New([]byte(text)).String()
		require.ErrorIs(t, err, ErrSyntax, text)
	}
}

// What the writer writes, encoding/json reads as the same values.
func TestWriterWritesJSON(t *testing.T) {
	var w Writer
	w.Open('{')
	w.IntField("n", -9223372036854775808)
	w.StringField("text", "\"\\\x00\x1f\n</script>寿🍣")
	w.BoolField("yes", true)
	w.BoolField("no", false)
	w.StringField("{", "[")
	w.Name("list")
	w.Open('[')
	w.Open('{')
	w.Close('}')
	w.Open('[')
	w.Close(']')
	w.Int(1)
	w.String(":")
	w.String("")
	w.Raw([]byte(`null`))
	w.Close(']')
	w.Name("last")
	w.Raw([]byte(`{}`))
	w.Close('}')
	var got any
	require.NoError(t, json.Unmarshal(w.Text, &got), "%s", w.Text)
	require.Equal(t, map[string]any{"n": float64(-9223372036854775808), "text": "\"\\\x00\x1f\n</script>寿🍣", "yes": true, "no": false,
		"{": "[", "list": []any{map[string]any{}, []any{}, float64(1), ":", "", nil}, "last": map[string]any{}}, got)
}
