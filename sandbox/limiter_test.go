package main

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// LINE guide §2: the minute's limit and the burst ceiling, call by call.
func TestL2_1_L2_2_L2_3_L2_5_L10_3_LimiterTable(t *testing.T) {
	type step struct {
		at   float64 // seconds after an aligned minute
		n    int     // calls at that instant
		want int     // of them accepted
	}
	for _, row := range []struct {
		name  string
		quota quota
		steps []step
	}{
		{"one below the burst cap every 5 s never locks", clientNotes,
			[]step{{0, 29, 29}, {5, 29, 29}, {10, 29, 29}, {15, 14, 13}, {59.9, 1, 0}, {60, 1, 1}}},
		{"the 30th in 5 s is accepted and locks the minute", clientNotes,
			[]step{{0, 30, 30}, {0, 1, 0}, {6, 1, 0}, {59.9, 1, 0}, {60, 1, 1}}},
		{"the span rolls: 29 and one 4.9 s later lock", clientNotes,
			[]step{{10, 29, 29}, {14.9, 2, 1}, {30, 1, 0}}},
		{"exactly 5 s apart is another span", clientNotes,
			[]step{{10, 29, 29}, {15, 2, 2}}},
		{"a server token: the 120th locks", serverNotes,
			[]step{{0, 121, 120}, {30, 1, 0}, {60, 119, 119}}},
		{"a server token: 600 a minute", serverNotes,
			[]step{{0, 119, 119}, {5, 119, 119}, {10, 119, 119}, {15, 119, 119}, {20, 119, 119}, {25, 6, 5}, {60, 1, 1}}},
		{"status has no burst ceiling", statusReads,
			[]step{{0, 601, 600}, {60, 600, 600}}},
		{"windows are aligned: 20 at the end and 20 at the start", quota{perMinute: 20},
			[]step{{59.9, 21, 20}, {60, 21, 20}}},
		{"a burst over the minute's edge is still one span", clientNotes,
			[]step{{58, 29, 29}, {60, 2, 1}, {119, 1, 0}, {120, 1, 1}}},
		{"a lock ends with its minute, the span does not", clientNotes,
			[]step{{58, 30, 30}, {60, 1, 0}, {63, 1, 1}}},
		{"refused calls do not count and do not extend the lock", clientNotes,
			[]step{{0, 30, 30}, {58, 500, 0}, {60, 29, 29}}},
		{"the generic pool: 20 in 5 s", genericCalls,
			[]step{{0, 21, 20}, {60, 19, 19}, {65, 19, 19}, {70, 19, 19}, {75, 4, 3}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBucket(row.quota)
			start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			for _, s := range row.steps {
				ok := 0
				for range s.n {
					if b.take(start.Add(time.Duration(s.at * float64(time.Second)))).ok {
						ok++
					}
				}
				require.Equal(t, s.want, ok, "%d calls at %v s", s.n, s.at)
			}
		})
	}
}

// LINE guide §2, Q1, §6: what a 429 says.
func TestL2_4_HeadersOfA429(t *testing.T) {
	r := newRig(t)
	r.at(12)
	require.Equal(t, "30×200 1×429", r.burst("a", 31))
	w := r.note("b")
	require.Equal(t, 429, w.Code)
	h := w.Header()
	require.Equal(t, "60", h.Get("Retry-After"))
	require.Equal(t, strconv.FormatInt(time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC).Unix(), 10), h.Get("X-Line-Keep-Quota-Reset"))
	require.Equal(t, "0", h.Get("X-Line-Keep-Quota-Remaining"))
	require.NotEmpty(t, h.Get("X-Line-Keep-Request-Id"))
	require.Equal(t, "Sun, 01 Mar 2026 12:00:12 GMT", h.Get("Date"))
}

// LINE guide §6: every answer carries the quota, refusals too.
func TestL6_1_L6_3_EveryAnswerCarriesItsHeaders(t *testing.T) {
	for _, row := range []struct {
		name, method, target, body string
		headers                    []string
		status                     int
	}{
		{"stored", "POST", "/v1/keep/note", noteJSON("a"), nil, 200},
		{"bad JSON", "POST", "/v1/keep/note", "{", nil, 400},
		{"no token", "POST", "/v1/keep/note", noteJSON("a"), []string{"Authorization:"}, 401},
		{"no endpoint", "POST", "/v1/keep/nothing", "", nil, 404},
		{"wrong method", "GET", "/v1/keep/note", "", nil, 405},
		{"status", "GET", "/v1/keep/status?noteId=a", "", nil, 200},
		{"the old path", "POST", "/liff/v2/keep", noteJSON("a"), nil, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newRig(t).send(row.method, row.target, row.body, row.headers...)
			require.Equal(t, row.status, w.Code, w.Body.String())
			for _, name := range []string{"X-Line-Keep-Request-Id", "X-Line-Keep-Quota-Remaining", "X-Line-Keep-Quota-Reset", "Date"} {
				require.NotEmpty(t, w.Header().Get(name), name)
				require.Contains(t, w.Header().Get("Access-Control-Expose-Headers"), name)
			}
			require.Contains(t, w.Header().Get("Access-Control-Expose-Headers"), "Retry-After")
		})
	}
}

// LINE guide §2, §10.3, Q7: which calls share a bucket.
func TestL14_7_L2_2_L10_3_WhichCallsShareABucket(t *testing.T) {
	r := newRig(t)
	require.Equal(t, "30×200 1×429", r.burst("client", 31), "client tier")
	require.Equal(t, "30×429", r.burst("other-pod", 30, "Authorization: Bearer another"), "workers of a channel share its bucket")
	require.Equal(t, 429, r.send("POST", "/v1/keep/hide", `{"noteId":"client0"}`).Code, "hide is billed to the notes' bucket")
	require.Equal(t, 200, r.send("PUT", "/v1/keep/media?mediaId=m", "voice").Code, "media has a bucket of its own")
	require.Equal(t, 200, r.send("GET", "/v1/keep/status?noteId=client0", "").Code, "status has a bucket of its own")
	require.Equal(t, "30×200", r.burst("x", 30, "X-Line-Channel-ID: 1650000002"), "another channel")
	require.Equal(t, "120×200 1×429", r.burst("s", 121, "Authorization: Bearer server-key"), "server tier")
	require.Equal(t, "20×200 1×429", r.burst("g", 21, "X-Line-Channel-ID:"), "without a channel: the generic pool")
	require.Equal(t, "3×429", r.burst("h", 3, "X-Line-Channel-ID:", "Authorization: Bearer server-key"), "the pool is one for all")
	require.Equal(t, 429, r.send("GET", "/v1/keep/status?noteId=a", "", "X-Line-Channel-ID:").Code, "and for all kinds")
}

// LINE guide Q5: what is refused before the limiter costs nothing.
func TestL14_5_L10_2_RefusalsThatCostNoQuota(t *testing.T) {
	for _, row := range []struct {
		name, method, target, body, header string
		status                             int
	}{
		{"501 notes", "POST", "/v1/keep/note", batch(501), "", 413},
		{"a note over 2 MB", "POST", "/v1/keep/note", sized("big", noteCap+1), "", 413},
		{"a body over 8 MiB", "POST", "/v1/keep/note", sized("huge", bodyCap+1), "", 413},
		{"no JSON", "POST", "/v1/keep/note", "hello", "", 400},
		{"no noteId", "POST", "/v1/keep/note", `{"text":"a"}`, "", 400},
		{"no token", "POST", "/v1/keep/note", noteJSON("a"), "Authorization:", 401},
		{"unknown endpoint", "POST", "/v1/keep/bulk", "", "", 404},
		{"hide of nothing", "POST", "/v1/keep/hide", `{"noteId":"none"}`, "", 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t)
			w := r.send(row.method, row.target, row.body, row.header)
			require.Equal(t, row.status, w.Code, w.Body.String())
			require.Empty(t, r.lines("/ops/ledger"), "no ledger row")
			require.Empty(t, r.lines("/ops/notes"), "nothing stored")
			require.Equal(t, "99", r.note("next").Header().Get("X-Line-Keep-Quota-Remaining"))
		})
	}
}

// LINE guide §13.4: the drill's background load, computed from the clock.
func TestL13_5_BackgroundLoad(t *testing.T) {
	for _, row := range []struct {
		percent float64
		at      float64
		status  int
		left    string
	}{
		{200, 15, 200, "49"}, // 50 of others, one of ours
		{200, 29.9, 200, "0"},
		{200, 30, 429, "0"},
		{200, 59.9, 429, "0"},
		{200, 60, 200, "98"}, // the arrival at 60.0 s and ours
		{200, 90, 429, "0"},
		{200, 599, 429, "0"},
		{200, 660, 200, "99"}, // over after 600 s
		{50, 59.9, 200, "50"},
		{0, 59.9, 200, "99"},
		{600, 3.1, 429, "0"}, // 10 a second fill the burst cap after 3 s
	} {
		t.Run(fmt.Sprintf("%v%% at %v s", row.percent, row.at), func(t *testing.T) {
			r := newRig(t)
			r.fault(fmt.Sprintf(`{"kind":"load","percent":%v,"seconds":600}`, row.percent))
			r.at(row.at)
			w := r.note("a")
			require.Equal(t, row.status, w.Code)
			require.Equal(t, row.left, w.Header().Get("X-Line-Keep-Quota-Remaining"))
			require.EqualValues(t, 1, r.stats()["maxPerMinute"], "others are not in the traffic")
		})
	}
}

// The load of one channel leaves the others alone.
func TestL13_5_BackgroundLoadOfOneChannel(t *testing.T) {
	r := newRig(t)
	r.note("first")
	r.fault(`{"kind":"load","percent":200,"seconds":60,"channel":"1650000001"}`)
	r.at(40)
	require.Equal(t, 429, r.note("a").Code)
	require.Equal(t, 200, r.note("a", "X-Line-Channel-ID: 1650000002").Code)
	require.Equal(t, 200, r.send("GET", "/v1/keep/status?noteId=a", "").Code)
	require.Equal(t, 429, r.note("b", "Authorization: Bearer server-key").Code, "the server tier's minute is full too")
}
