package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A rig is a sandbox whose clock stands still until a test moves it.
type rig struct {
	t *testing.T
	*server
	real time.Time
}

// newRig starts at an aligned minute, well before the old path ends.
func newRig(t *testing.T, change ...func(*options)) *rig {
	until, err := time.Parse(time.RFC3339, legacyUntil)
	require.NoError(t, err)
	opt := options{cors: true, keep: keepOptions{expose: true, legacyUntil: until}}
	for _, f := range change {
		f(&opt)
	}
	r := &rig{t: t, real: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.server = newServer(opt, newClock(time.Time{}, 1, func() time.Time { return r.real }))
	return r
}

// at puts the clock seconds after the start.
func (r *rig) at(seconds float64) {
	r.real = r.clock.born.Add(time.Duration(seconds * float64(time.Second)))
}

// send is one call with the client token of channel 1650000001; headers are
// "Name: value" and replace the defaults, "Name:" removes one.
func (r *rig) send(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, target, strings.NewReader(body))
	q.Header.Set("Authorization", "Bearer user-token")
	q.Header.Set("X-Line-Channel-ID", "1650000001")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		q.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			q.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

func (r *rig) note(id string, headers ...string) *httptest.ResponseRecorder {
	return r.send("POST", "/v1/keep/note", noteJSON(id), headers...)
}

func noteJSON(id string) string { return fmt.Sprintf(`{"noteId":%q,"text":"hello"}`, id) }

// burst sends n notes named prefix0, prefix1, … and returns their statuses,
// counted: "30×200 5×429".
func (r *rig) burst(prefix string, n int, headers ...string) string {
	var runs []string
	last, count := 0, 0
	for i := 0; i <= n; i++ {
		status := 0
		if i < n {
			status = r.note(fmt.Sprintf("%s%d", prefix, i), headers...).Code
		}
		if status != last && count > 0 {
			runs = append(runs, fmt.Sprintf("%d×%d", count, last))
			count = 0
		}
		last = status
		count++
	}
	return strings.Join(runs, " ")
}

func (r *rig) ops(method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

func (r *rig) fault(entries string) {
	r.t.Helper()
	w := r.ops("POST", "/ops/faults", `{"script":[`+entries+`]}`)
	require.Equal(r.t, 200, w.Code, w.Body.String())
}

// lines returns the NDJSON rows of an /ops call, with their LF.
func (r *rig) lines(target string) []string {
	var out []string
	scan := bufio.NewReader(r.ops("GET", target, "").Body)
	for {
		line, err := scan.ReadString('\n')
		if err != nil {
			return out
		}
		out = append(out, line)
	}
}

func (r *rig) json(w *httptest.ResponseRecorder) map[string]any {
	r.t.Helper()
	var v map[string]any
	require.NoError(r.t, json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&v), w.Body.String())
	return v
}

func (r *rig) stats() map[string]any { return r.json(r.ops("GET", "/ops/stats", "")) }
func (r *rig) audit() map[string]any { return r.json(r.ops("GET", "/ops/audit", "")) }

var _ http.Handler = (*server)(nil)
