package evernote

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// The reader never reads past what is there and never makes anything larger than it, whatever sizes and counts it is told.
func FuzzThriftReader(f *testing.F) {
	f.Add(byte(12), st(field(11, 1, text("a")), field(15, 2, cat([]byte{12}, num(1), st()))))
	f.Add(byte(15), cat([]byte{3}, num(0x7fffffff), []byte("abc")))             // two billion bytes that are not there
	f.Add(byte(15), cat([]byte{12}, num(0x7fffffff)))                           // as many structs
	f.Add(byte(13), cat([]byte{11, 11}, num(-1)))                               // a negative count
	f.Add(byte(11), num(-2147483648))                                           // a negative length
	f.Add(byte(12), []byte("\x0c\x00\x01\x0c\x00\x01\x0c\x00\x01\x0c\x00\x01")) // structs in structs
	f.Add(byte(15), []byte("\x0f\x00\x00\x00\x01\x0f\x00\x00\x00\x01\x0f\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		r := &reader{data: data}
		r.skip(kind)
		require.LessOrEqual(t, r.pos, len(data))
		require.GreaterOrEqual(t, r.pos, 0)
		before := r.pos
		if r.bad {
			r.i32()
			r.text()
			require.Equal(t, before, r.pos, "nothing is read behind an error")
		}
	})
}

// Decode and its kin never fail, never accept what is no whole answer, never wait for a time that is no hint, and never
// leave a cursor that they cannot read.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"getSyncState", "createNote", "getFilteredSyncChunk", "getNote"} {
		text, err := undumpFile("testdata/" + name + ".reply.hex")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, "41", text)
	}
	f.Add(200, "1", reply("createNote", systemException(19, "x", 1<<31-1)))
	f.Add(200, "1", reply("createNote", userException(2, "Note.title"), notFound("a", "b")))
	f.Add(200, "5", chunk(9, 3, aNote("g", 1, "https://outbox.invalid/b/i-7")))
	f.Add(503, "", []byte("busy"))
	f.Add(0, "1", []byte(nil))
	b := batch(first, second)
	f.Fuzz(func(t *testing.T, status int, cursor string, body []byte) {
		r := answer(body)
		r.Status = status
		a := outbox.Attempt{Cursor: cursor}
		b.Steps = service.Plan(b, cursor)
		steps := len(b.Steps)
		for step := range steps {
			o := service.Decode(b, step, a, r)
			check(t, o, status)
			require.NotEqual(t, outbox.More, o.Cause)
			require.NotEqual(t, outbox.Absent, o.Cause)
			require.Equal(t, step == steps-1 && o.Cause == outbox.Accepted, len(o.Verdicts) == len(b.Entries))
		}
		o := service.DecodeProbe(b, steps-1, a, r)
		check(t, o, status)
		if o.Cause == outbox.More { // a look-up comes to an end: it moves on, or starts anew once
			was, _ := parseCursor(cursor)
			now, _ := parseCursor(o.Cursor)
			require.True(t, now > was || now == 0 && was > 0)
		}
		n, o := service.DecodeRead(r)
		check(t, o, status)
		if o.Cause == outbox.Accepted {
			_, _ = Unpack(n.Content)
		}
	})
}

func check(t *testing.T, o outbox.Outcome, status int) {
	if o.Cause == outbox.Accepted || o.Cause == outbox.More || o.Cause == outbox.Absent {
		require.Equal(t, 200, status)
	}
	if o.Cursor != "" {
		_, ok := parseCursor(o.Cursor)
		require.True(t, ok, o.Cursor)
	}
	require.LessOrEqual(t, len(o.Message), 400)
	wait := service.Policy("").Wait(o.Status, 1, o.Hint, 0.5)
	require.Positive(t, wait)
	require.LessOrEqual(t, wait, 24*time.Hour+time.Second)
}

func undumpFile(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return undump(string(text))
}

// validText says that text can have come from a page: UTF-8, without our own spelling of two escapes.
func validText(text []byte) bool {
	return utf8.Valid(text) && !bytes.Contains(text, []byte(escapedFFFE)) && !bytes.Contains(text, []byte(escapedFFFF))
}

// Any JSON comes back from the note as it was, and no content at all makes Unpack fail in another way than its error.
func FuzzENML(f *testing.F) {
	for _, raw := range []string{`{"a":"<&>\"'\\"}`, "{\"a\":\"\ufffe\uffff\\\\\ufffe\"}", "{\r\n\t}", `"\\\\u"`, `{"a":"` + "\u0085\u2028\U0010ffff" + `"}`} {
		f.Add([]byte(raw))
		f.Add(appendENML(nil, batch(note("k", raw))))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = Unpack(string(raw))
		if !json.Valid(raw) || !validText(raw) {
			return
		}
		content := string(appendENML(nil, batch(note("k", string(raw)))))
		events, err := Unpack(content)
		require.NoError(t, err)
		require.Len(t, events, 1)
		require.Equal(t, string(raw), string(events[0]))
		require.LessOrEqual(t, len(content), 400+6*len(raw), "the limits reckon with six times")
		line := divs(t, content)[1]
		require.Equal(t, value(t, string(raw)), value(t, line))
	})
}

// value reads JSON with its numbers as written: 1E1000 is JSON and no float64.
func value(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&v), text)
	return v
}
