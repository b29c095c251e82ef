package evernote

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// Replies are built here field by field, with no code of the encoder's but what writes numbers.

func answer(body []byte) outbox.Reply {
	return outbox.Reply{Status: 200, Header: func(string) string { return "" }, Body: body}
}

func cat(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func num(n int) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

func text(s string) []byte { return cat(num(len(s)), []byte(s)) }

func field(kind byte, id int, value []byte) []byte {
	return cat([]byte{kind, byte(id >> 8), byte(id)}, value)
}

// st is a struct: its fields and the stop.
func st(fields ...[]byte) []byte { return append(cat(fields...), 0) }

func reply(call string, fields ...[]byte) []byte {
	return cat([]byte{0x80, 1, 0, 2}, text(call), num(1), st(fields...))
}

func userException(code int, parameter string) []byte {
	return field(12, 1, st(field(8, 1, num(code)), field(11, 2, text(parameter))))
}

// systemException leaves out what is empty or negative.
func systemException(code int, message string, seconds int) []byte {
	var fields [][]byte
	if fields = append(fields, field(8, 1, num(code))); message != "" {
		fields = append(fields, field(11, 2, text(message)))
	}
	if seconds >= 0 {
		fields = append(fields, field(8, 3, num(seconds)))
	}
	return field(12, 2, st(fields...))
}

func notFound(identifier, key string) []byte {
	return field(12, 3, st(field(11, 1, text(identifier)), field(11, 2, text(key))))
}

func aNote(guid string, usn int, source string) []byte {
	return st(field(11, 1, text(guid)), field(8, 10, num(usn)), field(12, 14, st(field(11, 15, text(source)))))
}

// chunk is a SyncChunk's reply; high below 0 is absent.
func chunk(high, count int, notes ...[]byte) []byte {
	fields := [][]byte{field(10, 1, make([]byte, 8))}
	if high >= 0 {
		fields = append(fields, field(8, 2, num(high)))
	}
	fields = append(fields, field(8, 3, num(count)))
	if len(notes) > 0 {
		fields = append(fields, field(15, 4, cat([]byte{12}, num(len(notes)), cat(notes...))))
	}
	return reply("getFilteredSyncChunk", field(12, 0, st(fields...)))
}

// Each createNote has a name for the relay, so that a browser's own repeat of it is known; what may come twice has none (E6.1).
func TestE6_1_CreateNoteIsNamedToTheRelay(t *testing.T) {
	s := Service{NoteStoreURL: "https://app.example/relay"}
	b := outbox.Batch{Name: "b-1", Entries: []outbox.Entry{{Raw: []byte(`{}`)}}, Steps: []outbox.Step{{}, {Probed: true}}}
	a := outbox.Attempt{Token: "t", Cursor: "1", Fetch: "page-7"}
	require.Contains(t, s.Encode(b, 1, a).Headers, [2]string{"Liff-Keep-Fetch", "page-7"})
	for _, r := range []outbox.Request{s.Encode(b, 0, a), s.EncodeProbe(b, 1, a), s.Encode(b, 1, outbox.Attempt{Token: "t"})} {
		require.Len(t, r.Headers, 2)
	}
}
