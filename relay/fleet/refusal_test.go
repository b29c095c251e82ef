package fleet

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a phone that sends badly is told, to the letter, and what of it is in the queue: nothing. Tokens are checked as they
// are in earnest. A batch that comes again under its names with other bytes is judged note by note; the first one stays.
func TestWhatABadPostIsTold(t *testing.T) {
	asked := 0
	r := newRig(t, func(o *Options) {
		o.Identify, o.Scope, o.PostTimeout = "line:"+login(t, &asked).URL, "keep.write", time.Second
	})
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
	a, b := noteOf("d-1", "a"), noteOf("d-2", "b")
	good := batch(a, b)
	inQueue := func() uint64 {
		info, err := r.fleet.engine.queues[channel].stream.Info(t.Context())
		require.NoError(t, err)
		return info.State.Msgs
	}
	authorized := func(token, body string) *http.Request {
		q := r.request("U1", "note", body)
		q.Header.Del("X-User-Id")
		q.Header.Set("Authorization", "Bearer "+token)
		return q
	}
	refusal := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
	}
	sum := func(s string) string { return hexSum([]byte(s)) }
	other := noteOf("d-2", "other bytes")

	unknown := authorized("good", good)
	unknown.URL.Path = Prefix + "999/v1/keep/note"
	undeclared := authorized("good", "")
	undeclared.Body, undeclared.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", maxBodyBytes+1))), -1
	none := authorized("", good)
	none.Header.Del("Authorization")

	for _, row := range []struct {
		name   string
		send   func() (int, string)
		status int
		body   string
		queued uint64 // messages afterwards
	}{
		{"no token", r.sends(none), 401, refusal("AUTH_REQUIRED", "send Authorization: Bearer with the user's LIFF access token"), 0},
		{"an expired or invented token", r.sends(authorized("expired", good)), 401, refusal("AUTH_REQUIRED", "the access token is expired, or not LINE's"), 0},
		{"another channel's token", r.sends(authorized("other", good)), 401, refusal("AUTH_REQUIRED", "the access token is of another LINE Login channel; see loginChannels"), 0},
		{"a token without the scope", r.sends(authorized("unscoped", good)), 403, refusal("SCOPE_REQUIRED", "the token lacks the scope keep.write"), 0},
		{"LINE's check is down", r.sends(authorized("broken", good)), 503, refusal("VERIFY", "LINE's token check does not answer; come again after Retry-After"), 0},
		{"an unknown channel", r.sends(unknown), 404, refusal("UNKNOWN_CHANNEL", "the relay has no credentials for this channel"), 0},
		{"too large, and says so", r.sends(authorized("good", strings.Repeat("x", maxBodyBytes+1))), 413, refusal("TOO_LARGE", "a body is at most 4,500,000 bytes, a medium 8,500,000"), 0},
		{"too large without saying so", r.sends(undeclared), 413, refusal("TOO_LARGE", "a body is at most 4,500,000 bytes, a medium 8,500,000"), 0},
		{"501 notes", r.sends(authorized("good", batch(many(501)...))), 413, refusal("TOO_LARGE", "more than 500 notes"), 0},
		{"a note above 2 MB", r.sends(authorized("good", noteOf("d-3", strings.Repeat("x", maxNoteBytes)))), 413, refusal("TOO_LARGE", "a note is larger than 2097152 bytes"), 0},
		{"the connection ends in the body", r.sendsPart(good, len(good)/2, true), 400, refusal("TRUNCATED", "the body ended before its length"), 0},
		{"it ends before the last byte", r.sendsPart(good, len(good)-1, true), 400, refusal("TRUNCATED", "the body ended before its length"), 0},
		{"the body stops coming", r.sendsPart(good, len(good)/2, false), 408, refusal("TIMEOUT", "the body took too long"), 0},
		{"half a batch as a whole body", r.sends(authorized("good", good[:len(good)/2])), 400, refusal("INVALID_BODY", "the body is no JSON object with notes"), 0},
		{"a note without a name", r.sends(authorized("good", `{"notes":[{"text":"x"}]}`)), 400, refusal("INVALID_BODY", "a note has no noteId"), 0},
		{"a name twice", r.sends(authorized("good", batch(b, other))), 400, refusal("INVALID_BODY", "two notes have the same noteId"), 0},

		{"the batch itself", r.sends(authorized("good", good)), 202, fmt.Sprintf(`{"results":[{"noteId":"d-1","status":"stored","sha256":%q},{"noteId":"d-2","status":"stored","sha256":%q}]}`, sum(a), sum(b)), 1},
		{"it comes again", r.sends(authorized("good", good)), 202, fmt.Sprintf(`{"results":[{"noteId":"d-1","status":"duplicate","sha256":%q},{"noteId":"d-2","status":"duplicate","sha256":%q}]}`, sum(a), sum(b)), 1},
		{"it comes again with other bytes", r.sends(authorized("good", batch(a, other))), 200, fmt.Sprintf(`{"results":[{"noteId":"d-1","status":"duplicate","sha256":%q},{"noteId":"d-2","status":"conflict","sha256":%q}]}`, sum(a), sum(b)), 1},
		{"one note", r.sends(authorized("good", noteOf("d-4", "x"))), 202, fmt.Sprintf(`{"noteId":"d-4","sha256":%q}`, sum(noteOf("d-4", "x"))), 2},
		{"one note with other bytes", r.sends(authorized("good", noteOf("d-4", "y"))), 409, fmt.Sprintf(`{"noteId":"d-4","sha256":%q}`, sum(noteOf("d-4", "x"))), 2},
	} {
		status, body := row.send()
		require.Equal(t, row.status, status, "%s: %s", row.name, body)
		require.JSONEq(t, row.body, body, row.name)
		require.Equal(t, row.queued, inQueue(), row.name)
	}
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
	require.Equal(t, map[string]string{"d-1": a, "d-2": b, "d-4": noteOf("d-4", "x")}, r.arrive(3))
	require.Empty(t, r.letters())
}

// sends returns a post that is yet to be sent.
func (r *rig) sends(q *http.Request) func() (int, string) {
	return func() (int, string) {
		answer, body := r.do(q)
		require.NotEmpty(r.t, answer.Header.Get("X-Line-Keep-Request-Id"))
		require.Equal(r.t, "application/json", answer.Header.Get("Content-Type"))
		require.Equal(r.t, answer.StatusCode == 503, answer.Header.Get("Retry-After") != "")
		return answer.StatusCode, body
	}
}

// sendsPart sends the head and n bytes of a body, and then ends its half of the connection, or says nothing more.
func (r *rig) sendsPart(body string, n int, ends bool) func() (int, string) {
	return func() (int, string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.server.URL, "http://"))
		require.NoError(r.t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST %s%s/v1/keep/note HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer good\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			Prefix, channel, len(body), body[:n])
		require.NoError(r.t, err)
		if ends {
			require.NoError(r.t, conn.(*net.TCPConn).CloseWrite())
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(r.t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(r.t, err)
		return answer.StatusCode, string(text)
	}
}
