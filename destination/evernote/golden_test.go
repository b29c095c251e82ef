package evernote

import (
	"encoding/hex"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// Service is what the core drives.
var _ outbox.Destination = Service{}

var update = flag.Bool("update", false, "write the golden requests anew")

var (
	service = Service{NoteStoreURL: "https://app.example/relay/evernote/www.evernote.com/shard/s1/notestore", Title: "ホテル予約"}
	sealed  = time.Date(2026, 11, 25, 1, 48, 39, 0, time.UTC)
	first   = note("k1", `{"noteId":"k1","messages":[{"from":"客","text":"寿司 🍣 <b>&amp;</b>","at":1.50e3}]}`)
	second  = note("k2", `{"noteId":"k2","z":1,"a":2,"messages":[{"text":"a\/b\u0007\"'"}]}`)
	memo    = outbox.Media{ID: "m1", Name: "声\n.m4a", Type: "audio/mp4; codecs=mp4a.40.2", Bytes: 5, Sum: "5d41402abc4b2a76b9719d911017c592"} // of "hello"
)

func note(id, raw string) outbox.Entry {
	return outbox.Entry{Kind: outbox.Note, NoteID: id, Messages: 1, Raw: []byte(raw)}
}

func batch(entries ...outbox.Entry) outbox.Batch {
	return outbox.Batch{ID: 7, Name: "i-7", SealedAt: sealed, Entries: entries, Steps: []outbox.Step{{Probed: true}}}
}

// unknown is the batch as it is sealed where the account's count is not known.
func unknown(b outbox.Batch) outbox.Batch {
	b.Steps = service.Plan(b, "")
	return b
}

func withMedia(e outbox.Entry, media ...outbox.Media) outbox.Entry {
	e.Media = media
	return e
}

// body is a request's body as it goes over the wire, with the blobs in their places.
func body(r outbox.Request, blobs map[string]string) []byte {
	if r.Parts == nil {
		return r.Body
	}
	var out []byte
	for _, p := range r.Parts {
		out = append(append(out, p.Bytes...), blobs[p.Media]...)
	}
	return out
}

// dump writes bytes as the golden files have them: hex and text, 16 bytes a line.
func dump(b []byte) string { return hex.Dump(b) }

func golden(t *testing.T, name string) []byte {
	text, err := os.ReadFile("testdata/" + name + ".hex")
	require.NoError(t, err)
	out, err := undump(string(text))
	require.NoError(t, err, name)
	return out
}

// undump reads what dump wrote. A line that begins with # says what the file is.
func undump(text string) ([]byte, error) {
	var out []byte
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		digits, _, _ := strings.Cut(line, "|")
		if _, rest, ok := strings.Cut(digits, "  "); ok {
			digits = rest
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// The four calls, byte for byte (E2.1: one note carries one sealed batch; E6.3: its resources go inside it, and one getNote
// asks for all there is).
func TestE2_1_E6_3_RequestsByteForByte(t *testing.T) {
	token := outbox.Attempt{Token: "S=s1:U=1:A=liff-keep:token"}
	known := outbox.Attempt{Token: token.Token, Cursor: "41"}
	blobs := map[string]string{"m1": "hello"}
	inBook := service
	inBook.NotebookGUID = "8c2a4a5e-0000-4000-8000-000000000001"
	for name, r := range map[string]outbox.Request{
		"getSyncState":         service.Encode(unknown(batch(first)), 0, token),
		"createNote":           service.Encode(batch(first, second), 0, known),
		"createNote-media":     inBook.Encode(batch(withMedia(first, memo, memo)), 0, known),
		"getFilteredSyncChunk": service.EncodeProbe(batch(first), 0, known),
		"getNote":              service.EncodeRead(token.Token, "g-1"),
	} {
		require.Equal(t, "POST", r.Method)
		require.Equal(t, service.NoteStoreURL, r.URL)
		require.Equal(t, [][2]string{{"Content-Type", "application/x-thrift"}, {"Accept", "application/x-thrift"}}, r.Headers)
		file := "testdata/" + name + ".request.hex"
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(dump(body(r, blobs))), 0o644))
		}
		require.Equal(t, dump(golden(t, name+".request")), dump(body(r, blobs)), file)
	}
}

// The very first and the second try of a batch have the same bytes, but for the token (invariant 3).
func TestE3_3_TheSameNoteGoesAgain(t *testing.T) {
	b := batch(first, second)
	one := service.Encode(b, 0, outbox.Attempt{Token: "a", Cursor: "41"})
	two := service.Encode(unknown(b), 1, outbox.Attempt{Token: "a", Cursor: "999"})
	require.Equal(t, one, two)
}

// The replies to them, byte for byte. The refusal is the one that the guide describes (E3.2): EDAMSystemException,
// RATE_LIMIT_REACHED, 1800 seconds.
func TestE3_2_RepliesByteForByte(t *testing.T) {
	b := batch(first, second)
	state := service.Decode(unknown(b), 0, outbox.Attempt{}, answer(golden(t, "getSyncState.reply")))
	require.Equal(t, outbox.Accepted, state.Cause)
	require.Equal(t, "41", state.Cursor)
	require.Empty(t, state.Verdicts, "not the last step: it judges no event")

	stored := service.Decode(b, 0, outbox.Attempt{Cursor: "41"}, answer(golden(t, "createNote.reply")))
	require.Equal(t, outbox.Accepted, stored.Cause)
	require.Equal(t, "42", stored.Cursor)
	require.Equal(t, "g-1", stored.RequestID)
	require.Len(t, stored.Verdicts, 2)

	found := service.DecodeProbe(b, 0, outbox.Attempt{Cursor: "41"}, answer(golden(t, "getFilteredSyncChunk.reply")))
	require.Equal(t, outbox.Accepted, found.Cause)
	require.Len(t, found.Verdicts, 2)

	limited := service.Decode(b, 0, outbox.Attempt{Cursor: "41"}, answer(golden(t, "rate-limit.reply")))
	require.Equal(t, outbox.Throttled, limited.Cause)
	require.Equal(t, 30*time.Minute, limited.Hint.RetryAfter)
	require.Equal(t, "RATE_LIMIT_REACHED (19)", limited.Message)

	n, o := service.DecodeRead(answer(golden(t, "getNote.reply")))
	require.Equal(t, outbox.Accepted, o.Cause)
	require.Equal(t, "g-1", n.GUID)
	require.Equal(t, "https://outbox.invalid/b/i-7", n.SourceURL)
	require.Equal(t, [][]byte{[]byte("hello")}, n.Resources)
	events, err := Unpack(n.Content)
	require.NoError(t, err)
	require.Equal(t, [][]byte{first.Raw}, events)
}
