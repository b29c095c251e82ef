package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCORS_Preflight(t *testing.T) {
	for _, row := range []struct {
		path    string
		cors    bool
		allowed bool
	}{
		{"/v1/keep/note", true, true},
		{"/liff/v2/keep", true, true},
		{"/v1/keep/note", false, false},
		{"/ops/stats", false, true},
	} {
		r := newRig(t, func(o *options) { o.cors = row.cors })
		w := r.send("OPTIONS", row.path, "")
		require.Equal(t, 204, w.Code)
		require.Equal(t, row.allowed, w.Header().Get("Access-Control-Allow-Origin") == "*", row.path)
		require.Equal(t, row.allowed, w.Header().Get("Access-Control-Max-Age") != "", row.path)
		if row.path == "/v1/keep/note" && row.cors {
			require.Equal(t, "Authorization, Content-Type, Content-Encoding, X-Line-Channel-ID",
				w.Header().Get("Access-Control-Allow-Headers"))
		}
		require.EqualValues(t, 0, r.stats()["requests"], "OPTIONS and /ops are no traffic")
	}
}

func TestCORS_Flags(t *testing.T) {
	for _, row := range []struct{ cors, expose, origin, list bool }{
		{true, true, true, true},
		{true, false, true, false},
		{false, true, false, false},
	} {
		r := newRig(t, func(o *options) { o.cors, o.keep.expose = row.cors, row.expose })
		h := r.note("a").Header()
		require.Equal(t, row.origin, h.Get("Access-Control-Allow-Origin") != "")
		require.Equal(t, row.list, h.Get("Access-Control-Expose-Headers") != "")
	}
}

// The figures a test asserts a client's own limiter with (LINE guide §2).
func TestL2_5_TrafficFigures(t *testing.T) {
	r := newRig(t)
	r.at(50)
	r.burst("a", 28)
	r.at(54.9)
	r.burst("b", 4)
	r.at(61)
	r.burst("c", 3)
	r.send("GET", "/v1/keep/status?noteId=a0", "")
	got := r.stats()
	require.EqualValues(t, 36, got["requests"])
	bucket := got["buckets"].(map[string]any)["1650000001/note"].(map[string]any)
	for name, want := range map[string]int{"requests": 35, "maxPerMinute": 32, "maxPer60s": 35, "maxPer5s": 32} {
		require.EqualValues(t, want, bucket[name], name)
	}
	require.Equal(t, map[string]any{"200": 33.0, "429": 2.0}, bucket["byStatus"], "the 30th call locked the minute")
	require.EqualValues(t, len(noteJSON("a0"))*14+len(noteJSON("a10"))*18+len(noteJSON("c0"))*3, bucket["bytes"])
	require.Len(t, r.lines("/ops/requests"), 36)
}

// Calls exactly 5 s or 60 s apart are in no span together.
func TestL2_5_TrafficSpansAreHalfOpen(t *testing.T) {
	r := newRig(t)
	for _, at := range []float64{0, 5, 60} {
		r.at(at)
		r.note("a")
	}
	got := r.stats()
	require.EqualValues(t, 1, got["maxPer5s"])
	require.EqualValues(t, 2, got["maxPer60s"])
}

func TestClock_FactorStartAndAdvance(t *testing.T) {
	real := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := newClock(parseTime(t, "2026-06-30T23:00:00+09:00"), 60, func() time.Time { return real })
	require.Equal(t, "2026-06-30T14:00:00Z", c.now().UTC().Format(time.RFC3339))
	real = real.Add(90 * time.Second)
	require.Equal(t, "2026-06-30T15:30:00Z", c.now().UTC().Format(time.RFC3339))
	c.advance(time.Hour)
	c.advance(-time.Hour)
	require.Equal(t, "2026-06-30T16:30:00Z", c.now().UTC().Format(time.RFC3339))
}

func TestClock_Ops(t *testing.T) {
	r := newRig(t)
	start := r.json(r.ops("GET", "/ops/clock", ""))
	require.EqualValues(t, 1, start["factor"])
	require.EqualValues(t, r.real.UnixMilli(), start["now"])
	moved := r.json(r.ops("POST", "/ops/clock", `{"advanceSeconds":61.5}`))
	require.EqualValues(t, r.real.UnixMilli()+61500, moved["now"])
	require.Equal(t, 400, r.ops("POST", "/ops/clock", `{"advanceSeconds":-1}`).Code)
}

func TestReset_ForgetsEverything(t *testing.T) {
	r := newRig(t)
	r.burst("a", 31)
	r.fault(`{"kind":"status","status":500,"times":5},{"kind":"expire-token"}`)
	require.Equal(t, 200, r.ops("POST", "/ops/reset", "").Code)
	require.Empty(t, r.lines("/ops/notes"))
	require.Empty(t, r.lines("/ops/ledger"))
	require.EqualValues(t, 0, r.stats()["requests"])
	w := r.note("a0")
	require.Equal(t, 200, w.Code)
	require.Equal(t, "99", w.Header().Get("X-Line-Keep-Quota-Remaining"))
}

func TestFlags(t *testing.T) {
	for _, row := range []struct{ flag, value, want string }{
		{"-addr", "0.0.0.0:8787", "no loopback"},
		{"-addr", ":8787", "no loopback"},
		{"-addr", "192.168.1.5:80", "no loopback"},
		{"-addr", "127.0.0.1:0", ""},
		{"-addr", "[::1]:0", ""},
		{"-addr", "localhost:0", ""},
		{"-addr", "127.0.0.1", "-addr"},
		{"-clock", "0", "above 0"},
		{"-clock-start", "yesterday", "-clock-start"},
		{"-legacy-until", "soon", "-legacy-until"},
	} {
		_, _, _, err := parse([]string{row.flag, row.value})
		if row.want == "" {
			require.NoError(t, err, row.value)
		} else {
			require.ErrorContains(t, err, row.want)
		}
	}
}

func TestRun_StopsCleanly(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	require.NoError(t, run(ctx, []string{"-addr", "127.0.0.1:0"}))
}

func TestFiles(t *testing.T) {
	web, demo := t.TempDir(), t.TempDir()
	put := func(dir, name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	put(demo, "index.html", "<p>demo")
	put(demo, "sub/index.html", "<p>sub")
	put(web, "index.js", "js")
	put(web, "keep.wasm", "wasm")
	put(web, "keep.wasm.br", "packed br")
	put(web, "keep.wasm.gz", "packed gz")
	put(web, "old.js.br", "stale")
	put(web, "old.js", "fresh")
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(web, "old.js.br"), past, past))

	r := newRig(t, func(o *options) { o.web, o.demo = web, demo })
	for _, row := range []struct {
		path, accept string
		status       int
		body, mime   string
		encoding     string
	}{
		{"/", "", 200, "<p>demo", "text/html; charset=utf-8", ""},
		{"/sub/", "", 200, "<p>sub", "text/html; charset=utf-8", ""},
		{"/dist/index.js", "br", 200, "js", "text/javascript; charset=utf-8", ""},
		{"/dist/keep.wasm", "", 200, "wasm", "application/" + "wasm", ""},
		{"/dist/keep.wasm", "gzip, deflate, br", 200, "packed br", "application/" + "wasm", "br"},
		{"/dist/keep.wasm", "gzip;q=1, br;q=0", 200, "packed gz", "application/" + "wasm", "gzip"},
		{"/dist/old.js", "br", 200, "fresh", "text/javascript; charset=utf-8", ""},
		{"/dist/../../secret", "", 404, "", "", ""},
		{"/dist/none.js", "", 404, "", "", ""},
	} {
		q := httptest.NewRequest("GET", "/", nil)
		q.URL.Path = row.path
		q.Header.Set("Accept-Encoding", row.accept)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		require.Equal(t, row.status, w.Code, row.path)
		if row.status != 200 {
			continue
		}
		require.Equal(t, row.body, w.Body.String(), row.path)
		require.Equal(t, row.mime, w.Header().Get("Content-Type"))
		require.Equal(t, row.encoding, w.Header().Get("Content-Encoding"))
		require.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
		require.Equal(t, row.body[0] == '<', w.Header().Get("Content-Security-Policy") == contentPolicy)
	}
}
