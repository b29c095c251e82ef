package linekeep

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

var update = flag.Bool("update", false, "write the golden requests anew")

var service = Service{BaseURL: "https://keep.example", ChannelID: "1650000001", Tier: MiniApp}

func note(id, raw string) outbox.Entry {
	return outbox.Entry{Kind: outbox.Note, NoteID: id, Messages: 1, Raw: []byte(raw)}
}

// Three notes whose bytes an encoder would write otherwise: blanks, number forms, escapes, order of members.
var (
	first  = note("k1", `{"noteId":"k1","messages":[{"from":"客","text":"寿司 🍣 <b>&amp;</b>","at":1.50e3}] }`)
	second = note("k2", `{"noteId":"k2","z":1,"a":2,"messages":[{"text":"a\/b\u0007\""}]}`)
	third  = note("k3.v2", `{"noteId":"k3.v2","messages":[{},{}]}`)
	hide   = outbox.Entry{Kind: outbox.Hide, NoteID: "k1", Raw: []byte("k1")}
)

func batch(entries ...outbox.Entry) outbox.Batch {
	return outbox.Batch{ID: 1, Name: "i-1", Entries: entries}
}

// print writes a request as it goes over the wire, without the token.
func print(r outbox.Request) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s\n", r.Method, r.URL)
	for _, h := range r.Headers {
		fmt.Fprintf(&out, "%s: %s\n", h[0], h[1])
	}
	fmt.Fprintf(&out, "\n%s", r.Body)
	return out.Bytes()
}

// The requests, byte for byte (L7.1 hide; L10.3 the channel's header; L2.2 media and L2.3 status have paths of their own).
// A note's bytes are spliced, never encoded anew: their sha256 must stay what it was (L7.3).
func TestL7_1_L7_3_L10_3_RequestsByteForByte(t *testing.T) {
	for name, r := range map[string]outbox.Request{
		"batch":  service.Encode(batch(first, second, third)),
		"single": service.Encode(batch(first)),
		"hide":   service.Encode(batch(hide)),
		"status": service.EncodeLook([]string{"k1", "k3.v2", "会話/7?&"}),
		"media":  service.EncodeMedia("voice 1+2", "audio/mp4", []byte("\x00\x01 raw bytes \xff")),
	} {
		file := "testdata/" + name + ".request.http"
		if *update {
			require.NoError(t, os.WriteFile(file, print(r), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(print(r)), file)
		require.NotContains(t, string(print(r)), "Authorization", "L10.2: the token is read for each attempt, elsewhere")
		require.NotContains(t, r.URL, "/liff/v2/keep", "L10.1: the retired path is never called")
	}
	for _, e := range []outbox.Entry{first, second, third} {
		require.Contains(t, string(service.Encode(batch(first, second, third)).Body), string(e.Raw))
	}
}

// LINE guide §10: the domain is configuration; without a channel id the call is billed to the generic pool (L10.3), and no
// empty header is sent.
func TestL10_3_L10_4_WithoutAChannelNoHeader(t *testing.T) {
	r := Service{BaseURL: "http://127.0.0.1:8787"}.Encode(batch(first))
	require.Equal(t, "http://127.0.0.1:8787/v1/keep/note", r.URL)
	require.Equal(t, [][2]string{{"Content-Type", "application/json"}}, r.Headers)
}

// reply reads a golden reply: status, headers, a blank line, the body.
func reply(t *testing.T, file string) outbox.Reply {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	head, body, ok := strings.Cut(string(text), "\n\n")
	require.True(t, ok, file)
	lines := strings.Split(head, "\n")
	r := outbox.Reply{Body: []byte(body)}
	_, err = fmt.Sscan(lines[0], &r.Status)
	require.NoError(t, err, file)
	headers := map[string]string{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		headers[name] = value
	}
	r.Header = func(name string) string { return headers[name] }
	return r
}

// The replies to them, byte for byte (L6.1, L6.3, L7.2).
func TestL6_1_L6_3_L7_2_RepliesByteForByte(t *testing.T) {
	const sum1, sum2, sum3 = "9f86d081", "60303ae2", "fd61a03a"
	for _, row := range []struct {
		name     string
		batch    outbox.Batch
		cause    outbox.Cause
		verdicts []outbox.Verdict
	}{
		{"batch", batch(first, second, third), outbox.Accepted, []outbox.Verdict{
			{State: outbox.Stored, SHA256: sum1}, {State: outbox.Duplicate, SHA256: sum2}, {State: outbox.Conflict, SHA256: sum3}}},
		{"single", batch(first), outbox.Accepted, []outbox.Verdict{{State: outbox.Stored, SHA256: sum1}}},
		{"conflict", batch(first), outbox.Accepted, []outbox.Verdict{{State: outbox.Conflict}}},
		{"hide", batch(hide), outbox.Accepted, []outbox.Verdict{{State: outbox.Stored}}},
	} {
		o := service.Decode(row.batch, reply(t, "testdata/"+row.name+".reply.http"))
		require.Equal(t, row.cause, o.Cause, row.name)
		require.Equal(t, row.verdicts, o.Verdicts, row.name)
		require.Equal(t, "r-"+row.name, o.RequestID, row.name)
		require.Equal(t, 97, o.Quota.Remaining, row.name)
		require.Equal(t, 100, o.Quota.Limit, row.name)
		require.True(t, o.Quota.Readable, row.name)
		require.Equal(t, int64(1779246060), o.Quota.ResetsAt.Unix(), row.name)
		require.Equal(t, int64(-1), int64(o.Hint.Reset), "%s: a reset is no hint to wait unless it was a 429", row.name)
	}
}
