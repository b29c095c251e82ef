package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func parseTime(t *testing.T, s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

// Faults that only change the answer: the statuses of five notes in a row.
func TestFaults_AnswersInSequence(t *testing.T) {
	for _, row := range []struct{ script, want string }{
		{`{"kind":"status","status":500}`, "1×500 4×200"},
		{`{"kind":"status","status":429,"times":3}`, "3×429 2×200"},
		{`{"kind":"status","status":503,"skip":2,"times":2}`, "2×200 2×503 1×200"},
		{`{"kind":"status","status":500},{"kind":"status","status":413},{"kind":"garbage"}`, "1×500 1×413 3×200"},
		{`{"kind":"status","status":500,"path":"/v1/keep/status"}`, "5×200"},
		{`{"kind":"status","status":500,"path":"/v1/keep/note","times":9}`, "5×500"},
		{`{"kind":"expire-token"}`, "5×401"},
		{`{"kind":"expire-token","skip":3}`, "3×200 2×401"},
		{`{"kind":"revoke-scope"}`, "5×403"},
		{`{"kind":"revoke-scope"},{"kind":"grant-scope","skip":2}`, "2×403 3×200"},
	} {
		t.Run(row.script, func(t *testing.T) {
			r := newRig(t)
			r.fault(row.script)
			require.Equal(t, row.want, r.burst("a", 5))
		})
	}
}

// An ordered status stores nothing and costs no quota; a 429 leaves its row.
func TestFaults_StatusIsShaped(t *testing.T) {
	for _, row := range []struct {
		script, body, retryAfter, contentType string
		status, rows                          int
	}{
		{`{"kind":"status","status":429}`, "quota_exceeded", "60", "application/json", 429, 1},
		{`{"kind":"status","status":429,"retryAfter":"7"}`, "quota_exceeded", "7", "application/json", 429, 1},
		{`{"kind":"status","status":429,"retryAfter":""}`, "quota_exceeded", "", "application/json", 429, 1},
		{`{"kind":"status","status":503,"retryAfter":"30","body":"<html>"}`, "<html>", "30", "text/plain; charset=utf-8", 503, 0},
		{`{"kind":"status","status":502,"body":{"a":1},"contentType":"x/y"}`, `{"a":1}`, "", "x/y", 502, 0},
		{`{"kind":"status","status":200,"body":"{\"results\":[]}"}`, `{"results":[]}`, "", "application/json", 200, 0},
	} {
		r := newRig(t)
		r.fault(row.script)
		w := r.note("a")
		require.Equal(t, row.status, w.Code, row.script)
		require.Contains(t, w.Body.String(), row.body)
		require.Equal(t, row.retryAfter, w.Header().Get("Retry-After"))
		require.Equal(t, row.contentType, w.Header().Get("Content-Type"))
		require.Equal(t, "100", w.Header().Get("X-Line-Keep-Quota-Remaining"))
		require.Empty(t, r.lines("/ops/notes"))
		rows := r.lines("/ops/ledger")
		require.Len(t, rows, row.rows)
		for _, line := range rows {
			require.Len(t, line, 480)
		}
	}
}

// What answers in the service's place: HTML, no header of the service, no leave for a page to read it, nothing stored,
// no quota spent, no row.
func TestFaults_SomethingOnTheWayAnswers(t *testing.T) {
	for _, row := range []struct {
		script, body, location, allowed string
		status                          int
	}{
		{`{"kind":"proxy"}`, "413 Request Entity Too Large", "", "", 413},
		{`{"kind":"proxy","cors":true}`, "413 Request Entity Too Large", "", "*", 413},
		{`{"kind":"proxy","status":502}`, "502 Bad Gateway", "", "", 502},
		{`{"kind":"proxy","status":200,"body":"<form>","contentType":"text/html"}`, "<form>", "", "", 200},
		{`{"kind":"redirect"}`, "302 Found", "/log-in", "", 302},
		{`{"kind":"redirect","location":"https://portal.invalid/"}`, "302 Found", "https://portal.invalid/", "", 302},
	} {
		r := newRig(t)
		r.fault(row.script)
		w := r.note("a")
		require.Equal(t, row.status, w.Code, row.script)
		require.Contains(t, w.Body.String(), row.body)
		require.Contains(t, w.Header().Get("Content-Type"), "text/html")
		require.Equal(t, row.location, w.Header().Get("Location"))
		require.Equal(t, row.allowed, w.Header().Get("Access-Control-Allow-Origin"), row.script)
		for name := range w.Header() {
			require.NotContains(t, name, "X-Line", row.script)
		}
		require.Empty(t, r.lines("/ops/notes"))
		require.Empty(t, r.lines("/ops/ledger"))
		require.Equal(t, 200, r.note("a").Code, "the next call is well")
		require.Equal(t, "*", r.note("b").Header().Get("Access-Control-Allow-Origin"))
	}
}

// A proxy that takes small bodies only: what is over its limit never arrives, the rest does.
func TestFaults_ProxyRefusesLargeBodiesOnly(t *testing.T) {
	r := newRig(t)
	r.fault(`{"kind":"proxy","overBytes":200,"times":2}`)
	require.Equal(t, 200, r.send("POST", "/v1/keep/note", batch(2)).Code)
	require.Equal(t, 413, r.send("POST", "/v1/keep/note", batch(20)).Code)
	require.Equal(t, 200, r.note("a").Code)
	require.Equal(t, 413, r.send("POST", "/v1/keep/note", batch(20)).Code)
	require.Equal(t, 200, r.send("POST", "/v1/keep/note", batch(20)).Code, "twice was ordered")
}

// The right answer under a wrong Content-Type: stored, and told so.
func TestFaults_WrongContentType(t *testing.T) {
	r := newRig(t)
	r.fault(`{"kind":"type","contentType":"text/html"}`)
	w := r.note("a")
	require.Equal(t, 200, w.Code)
	require.Equal(t, "text/html", w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), `"noteId":"a"`)
	require.Len(t, r.lines("/ops/notes"), 1)
	require.Equal(t, "application/json", r.note("b").Header().Get("Content-Type"))
}

// Faults of the connection, over a real one: what the client sees, what is stored.
func TestFaults_ConnectionFaults(t *testing.T) {
	for _, row := range []struct {
		fault  string
		client string // "error" = no answer at all, "short" = it breaks off, else the status
		stored int
	}{
		{`{"kind":"cut","when":"before"}`, "error", 0},
		{`{"kind":"cut"}`, "error", 0},
		{`{"kind":"cut","when":"after"}`, "error", 1},
		{`{"kind":"half"}`, "short", 1},
		{`{"kind":"garbage"}`, "garbage", 1},
		{`{"kind":"delay","ms":5}`, "200", 1},
		{`{"kind":"delay","ms":5,"when":"after"}`, "200", 1},
		{`{"kind":"hang"}`, "error", 0},
		{`{"kind":"hang","when":"after"}`, "error", 1},
	} {
		t.Run(row.fault, func(t *testing.T) {
			r := newRig(t)
			waited := 0
			r.wait = func(_ context.Context, d time.Duration) {
				require.Equal(t, 5*time.Millisecond, d)
				waited++
			}
			web := httptest.NewServer(r)
			defer web.Close()
			r.fault(row.fault)
			require.Equal(t, row.client, post(web.URL, strings.Contains(row.fault, "hang")))
			require.Eventually(t, func() bool { return r.ended() == 1 }, 5*time.Second, time.Millisecond)
			require.Len(t, r.lines("/ops/notes"), row.stored)
			require.Equal(t, strings.Contains(row.fault, "delay"), waited == 1)
			require.Equal(t, "200", post(web.URL, false), "the next call is well")
			require.Len(t, r.lines("/ops/notes"), 1)
		})
	}
}

// post sends the note "a" once, on a connection of its own, and says what came
// back. A client that is to hang gives up at once after sending.
func post(base string, hangs bool) string {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if hangs {
		ctx, leave = context.WithTimeout(ctx, 100*time.Millisecond)
		defer leave()
	}
	q, _ := http.NewRequestWithContext(ctx, "POST", base+"/v1/keep/note", strings.NewReader(noteJSON("a")))
	q.Header.Set("Authorization", "Bearer t")
	q.Header.Set("X-Line-Channel-ID", "1650000001")
	q.Close = true
	answer, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		return "error"
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return "short"
	case !json.Valid(body):
		return "garbage"
	}
	return fmt.Sprint(answer.StatusCode)
}

func (r *rig) ended() int { return len(r.lines("/ops/requests")) }

// A reset ends calls that hang, so that a test never waits for them.
func TestFaults_ResetEndsHangingCalls(t *testing.T) {
	r := newRig(t)
	web := httptest.NewServer(r)
	defer web.Close()
	r.fault(`{"kind":"hang"}`)
	got := make(chan string)
	go func() { got <- post(web.URL, false) }()
	require.Eventually(t, func() bool { return strings.Contains(r.ops("GET", "/ops/faults", "").Body.String(), `"script":[]`) },
		5*time.Second, time.Millisecond)
	require.Equal(t, 200, r.ops("POST", "/ops/reset", "").Code)
	require.Equal(t, "error", <-got)
}

// LINE guide §10, Q6: a token that expired, a scope that was taken back. Meant are the tokens that were seen, not those
// to come.
func TestL10_2_L14_6_OtherTokensStayGood(t *testing.T) {
	for _, row := range []struct {
		kind   string
		status int
	}{{"expire-token", 401}, {"revoke-scope", 403}} {
		r := newRig(t)
		r.note("a")
		r.fault(`{"kind":"` + row.kind + `"}`)
		require.Equal(t, row.status, r.note("b").Code, row.kind)
		require.Equal(t, 200, r.note("b", "Authorization: Bearer fresh").Code)
		require.Equal(t, row.status, r.note("c").Code, "it stays so")
		require.Len(t, r.lines("/ops/ledger"), 2, "401 and 403 leave no row")
	}
}

// LINE guide Q1: Retry-After is 60 today and may become dynamic.
func TestL14_1_HeadersWithheldAndRetryAfter(t *testing.T) {
	r := newRig(t)
	r.burst("a", 30)
	for _, row := range []struct {
		fault, retryAfter string
		exposed           bool
	}{
		{`{"kind":"hide-headers"}`, "60", false},
		{`{"kind":"show-headers"},{"kind":"retry-after","value":"120"}`, "120", true},
		{`{"kind":"retry-after","value":"Sun, 01 Mar 2026 12:02:00 GMT"}`, "Sun, 01 Mar 2026 12:02:00 GMT", true},
		{`{"kind":"retry-after","value":""}`, "", true},
		{`{"kind":"retry-after"}`, "60", true},
	} {
		r.fault(row.fault)
		w := r.note("z")
		require.Equal(t, 429, w.Code)
		require.Equal(t, row.retryAfter, w.Header().Get("Retry-After"), row.fault)
		require.Equal(t, row.exposed, w.Header().Get("Access-Control-Expose-Headers") != "", row.fault)
	}
}

// Lost notes are absent and can be written again: what reconcile repairs.
func TestFaults_LoseNotes(t *testing.T) {
	r := newRig(t)
	r.send("POST", "/v1/keep/note", batch(5))
	r.fault(`{"kind":"lose-notes","count":2},{"kind":"lose-notes","noteIds":["n0","unknown"]}`)
	require.Equal(t, noteJSON("n1")+"\n"+noteJSON("n2")+"\n", strings.Join(r.lines("/ops/notes?raw=1"), ""))
	require.Contains(t, r.send("GET", "/v1/keep/status?noteId=n4", "").Body.String(), "absent")
	got := r.json(r.ops("POST", "/ops/audit", `{"expected":["n0","n1","n4"]}`))
	require.Equal(t, []any{"n0", "n4"}, got["absent"])
	require.Contains(t, r.send("POST", "/v1/keep/note", batch(5)).Body.String(), `{"noteId":"n4","status":"stored"`)
}

func TestFaults_BadScriptsAreRefused(t *testing.T) {
	for _, row := range []struct{ body, why string }{
		{`{"script":[{"kind":"earthquake"}]}`, "unknown kind"},
		{`{"script":[{"kind":"status","status":500},{"kind":"cut","when":"later"}]}`, "entry 1"},
		{`{"script":[{"kind":"status","status":42}]}`, "200 to 599"},
		{`{"script":[{"kind":"status","status":500,"ms":4}]}`, `takes no`},
		{`{"script":[{"kind":"load","percent":200}]}`, "seconds"},
		{`{"script":[{"kind":"lose-notes"}]}`, "count or noteIds"},
		{`{"script":[{"kind":"type"}]}`, "contentType"},
		{`{"script":[{"kind":"proxy","status":9}]}`, "200 to 599"},
		{`{"script":[{"kind":"proxy","overBytes":-1}]}`, "not negative"},
		{`{"script":[{"kind":"redirect","cors":true}]}`, "takes no"},
		{`{"script":[{"kind":"half","times":0}]}`, "at least 1"},
		{`{"script":[{"kind":"half","path":"v1"}]}`, "path"},
		{`{"script":[{"kind":"half","tymes":1}]}`, "unknown field"},
		{`{}`, "script"},
		{`[`, "script"},
	} {
		r := newRig(t)
		w := r.ops("POST", "/ops/faults", row.body)
		require.Equal(t, 400, w.Code, row.body)
		got := r.json(w)
		require.Contains(t, got["message"], row.why)
		require.Len(t, got["kinds"], len(faultKinds))
		require.Equal(t, 200, r.note("a").Code, "nothing of a bad script is kept")
	}
}

// The list of what is left, for a test to wait on.
func TestFaults_WhatIsLeft(t *testing.T) {
	r := newRig(t)
	r.fault(`{"kind":"status","status":500,"times":2},{"kind":"cut","when":"after"},{"kind":"hide-headers"}`)
	r.note("a")
	want := `[{"kind":"status","times":1,"status":500},{"kind":"cut","times":1,"when":"after"}]`
	got, _ := json.Marshal(r.json(r.ops("GET", "/ops/faults", ""))["script"])
	require.JSONEq(t, want, string(bytes.TrimSpace(got)))
	require.Equal(t, 200, r.ops("POST", "/ops/reset", "").Code)
	require.Contains(t, r.ops("GET", "/ops/faults", "").Body.String(), `"script":[]`)
	require.NotEmpty(t, r.note("a").Header().Get("Access-Control-Expose-Headers"))
}
