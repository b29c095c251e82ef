package googlechat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

var update = flag.Bool("update", false, "write the golden requests anew")

var service = Service{BaseURL: "https://chat.example", Space: "spaces/AAAA"}

func note(id, raw string, media ...outbox.Media) outbox.Entry {
	return outbox.Entry{Kind: outbox.Note, NoteID: id, Messages: 1, Raw: []byte(raw), Media: media}
}

// Three notes with what an encoder would write otherwise, and with what Chat would read as a mention or a link.
var (
	first  = note("k1", `{"noteId":"k1","messages":[{"from":"客","text":"寿司 🍣 <users/all> <b>&amp;</b>","at":1.50e3}] }`)
	second = note("k2", `{"noteId":"k2","z":1,"a":2,"messages":[{"text":"a\/b\u0007\"\\u003c"}]}`)
	third  = note("k3.v2", `{"noteId":"k3.v2","messages":[{},{}]}`)
	memo   = outbox.Media{ID: "k4.1", Name: "メモ \"1\".m4a", Type: "audio/mp4", Bytes: 3, Sum: "ab"}
	photo  = outbox.Media{ID: "k4.2", Type: "image/png\r\nX: y", Bytes: 3, Sum: "cd"}
	voiced = note("k4", `{"noteId":"k4","media":[{"mediaId":"k4.1"},{"mediaId":"k4.2"}],"messages":[{}]}`, memo, photo)
)

func batch(entries ...outbox.Entry) outbox.Batch {
	return outbox.Batch{ID: 1, Name: "0a1b2c-1", Entries: entries}
}

// sized is a batch of one note whose JSON has that many bytes.
func sized(n int) outbox.Batch {
	const head, tail = `{"noteId":"k9","messages":[{"text":"`, `"}]}`
	text := strings.Repeat("手巾を三枚 お願いします。", n)[:n-len(head)-len(tail)]
	whole := strings.ToValidUTF8(text, "")
	return batch(note("k9", head+whole+strings.Repeat(".", len(text)-len(whole))+tail))
}

// attempt is a try of b with the hash that the driver computes.
func attempt(b outbox.Batch) outbox.Attempt {
	sum := sha256.Sum256(service.Digest(b))
	return outbox.Attempt{Token: "token-1", SHA256: hex.EncodeToString(sum[:])}
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

// The requests, byte for byte. No header but the two that Google's preflight lets through.
func TestRequestsByteForByte(t *testing.T) {
	three, four, large := batch(first, second, third), batch(voiced), sized(64_100)
	tokens := attempt(four)
	tokens.Cursor = "0a1b2c-1,AATT%2Bx%2F1%3D,AATTy"
	named := attempt(large)
	named.Cursor = "0a1b2c-1,AATTz"
	unhashed := attempt(three)
	unhashed.SHA256 = ""
	for name, r := range map[string]outbox.Request{
		"message":  service.Encode(three, 0, attempt(three)),
		"unhashed": service.Encode(three, 0, unhashed),
		"upload":   service.Encode(four, 0, attempt(four)),
		"nameless": service.Encode(four, 1, attempt(four)),
		"voiced":   service.Encode(four, 2, tokens),
		"file":     service.Encode(large, 1, named),
		"probe":    service.EncodeProbe(three, 0, attempt(three)),
	} {
		file := "testdata/" + name + ".request.http"
		if *update {
			require.NoError(t, os.WriteFile(file, print(r), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(print(r)), file)
		for _, h := range r.Headers {
			require.Contains(t, []string{"Authorization", "Content-Type"}, h[0], file)
		}
		require.NotContains(t, string(r.Body), "<users", file)
	}
}

// reply reads a golden reply: status, headers, a blank line, the body.
func reply(t *testing.T, name string) outbox.Reply {
	text, err := os.ReadFile("testdata/" + name + ".reply.http")
	require.NoError(t, err)
	head, body, ok := strings.Cut(string(text), "\n\n")
	require.True(t, ok, name)
	lines := strings.Split(head, "\n")
	r := outbox.Reply{Body: []byte(body)}
	_, err = fmt.Sscan(lines[0], &r.Status)
	require.NoError(t, err, name)
	headers := map[string]string{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		headers[name] = value
	}
	r.Header = func(name string) string { return headers[name] }
	return r
}

// The replies to them, byte for byte.
func TestRepliesByteForByte(t *testing.T) {
	three, four := batch(first, second, third), batch(voiced)
	for _, row := range []struct {
		name    string
		batch   outbox.Batch
		step    int
		probe   bool
		cause   outbox.Cause
		cursor  string
		message string
	}{
		{"message", three, 0, false, outbox.Accepted, "", ""},
		{"message", three, 0, true, outbox.Accepted, "", ""},
		{"another", three, 0, false, outbox.Refused, "", "Google Chat holds another text under this name: spaces/AAAA/messages/B.B"},
		{"upload", four, 0, false, outbox.Accepted, "0a1b2c-1,AATT%2Bx%2F1%3D", ""},
		{"quota", three, 0, false, outbox.Throttled, "", "429 RESOURCE_EXHAUSTED Quota exceeded for quota metric 'Message writes' and limit 'Message writes per minute per space'. 60 writes a minute"},
		{"taken", three, 0, false, outbox.Taken, "", "409 ALREADY_EXISTS Message with the ID already exists."},
		{"absent", three, 0, true, outbox.Absent, "", ""},
		{"scope", three, 0, true, outbox.ScopeMissing, "", "403 PERMISSION_DENIED Request had insufficient authentication scopes."},
		{"token", three, 0, false, outbox.TokenRefused, "", "401 UNAUTHENTICATED Request had invalid authentication credentials."},
	} {
		decode := service.Decode
		if row.probe {
			decode = service.DecodeProbe
		}
		o := decode(row.batch, row.step, attempt(row.batch), reply(t, row.name))
		require.Equal(t, row.cause, o.Cause, row.name)
		require.Equal(t, row.cursor, o.Cursor, row.name)
		require.Equal(t, row.message, o.Message, row.name)
		if row.cause == outbox.Accepted && row.step == 0 && len(row.batch.Entries) > 1 {
			want := outbox.Verdict{State: outbox.Stored}
			if row.probe {
				want.State = outbox.Duplicate
			}
			require.Equal(t, []outbox.Verdict{want, want, want}, o.Verdicts, row.name)
		} else {
			require.Empty(t, o.Verdicts, row.name)
		}
	}
}
