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
	voice  = outbox.Media{ID: "k4.1+ä", Name: "memo.m4a", Type: "audio/mp4", Bytes: 3, Sum: "ab"}
	hide   = outbox.Entry{Kind: outbox.Hide, NoteID: "k1", Raw: []byte("k1")}
)

// attempt is one try's; its token stands in the golden requests.
var attempt = outbox.Attempt{Token: "token-1"}

var withVoice = func() outbox.Entry {
	e := note("k4", `{"noteId":"k4","media":[{"mediaId":"k4.1+ä"}],"messages":[{}]}`)
	e.Media = []outbox.Media{voice}
	return e
}()

func batch(entries ...outbox.Entry) outbox.Batch {
	return outbox.Batch{ID: 1, Name: "i-1", Entries: entries}
}

// print writes a request as it goes over the wire; a blob is its id in angle brackets.
func print(r outbox.Request) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s\n", r.Method, r.URL)
	for _, h := range r.Headers {
		fmt.Fprintf(&out, "%s: %s\n", h[0], h[1])
	}
	fmt.Fprintf(&out, "\n%s", r.Body)
	for _, p := range r.Parts {
		if out.Write(p.Bytes); p.Media != "" {
			fmt.Fprintf(&out, "<%s>", p.Media)
		}
	}
	return out.Bytes()
}

// The requests, byte for byte (L7.1 hide; L10.3 the channel's header; L2.2 media and L2.3 status have paths of their own).
// A note's bytes are spliced, never encoded anew: their sha256 must stay what it was (L7.3).
func TestL7_1_L7_3_L10_3_RequestsByteForByte(t *testing.T) {
	for name, r := range map[string]outbox.Request{
		"batch":  service.Encode(batch(first, second, third), 0, attempt),
		"single": service.Encode(batch(first), 0, attempt),
		"hide":   service.Encode(batch(hide), 0, attempt),
		"status": service.EncodeLook([]string{"k1", "k3.v2", "会話/7?&"}, attempt),
		"media":  service.Encode(batch(withVoice), 0, attempt),
		"voiced": service.Encode(batch(withVoice), 1, attempt),
	} {
		file := "testdata/" + name + ".request.http"
		if *update {
			require.NoError(t, os.WriteFile(file, print(r), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(print(r)), file)
		require.Contains(t, r.Headers, [2]string{"Authorization", "Bearer token-1"}, "L10.2: the token of this attempt")
		require.NotContains(t, r.URL, "/liff/v2/keep", "L10.1: the retired path is never called")
	}
	for _, e := range []outbox.Entry{first, second, third} {
		require.Contains(t, string(service.Encode(batch(first, second, third), 0, attempt).Body), string(e.Raw))
	}
}

// LINE guide §10: the domain is configuration; without a channel id the call is billed to the generic pool (L10.3), and no
// empty header is sent.
func TestL10_3_L10_4_WithoutAChannelNoHeader(t *testing.T) {
	r := Service{BaseURL: "http://127.0.0.1:8787"}.Encode(batch(first), 0, attempt)
	require.Equal(t, "http://127.0.0.1:8787/v1/keep/note", r.URL)
	require.Equal(t, [][2]string{{"Content-Type", "application/json"}, {"Authorization", "Bearer token-1"}}, r.Headers)
}

// Through a relay it is the same request below the relay's address, and the service's own where the relay is gone round. A hide
// of a note that the relay may still hold is not refused for good (L7.1).
func TestL7_1_ThroughARelayTheRequestIsTheSame(t *testing.T) {
	s, round, relayed := service, attempt, attempt
	s.Relay, relayed.Relayed = "https://relay.example/app", true
	for _, r := range []struct{ want, straight, through outbox.Request }{
		{service.Encode(batch(first, second), 0, attempt), s.Encode(batch(first, second), 0, round), s.Encode(batch(first, second), 0, relayed)},
		{service.Encode(batch(hide), 0, attempt), s.Encode(batch(hide), 0, round), s.Encode(batch(hide), 0, relayed)},
		{service.Encode(batch(withVoice), 0, attempt), s.Encode(batch(withVoice), 0, round), s.Encode(batch(withVoice), 0, relayed)},
		{service.EncodeLook([]string{"k1"}, attempt), s.EncodeLook([]string{"k1"}, round), s.EncodeLook([]string{"k1"}, relayed)},
	} {
		require.Equal(t, r.want, r.straight)
		require.Equal(t, strings.Replace(r.want.URL, "https://keep.example", "https://relay.example/app/relay/line/1650000001", 1), r.through.URL)
		r.through.URL = r.want.URL
		require.Equal(t, r.want, r.through)
	}
	require.Equal(t, outbox.Refused, service.Decode(batch(hide), 0, attempt, answer(404, "", nil)).Cause)
	require.Equal(t, outbox.ServerFailed, s.Decode(batch(hide), 0, round, answer(404, "", nil)).Cause)
}

// LINE guide §2: media has a path and a bucket of its own. The uploads go first, the note that names them last; an upload
// is judged by its status alone.
func TestL2_2_MediaGoesBeforeTheNoteThatNamesIt(t *testing.T) {
	b := batch(withVoice)
	require.Equal(t, []outbox.Step{{Bucket: outbox.BucketMedia}, {}}, service.Plan(b, ""))
	require.Equal(t, []outbox.Step{{}}, service.Plan(batch(first, second), ""))
	require.Equal(t, "line-media", service.Policy(outbox.BucketMedia).Name)
	for status, want := range map[int]outbox.Cause{200: outbox.Accepted, 401: outbox.TokenRefused, 413: outbox.BodyTooLarge,
		429: outbox.Throttled, 409: outbox.Refused, 404: outbox.ServerFailed, 500: outbox.ServerFailed} {
		o := service.Decode(b, 0, attempt, answer(status, "", map[string]string{"X-Line-Keep-Quota-Remaining": "7"}))
		require.Equal(t, want, o.Cause, status)
		require.False(t, o.Quota.Readable, "the media bucket is not the one that is shown")
	}
	require.Equal(t, outbox.Unclear, service.Decode(b, 1, attempt, answer(200, "", nil)).Cause, "the note wants its verdict")
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
		o := service.Decode(row.batch, 0, outbox.Attempt{}, reply(t, "testdata/"+row.name+".reply.http"))
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
