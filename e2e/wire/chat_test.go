package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/googlechat"
	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/e2e/service"
	"github.com/liff-keep/liff-keep/outbox"
)

// rig is a sandbox and one batch on its way to it.
type rig struct {
	t       *testing.T
	sandbox *service.Sandbox
	chat    googlechat.Service
	blobs   map[string][]byte
	client  *http.Client
}

// build makes the sandbox in dir and returns its path, and the project's root.
func build(t *testing.T, dir string) (binary, root string) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	binary = filepath.Join(dir, "sandbox")
	build := exec.Command("go", "build", "-o", binary, "./sandbox")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary, root
}

func newRig(t *testing.T, binary, root string) *rig {
	s, err := service.Start(context.Background(), service.Options{Binary: binary, Dir: root, Dist: "web/src"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	// The transport would send a request again by itself when a kept connection is cut.
	return &rig{t, s, googlechat.Service{BaseURL: s.URL, Space: "AAAA"}, map[string][]byte{},
		&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// send makes the request and reads the reply, as the driver does.
func (r *rig) send(q outbox.Request) outbox.Reply {
	body := q.Body
	for _, p := range q.Parts {
		if body = append(body, p.Bytes...); p.Media != "" {
			body = append(body, r.blobs[p.Media]...)
		}
	}
	h, err := http.NewRequest(q.Method, q.URL, bytes.NewReader(body))
	require.NoError(r.t, err)
	for _, one := range q.Headers {
		h.Header.Set(one[0], one[1])
	}
	w, err := r.client.Do(h)
	if err != nil {
		return outbox.Reply{}
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		return outbox.Reply{}
	}
	return outbox.Reply{Status: w.StatusCode, Header: w.Header.Get, Body: text}
}

// deliver takes a batch through its steps until it is settled, and returns the causes on the way. A page that was killed
// is one that keeps nothing but the batch and the cursor: there is nothing else here.
func (r *rig) deliver(b outbox.Batch, token string) (causes []string) {
	names := map[outbox.Cause]string{outbox.Accepted: "accepted", outbox.Throttled: "throttled", outbox.TokenRefused: "token", outbox.ScopeMissing: "scope",
		outbox.Refused: "refused", outbox.ServerFailed: "failed", outbox.Unclear: "unclear", outbox.Unreached: "unreached", outbox.Taken: "taken", outbox.Absent: "absent"}
	sum := sha256.Sum256(r.chat.Digest(b))
	cursor, probing := "", false
	steps := r.chat.Plan(b, cursor)
	for step := 0; step < len(steps); {
		require.Less(r.t, len(causes), 20, "no end: %v", causes)
		a := outbox.Attempt{Token: token, SHA256: hex.EncodeToString(sum[:]), Cursor: cursor}
		encode, decode := r.chat.Encode, r.chat.Decode
		if probing {
			encode, decode = r.chat.EncodeProbe, r.chat.DecodeProbe
		}
		o := decode(b, step, a, r.send(encode(b, step, a)))
		causes = append(causes, names[o.Cause])
		if o.Cursor != "" {
			cursor = o.Cursor
		}
		switch o.Cause {
		case outbox.Accepted:
			if step++; step == len(steps) {
				require.Len(r.t, o.Verdicts, len(b.Entries))
			}
			probing = false
		case outbox.Taken:
			probing = true
		case outbox.Absent:
			probing = false
		case outbox.Refused, outbox.ScopeMissing:
			return causes
		case outbox.TokenRefused:
			token += "+"
		}
	}
	return causes
}

// held are the notes that the space holds, by the judge's reader.
func (r *rig) held() []judge.Stored {
	rows, err := r.sandbox.ChatMessages(context.Background(), "AAAA")
	require.NoError(r.t, err)
	notes, err := judge.UnpackChat(bytes.NewReader(rows), func(name string) ([]byte, error) {
		return r.sandbox.ChatAttachment(context.Background(), name)
	})
	require.NoError(r.t, err)
	return notes
}

func batch(entries ...outbox.Entry) outbox.Batch {
	return outbox.Batch{Name: "0a1b-7", Entries: entries}
}

// note is one of about that many bytes.
func note(id string, size int) outbox.Entry {
	return outbox.Entry{Kind: outbox.Note, NoteID: id, Raw: fmt.Appendf(nil,
		`{"noteId":%q,"conversationId":%q,"messages":[{"from":"客","text":"%s"}]}`, id, "c-"+id, strings.Repeat(`<寿司> \\u003c `, size/20))}
}

// A batch arrives whole and once, whatever happens on the way: the same bytes under the same names are the same message.
func TestChat_WhateverHappensOnTheWay(t *testing.T) {
	memo := bytes.Repeat([]byte("\x00\xff\r\n--memo"), 100_000) // 1 MB
	sum := sha256.Sum256(memo)
	voiced := outbox.Entry{Kind: outbox.Note, NoteID: "v", Media: []outbox.Media{{ID: "v.1", Name: "メモ.m4a", Type: "audio/mp4", Bytes: int64(len(memo))}},
		Raw: fmt.Appendf(nil, `{"noteId":"v","conversationId":"c","messages":[],"media":[{"mediaId":"v.1","name":"メモ.m4a","bytes":%d,"sha256":"%x"}]}`, len(memo), sum)}
	binary, root := build(t, t.TempDir())
	for _, row := range []struct {
		what   string
		batch  outbox.Batch
		faults []any
		want   string
	}{
		{"nothing", batch(note("a", 100), note("b", 100)), nil, "accepted"},
		{"the answer is lost", batch(note("a", 100)), []any{fault("cut", "when", "after")}, "unreached accepted"},
		{"the connection is cut", batch(note("a", 100)), []any{fault("cut")}, "unreached accepted"},
		{"half an answer", batch(note("a", 9000)), []any{fault("half")}, "unreached accepted"},
		{"garbage", batch(note("a", 100)), []any{fault("garbage")}, "unclear accepted"},
		{"429 twice", batch(note("a", 100)), []any{fault("status", "status", 429, "times", 2)}, "throttled throttled accepted"},
		{"500, 503", batch(note("a", 100)), []any{fault("status", "status", 500), fault("status", "status", 503)}, "failed failed accepted"},
		{"a proxy's 404", batch(note("a", 100)), []any{fault("proxy", "status", 404)}, "failed accepted"},
		{"the token expired", batch(note("a", 100)), []any{fault("expire-token")}, "token accepted"},
		{"the scope is lost", batch(note("a", 100)), []any{fault("revoke-scope")}, "scope"},
		{"three parts, an answer lost", batch(note("a", 57_800)), []any{fault("cut", "when", "after", "skip", 1)}, "accepted unreached accepted accepted"},
		{"a file, every answer lost once", batch(note("a", 90_000)), []any{fault("cut", "when", "after"), fault("cut", "when", "after", "skip", 1)},
			"unreached accepted unreached accepted"},
		{"a voice memo", batch(voiced), nil, "accepted accepted"},
		{"a voice memo, its upload lost, its message too", batch(voiced), []any{fault("cut", "when", "after"), fault("cut", "when", "after", "skip", 1)},
			"unreached accepted unreached accepted"},
	} {
		t.Run(row.what, func(t *testing.T) {
			r := newRig(t, binary, root)
			r.blobs["v.1"] = memo
			if row.faults != nil {
				require.NoError(t, r.sandbox.Faults(context.Background(), row.faults))
			}
			require.Equal(t, row.want, strings.Join(r.deliver(row.batch, "t"), " "))
			if row.want == "scope" {
				require.Empty(t, r.held())
				return
			}
			notes := r.held()
			require.Len(t, notes, len(row.batch.Entries))
			for i, n := range notes {
				require.Empty(t, n.Broken)
				require.Equal(t, string(row.batch.Entries[i].Raw), string(n.Raw))
			}
		})
	}
}

// 409: the name is taken. It is read and compared: ours is delivered, another's is none of ours, and without the scope to
// read nobody guesses.
func TestChat_ATakenNameIsLookedUp(t *testing.T) {
	binary, root := build(t, t.TempDir())
	for _, row := range []struct {
		what, token string
		ours        bool
		want        string
	}{
		{"ours", "t", true, "taken accepted"},
		{"another's", "t", false, "taken refused"},
		{"it cannot be read", "create-1", true, "taken scope"},
	} {
		t.Run(row.what, func(t *testing.T) {
			r := newRig(t, binary, root)
			b := batch(note("a", 100))
			sum := sha256.Sum256(r.chat.Digest(b))
			q := r.chat.Encode(b, 0, outbox.Attempt{Token: "t", SHA256: hex.EncodeToString(sum[:])})
			address, err := url.Parse(q.URL)
			require.NoError(t, err)
			query := address.Query()
			query.Set("requestId", "another") // Chat has forgotten the request, or somebody else made it
			address.RawQuery = query.Encode()
			q.URL = address.String()
			if !row.ours {
				q.Body = []byte(`{"text":"hello"}`)
			}
			require.Equal(t, 200, r.send(q).Status)
			require.Equal(t, row.want, strings.Join(r.deliver(b, row.token), " "))
		})
	}
}

func fault(kind string, more ...any) map[string]any {
	f := map[string]any{"kind": kind}
	for i := 0; i < len(more); i += 2 {
		f[more[i].(string)] = more[i+1]
	}
	return f
}
