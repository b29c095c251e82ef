package peers

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/evernote"
	"github.com/liff-keep/liff-keep/outbox"
)

// The product's codec against the sandbox's, which is Apache's: a note with a memo of 1 MB arrives whole, is found by a
// look-up a page at a time, and is read back with its bytes in one call (E6.3, E7.1).
func TestE6_3_E7_1_ANoteWithAMemoArrivesWhole(t *testing.T) {
	needPeer(t)
	binary := filepath.Join(t.TempDir(), "sandbox")
	built, err := exec.Command("go", "build", "-o", binary, "github.com/liff-keep/liff-keep/sandbox").CombinedOutput()
	require.NoError(t, err, "%s", built)
	origin := start(t, binary, "-addr", "127.0.0.1:0")
	service := evernote.Service{NoteStoreURL: origin + "/shard/s1/notestore"}
	memo := bytes.Repeat([]byte("\x00\xffvoice"), 1<<20/7)
	sum := md5.Sum(memo)

	send := func(r outbox.Request) outbox.Reply {
		body := r.Body
		for _, p := range r.Parts {
			if body = append(body, p.Bytes...); p.Media != "" {
				body = append(body, memo...)
			}
		}
		answer, err := http.Post(r.URL, r.Headers[0][1], bytes.NewReader(body))
		require.NoError(t, err)
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return outbox.Reply{Status: answer.StatusCode, Header: answer.Header.Get, Body: got}
	}
	batch := func(name, sum string) outbox.Batch {
		e := outbox.Entry{Kind: outbox.Note, NoteID: name, Messages: 1, Raw: []byte(`{"noteId":"` + name + `","text":"<声 & 🍣>\u0007"}`),
			Media: []outbox.Media{{ID: "m", Name: "memo.m4a", Type: "audio/mp4", Bytes: int64(len(memo)), Sum: sum}}}
		return outbox.Batch{Name: name, SealedAt: time.UnixMilli(1795571319000), Entries: []outbox.Entry{e}, Steps: service.Plan(outbox.Batch{}, "")}
	}
	a := outbox.Attempt{Token: "S=s1:U=bob:A=liff-keep"}
	b := batch("i-1", hex.EncodeToString(sum[:]))
	state := service.Decode(b, 0, a, send(service.Encode(b, 0, a)))
	require.Equal(t, outbox.Accepted, state.Cause)

	wrong := batch("i-0", "00000000000000000000000000000000")
	refused := service.Decode(wrong, 1, a, send(service.Encode(wrong, 1, a)))
	require.Equal(t, outbox.Refused, refused.Cause)
	require.Equal(t, "BAD_DATA_FORMAT (2): Resource.data.bodyHash", refused.Message)

	a.Cursor = state.Cursor
	require.Equal(t, outbox.Absent, service.DecodeProbe(b, 1, a, send(service.EncodeProbe(b, 1, a))).Cause)
	stored := service.Decode(b, 1, a, send(service.Encode(b, 1, a)))
	require.Equal(t, outbox.Accepted, stored.Cause, stored.Message)
	require.Equal(t, outbox.Accepted, service.DecodeProbe(b, 1, a, send(service.EncodeProbe(b, 1, a))).Cause)

	n, o := service.DecodeRead(send(service.EncodeRead(a.Token, stored.RequestID)))
	require.Equal(t, outbox.Accepted, o.Cause)
	require.Len(t, n.Resources, 1)
	require.True(t, bytes.Equal(memo, n.Resources[0]), "the memo's bytes")
	events, err := evernote.Unpack(n.Content)
	require.NoError(t, err)
	require.Equal(t, [][]byte{b.Entries[0].Raw}, events)
}

// An account with more notes than one answer holds is looked through to its end.
func TestE7_1_TheLookUpGoesThroughAllPages(t *testing.T) {
	needPeer(t)
	binary := filepath.Join(t.TempDir(), "sandbox")
	built, err := exec.Command("go", "build", "-o", binary, "github.com/liff-keep/liff-keep/sandbox").CombinedOutput()
	require.NoError(t, err, "%s", built)
	service := evernote.Service{NoteStoreURL: start(t, binary, "-addr", "127.0.0.1:0") + "/shard/s1/notestore"}
	send := func(r outbox.Request) outbox.Reply {
		answer, err := http.Post(r.URL, r.Headers[0][1], bytes.NewReader(r.Body))
		require.NoError(t, err)
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return outbox.Reply{Status: answer.StatusCode, Header: answer.Header.Get, Body: got}
	}
	named := func(name string) outbox.Batch {
		e := outbox.Entry{Kind: outbox.Note, NoteID: name, Raw: []byte(`{"noteId":"` + name + `"}`)}
		return outbox.Batch{Name: name, SealedAt: time.UnixMilli(0), Entries: []outbox.Entry{e}, Steps: []outbox.Step{{Probed: true}}}
	}
	a := outbox.Attempt{Token: "t", Cursor: "0"}
	for range 250 {
		require.Equal(t, outbox.Accepted, service.Decode(named("other"), 0, a, send(service.Encode(named("other"), 0, a))).Cause)
	}
	look := func(name string) (causes []outbox.Cause) {
		for at := a; len(causes) < 10; {
			o := service.DecodeProbe(named(name), 0, at, send(service.EncodeProbe(named(name), 0, at)))
			causes = append(causes, o.Cause)
			if o.Cause != outbox.More {
				break
			}
			at.Cursor = o.Cursor
		}
		return causes
	}
	require.Equal(t, []outbox.Cause{outbox.More, outbox.More, outbox.Absent}, look("ours"))
	require.Equal(t, outbox.Accepted, service.Decode(named("ours"), 0, a, send(service.Encode(named("ours"), 0, a))).Cause)
	require.Equal(t, []outbox.Cause{outbox.More, outbox.More, outbox.Accepted}, look("ours"))
}
