package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/e2e/service"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

const channel = "1650000001"

var sandboxBinary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		panic(err)
	}
	sandboxBinary = filepath.Join(dir, "sandbox")
	if out, err := exec.Command("go", "build", "-o", sandboxBinary, "../../sandbox").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// rig is a relay's fleet mode, with a queue on disk, in front of a real sandbox.
type rig struct {
	t       *testing.T
	sandbox *service.Sandbox
	fleet   *Fleet
	server  *httptest.Server
	admin   *httptest.Server
	log     *locked
	options Options
}

// newRig starts both. edit changes the options; the sandbox's address is not known before.
func newRig(t *testing.T, edit func(*Options)) *rig {
	t.Helper()
	// 10:00 JST on a day that is no holiday: the ceilings are the plain ones
	s, err := service.Start(t.Context(), service.Options{Binary: sandboxBinary, Dir: "../..", Dist: "web/dist", ClockStart: "2026-02-10T01:00:00Z"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	r := &rig{t: t, sandbox: s, log: &locked{}}
	r.options = Options{Engine: Engine{Dir: t.TempDir(), Replicas: 1, QueueBytes: 1 << 28, Dedup: time.Minute, AckWait: 2 * time.Second},
		Channels: []Channel{r.channel(channel)}, Identify: "header:X-User-Id", Workers: 2, Posts: 64, PostTimeout: 5 * time.Second,
		CallTimeout: 5 * time.Second, Linger: 20 * time.Millisecond, Clock: morning(t, 1)}
	if edit != nil {
		edit(&r.options)
	}
	r.open()
	t.Cleanup(r.close)
	return r
}

// morning is a clock that shows 10:00 JST now, and runs factor times as fast.
func morning(t *testing.T, factor int) *Clock {
	t.Helper()
	c, err := ParseClock(fmt.Sprintf("%d,%d,2026-02-10T01:00:00Z", factor, time.Now().UnixMilli()))
	require.NoError(t, err)
	return c
}

// channel is a row of the configuration, with credentials of the server tier in a file.
func (r *rig) channel(id string) Channel {
	file := filepath.Join(r.t.TempDir(), "token")
	require.NoError(r.t, os.WriteFile(file, []byte("server-secret\n"), 0o600))
	return Channel{ID: id, BaseURL: r.sandbox.URL, TokenFile: file, Mix: true, Drain: always}
}

func (r *rig) open() {
	r.t.Helper()
	f, err := Open(r.t.Context(), r.options, prometheus.NewRegistry(), slog.New(slog.NewJSONHandler(r.log, nil)))
	require.NoError(r.t, err)
	mux := http.NewServeMux()
	f.Admin(mux)
	r.fleet, r.server, r.admin = f, httptest.NewServer(f.Handler()), httptest.NewServer(mux)
}

func (r *rig) close() {
	if r.fleet == nil {
		return
	}
	r.server.Close()
	r.admin.Close()
	r.fleet.Close()
	r.fleet = nil
}

// request is a phone's post of a user.
func (r *rig) request(user, path, body string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, r.server.URL+Prefix+channel+"/v1/keep/"+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Line-Channel-ID", channel)
	req.Header.Set("Authorization", "Bearer phone-token-of-"+user)
	req.Header.Set("X-User-Id", user)
	return req
}

func (r *rig) do(req *http.Request) (*http.Response, string) {
	r.t.Helper()
	answer, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(r.t, err)
	return answer, string(body)
}

// post sends a batch of a user and returns the status.
func (r *rig) post(user string, notes ...string) int {
	r.t.Helper()
	answer, body := r.do(r.request(user, "note", batch(notes...)))
	if answer.StatusCode != http.StatusAccepted {
		r.t.Logf("%d %s", answer.StatusCode, body)
	}
	return answer.StatusCode
}

// ops asks the relay's admin listener.
func (r *rig) ops(method, path, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.admin.URL+path, strings.NewReader(body))
	require.NoError(r.t, err)
	answer, text := r.do(req)
	return answer.StatusCode, text
}

// stored returns what the sandbox holds of the channel, noteId → raw bytes, each once.
func (r *rig) stored() map[string]string {
	r.t.Helper()
	raw, err := r.sandbox.Notes(context.Background(), channel, true)
	require.NoError(r.t, err)
	all := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		var n struct{ NoteID string }
		require.NoError(r.t, json.Unmarshal([]byte(line), &n))
		require.NotContains(r.t, all, n.NoteID, "doubled")
		all[n.NoteID] = line
	}
	return all
}

// arrive waits until the sandbox holds n notes.
func (r *rig) arrive(n int) map[string]string {
	r.t.Helper()
	until := time.Now().Add(60 * time.Second)
	for {
		all := r.stored()
		if len(all) >= n || time.Now().After(until) {
			require.Len(r.t, all, n)
			return all
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (r *rig) stats() service.Stats {
	r.t.Helper()
	s, err := r.sandbox.Stats(context.Background())
	require.NoError(r.t, err)
	return s
}

// eventually waits for a state that has no signal.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(60 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("did not come: %s", what)
		}
	}
}

func noteOf(id, text string) string { return fmt.Sprintf(`{"noteId":%q,"text":%q}`, id, text) }

func batch(notes ...string) string {
	if len(notes) == 1 {
		return notes[0]
	}
	return `{"notes":[` + strings.Join(notes, ",") + `]}`
}

// locked is a log that may be read while it is written.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// rows are the log's lines whose field has the value.
func (l *locked) rows(field string, value any) (rows []map[string]any) {
	for line := range strings.Lines(l.String()) {
		var row map[string]any
		if json.Unmarshal([]byte(line), &row) == nil && fmt.Sprint(row[field]) == fmt.Sprint(value) {
			rows = append(rows, row)
		}
	}
	return rows
}
