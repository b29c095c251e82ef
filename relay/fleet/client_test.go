package fleet

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// A client that knows Keep needs nothing new: its own codec, with the relay's base URL, takes every answer for what it is.
func TestTheClientsCodecUnderstandsTheRelay(t *testing.T) {
	r := newRig(t, nil)
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
	client := linekeep.Service{BaseURL: "https://not.asked", Relay: r.server.URL, ChannelID: channel, Tier: linekeep.MiniApp}
	send := func(kind outbox.Kind, token string, notes ...string) outbox.Outcome {
		var b outbox.Batch
		for i := 0; i+1 < len(notes); i += 2 {
			raw := notes[i+1]
			if kind == outbox.Hide {
				raw = notes[i]
			}
			b.Entries = append(b.Entries, outbox.Entry{Kind: kind, NoteID: notes[i], Raw: []byte(raw)})
		}
		e := client.Encode(b, 0, outbox.Attempt{Relayed: true})
		req, err := http.NewRequest(e.Method, e.URL, bytes.NewReader(e.Body))
		require.NoError(t, err)
		for _, h := range e.Headers {
			req.Header.Set(h[0], h[1])
		}
		req.Header.Set("Authorization", token)
		req.Header.Set("X-User-Id", "U1")
		answer, body := r.do(req)
		return client.Decode(b, 0, outbox.Attempt{Relayed: true}, outbox.Reply{Status: answer.StatusCode, Header: answer.Header.Get, Body: []byte(body)})
	}
	a, b, other := noteOf("c-1", "a"), noteOf("c-2", "b"), noteOf("c-2", "B")
	for _, row := range []struct {
		name    string
		kind    outbox.Kind
		token   string
		notes   []string
		cause   outbox.Cause
		verdict []outbox.VerdictState
	}{
		{"a batch", outbox.Note, "Bearer t", []string{"c-1", a, "c-2", b}, outbox.Accepted, []outbox.VerdictState{outbox.Stored, outbox.Stored}},
		{"the same again", outbox.Note, "Bearer t", []string{"c-1", a, "c-2", b}, outbox.Accepted, []outbox.VerdictState{outbox.Duplicate, outbox.Duplicate}},
		{"other bytes", outbox.Note, "Bearer t", []string{"c-1", a, "c-2", other}, outbox.Accepted, []outbox.VerdictState{outbox.Duplicate, outbox.Conflict}},
		{"one note", outbox.Note, "Bearer t", []string{"c-3", noteOf("c-3", "x")}, outbox.Accepted, []outbox.VerdictState{outbox.Stored}},
		{"one note, other bytes", outbox.Note, "Bearer t", []string{"c-3", noteOf("c-3", "y")}, outbox.Accepted, []outbox.VerdictState{outbox.Conflict}},
		{"a hide", outbox.Hide, "Bearer t", []string{"c-1", ""}, outbox.Accepted, []outbox.VerdictState{outbox.Stored}},
		{"no token", outbox.Note, "", []string{"c-4", noteOf("c-4", "x")}, outbox.TokenRefused, nil},
	} {
		o := send(row.kind, row.token, row.notes...)
		require.Equal(t, row.cause, o.Cause, row.name)
		require.Len(t, o.Verdicts, len(row.verdict), row.name)
		for i, want := range row.verdict {
			require.Equal(t, want, o.Verdicts[i].State, "%s, note %d", row.name, i)
		}
		require.Contains(t, o.RequestID, "relay-", row.name)
	}
}
