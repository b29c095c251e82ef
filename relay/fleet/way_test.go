package fleet

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestABatchGoesThroughUnchanged(t *testing.T) {
	r := newRig(t, nil)
	// white space, escapes and an order of its own: what Keep hashes is what the phone sent
	one, two := `{ "text":"\u00e9 / \/", "noteId":"a-1" }`, `{"noteId":"a-2","notes":[{"noteId":"inner"}]}`
	answer, body := r.do(r.request("U1", "note", `{"notes":[`+one+" ,\n"+two+`]}`))
	require.Equal(t, 202, answer.StatusCode)
	require.JSONEq(t, `{"results":[{"noteId":"a-1","status":"stored","sha256":"`+hexSum([]byte(one))+`"},
		{"noteId":"a-2","status":"stored","sha256":"`+hexSum([]byte(two))+`"}]}`, body)
	answer, body = r.do(r.request("U1", "note", two+"\n"))
	require.Equal(t, 202, answer.StatusCode)
	require.JSONEq(t, `{"noteId":"a-2","sha256":"`+hexSum([]byte(two))+`"}`, body)
	require.Equal(t, map[string]string{"a-1": one, "a-2": two}, r.arrive(2))
}

// L14.5, L14.7: 500 notes a call, mixing users where the channel says so, else a user a call.
func TestCallsAreFull(t *testing.T) {
	for _, row := range []struct {
		name  string
		mix   bool
		calls int
		held  int // calls of what the worker had pulled when it came to the switch: at most one a user
	}{
		{"users mixed: 1200 notes of 4 users in 12 posts are 3 calls", true, 3, 1},
		{"a user a call: 300 notes each are 4 calls", false, 4, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Channels[0].Mix, o.Workers = row.mix, 1 })
			require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
			n := 0
			for range 3 {
				for _, user := range []string{"U1", "U2", "U3", "U4"} {
					notes := make([]string, 100)
					for i := range notes {
						n++
						notes[i] = noteOf("n-"+itoa(n), user)
					}
					require.Equal(t, 202, r.post(user, notes...))
				}
			}
			require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
			r.arrive(1200)
			eventually(t, "the queue is empty", func() bool {
				_, q := r.ops("GET", "/admin/queue", "")
				return strings.Contains(q, `"waiting":0,"underWay":0`)
			})
			require.LessOrEqual(t, r.stats().ByStatus["200"], row.calls+row.held)
		})
	}
}

// L13.4 and L6.1: the switch, and the fields that the guide's queries read.
func TestKillSwitchAndLogFields(t *testing.T) {
	r := newRig(t, nil)
	status, body := r.ops("POST", "/admin/realtime", `{"on":false}`)
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"on":false,"off":["1650000001"]}`, body)
	require.Equal(t, 202, r.post("U7", noteOf("k-1", "x"), noteOf("k-2", "x")), "phones are still taken from")
	time.Sleep(300 * time.Millisecond)
	require.Zero(t, r.stats().Requests)
	r.close()
	r.open()
	time.Sleep(300 * time.Millisecond)
	require.Zero(t, r.stats().Requests, "the switch outlives a restart")
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
	r.arrive(2)
	eventually(t, "its line", func() bool { return len(r.log.rows("api", "keep")) > 0 })
	row := r.log.rows("api", "keep")[0]
	require.Equal(t, channel, row["channelId"])
	require.Equal(t, "U7", row["userId"])
	require.EqualValues(t, 200, row["status"])
	require.EqualValues(t, 599, row["quota_remaining"])
	require.NotEmpty(t, row["request_id"])

	// a line of api:"keep" is a call, nothing else: what happens beside it would be counted by the queries, too
	require.Equal(t, 202, r.post("U7", noteOf("k-1", "other"), noteOf("k-3", "x")))
	eventually(t, "a dead letter", func() bool { return len(r.letters()) > 0 })
	for _, row := range r.log.rows("api", "keep") {
		require.Equal(t, "call", row["msg"])
		for _, field := range []string{"channelId", "userId", "status", "quota_remaining", "request_id"} {
			require.Contains(t, row, field)
		}
	}
	for _, secret := range []string{"phone-token", "server-secret"} {
		require.NotContains(t, r.log.String(), secret)
	}
	for _, bad := range []string{`{}`, `{"on":1}`, `x`, `{"on":true,"more":1}`} {
		require.Equal(t, 400, first(r.ops("POST", "/admin/realtime", bad)), bad)
	}
}

func TestAReplayIsOneMessage(t *testing.T) {
	r := newRig(t, nil)
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
	a, b, other := noteOf("r-1", "a"), noteOf("r-2", "b"), noteOf("r-2", "changed on the way")
	require.Equal(t, 202, r.post("U1", a, b))
	answer, body := r.do(r.request("U1", "note", batch(a, b)))
	require.Equal(t, 202, answer.StatusCode)
	require.Equal(t, 2, strings.Count(body, `"duplicate"`), body)
	answer, body = r.do(r.request("U1", "note", batch(a, other)))
	require.Equal(t, 200, answer.StatusCode, "Keep's own word, for each note")
	require.JSONEq(t, `{"results":[{"noteId":"r-1","status":"duplicate","sha256":"`+hexSum([]byte(a))+`"},
		{"noteId":"r-2","status":"conflict","sha256":"`+hexSum([]byte(b))+`"}]}`, body)
	require.Equal(t, 202, r.post("U1", noteOf("r-3", "c")))
	answer, body = r.do(r.request("U1", "note", noteOf("r-3", "changed")))
	require.Equal(t, 409, answer.StatusCode)
	require.Contains(t, body, hexSum([]byte(noteOf("r-3", "c"))))
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
	require.Equal(t, map[string]string{"r-1": a, "r-2": b, "r-3": noteOf("r-3", "c")}, r.arrive(3))

	// the queue has passed it on: Keep judges
	eventually(t, "swept", func() bool {
		info, err := r.fleet.engine.queues[channel].stream.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
	require.Equal(t, 202, r.post("U1", a, other))
	eventually(t, "a dead letter", func() bool { _, d := r.ops("GET", "/admin/dead", ""); return strings.Contains(d, "CONFLICT") })
	require.Len(t, r.stored(), 3, "nothing is stored twice")
	_, kept := r.ops("GET", "/admin/dead/1", "")
	require.Equal(t, other, kept, "and nothing is lost")
}

func TestHideComesBehindItsNote(t *testing.T) {
	r := newRig(t, nil)
	require.Equal(t, 202, r.post("U1", noteOf("h-1", "x")))
	r.arrive(1)
	answer, body := r.do(r.request("U1", "hide", `{"noteId":"h-1"}`))
	require.Equal(t, 202, answer.StatusCode)
	require.JSONEq(t, `{"noteId":"h-1","state":"hidden"}`, body)
	look := r.request("U1", "status?noteId=h-1", "")
	look.Method, look.Body, look.ContentLength = http.MethodGet, http.NoBody, 0
	eventually(t, "hidden", func() bool { _, body := r.do(look.Clone(t.Context())); return strings.Contains(body, `"hidden"`) })
}

func TestBadPosts(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Origins = []string{"https://miniapp.example"} })
	good := batch(noteOf("b-1", "x"), noteOf("b-2", "x"))
	for _, row := range []struct {
		name string
		edit func(*http.Request)
		want int
		code string
	}{
		{"no token", func(q *http.Request) { q.Header.Del("Authorization") }, 401, "AUTH_REQUIRED"},
		{"no user", func(q *http.Request) { q.Header.Del("X-User-Id") }, 401, "AUTH_REQUIRED"},
		{"an unknown channel", func(q *http.Request) { q.URL.Path = Prefix + "999/v1/keep/note" }, 404, "UNKNOWN_CHANNEL"},
		{"another channel in the header", func(q *http.Request) { q.Header.Set("X-Line-Channel-ID", "999") }, 400, "CHANNEL_DIFFERS"},
		{"an unknown path", func(q *http.Request) { q.URL.Path = Prefix + channel + "/v1/keep/bulk" }, 404, "PATH"},
		{"GET", func(q *http.Request) { q.Method, q.Body, q.ContentLength = "GET", nil, 0 }, 405, "METHOD"},
		{"a form", func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }, 415, "CONTENT_TYPE"},
		{"packed", func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, 415, "CONTENT_TYPE"},
		{"another site's page", func(q *http.Request) { q.Header.Set("Origin", "https://evil.example") }, 403, "FORBIDDEN_ORIGIN"},
		{"a body that says it is too large", body(strings.Repeat("x", maxBodyBytes+1)), 413, "TOO_LARGE"},
		{"a body that turns out too large", func(q *http.Request) {
			q.Body, q.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", maxBodyBytes+1))), -1
		}, 413, "TOO_LARGE"},
		{"501 notes", body(batch(many(501)...)), 413, "TOO_LARGE"},
		{"a note above 2 MB", body(noteOf("b-1", strings.Repeat("x", maxNoteBytes))), 413, "TOO_LARGE"},
		{"cut in the middle", body(good[:len(good)/2]), 400, "INVALID_BODY"},
		{"cut before its last byte", body(good[:len(good)-1]), 400, "INVALID_BODY"},
		{"more behind it", body(good + "{}"), 400, "INVALID_BODY"},
		{"empty", body(""), 400, "INVALID_BODY"},
		{"no notes", body(`{"notes":[]}`), 400, "INVALID_BODY"},
		{"a note without noteId", body(`{"notes":[{"noteId":"b-1"},{"text":"x"}]}`), 400, "INVALID_BODY"},
		{"a noteId twice", body(batch(noteOf("b-1", "x"), noteOf("b-1", "y"))), 400, "INVALID_BODY"},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := r.request("U1", "note", good)
			row.edit(q)
			answer, text := r.do(q)
			require.Equal(t, row.want, answer.StatusCode, text)
			require.Contains(t, text, `"code":"`+row.code+`"`)
			require.NotEmpty(t, answer.Header.Get("X-Line-Keep-Request-Id"))
		})
	}
	t.Run("the page of the list", func(t *testing.T) {
		q := r.request("U1", "note", "")
		q.Method, q.Body, q.ContentLength = http.MethodOptions, nil, 0
		q.Header = http.Header{"Origin": {"https://miniapp.example"}, "Access-Control-Request-Method": {"POST"}}
		answer, _ := r.do(q)
		require.Equal(t, 204, answer.StatusCode)
		require.Equal(t, "https://miniapp.example", answer.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, answer.Header.Get("Access-Control-Allow-Headers"), "X-Line-Channel-ID")
	})
	t.Run("a refusal that this page can read", func(t *testing.T) {
		q := r.request("", "note", noteOf("b-1", strings.Repeat("x", 2_000_000)))
		q.Header.Set("Origin", "https://miniapp.example")
		answer, _ := r.do(q)
		require.Equal(t, 401, answer.StatusCode)
		require.Equal(t, "https://miniapp.example", answer.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, answer.Header.Get("Access-Control-Expose-Headers"), "Retry-After")
	})
	require.Zero(t, r.stats().Requests, "nothing of them went on")
	require.Equal(t, 202, r.post("U1", noteOf("b-1", "x"), noteOf("b-2", "x")), "and nothing of them took the names")
	r.arrive(2)
}

// The client's largest medium passes, what no client sends does not.
func TestL2_2_MediaAreLargerThanBatches(t *testing.T) {
	r := newRig(t, nil)
	for _, row := range []struct{ bytes, want int }{{8_000_000, 200}, {maxMediaBytes + 1, 413}} {
		q := r.request("U1", "media?mediaId=m-"+itoa(row.bytes), strings.Repeat("x", row.bytes))
		q.Method = http.MethodPut
		q.Header.Set("Content-Type", "audio/mp4")
		answer, text := r.do(q)
		require.Equal(t, row.want, answer.StatusCode, text)
	}
	require.Equal(t, 1, r.stats().Requests)
}

func TestAFullQueueSaysSo(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Engine.QueueBytes = 1 << 20 })
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
	accepted := 0
	for i := 0; ; i++ {
		answer, text := r.do(r.request("U1", "note", noteOf("f-"+itoa(i), strings.Repeat("x", 100_000))))
		if answer.StatusCode != 202 {
			require.Equal(t, 503, answer.StatusCode)
			require.Contains(t, text, "QUEUE_FULL")
			require.NotEmpty(t, answer.Header.Get("Retry-After"))
			break
		}
		accepted++
	}
	require.Positive(t, accepted)
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
	r.arrive(accepted)
}
