package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rig is a relay in front of one host, each a real server on a loopback port.
type rig struct {
	t        *testing.T
	relay    *httptest.Server
	upstream *httptest.Server
	calls    *passthrough
	log      *locked
}

// newRig serves host behind a relay whose list holds only it; edit changes the configuration.
func newRig(t *testing.T, host http.HandlerFunc, edit func(*config)) *rig {
	t.Helper()
	upstream := httptest.NewServer(host)
	t.Cleanup(upstream.Close)
	c, err := parse([]string{"-hosts", upstream.URL}, io.Discard)
	require.NoError(t, err)
	if edit != nil {
		edit(&c)
	}
	log := &locked{}
	calls := newPassthrough(c, newMeasures(), slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	mux := http.NewServeMux()
	mux.Handle(prefix, calls)
	relay := httptest.NewServer(mux)
	t.Cleanup(relay.Close)
	return &rig{t: t, relay: relay, upstream: upstream, calls: calls, log: log}
}

// request is a page's own call of path at the rig's host.
func (r *rig) request(path string, body io.Reader) *http.Request {
	r.t.Helper()
	host, err := url.Parse(r.upstream.URL)
	require.NoError(r.t, err)
	req, err := http.NewRequest(http.MethodPost, r.relay.URL+prefix+host.Host+path, body)
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", "application/x-thrift")
	return req
}

// do returns the answer and its whole body.
func (r *rig) do(req *http.Request) (*http.Response, []byte) {
	r.t.Helper()
	answer, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(r.t, err)
	return answer, body
}

// refused says which of the relay's own answers this is.
func refused(t *testing.T, body []byte) string {
	t.Helper()
	var answer struct {
		Error struct{ Code, Message string }
	}
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	require.NotEmpty(t, answer.Error.Message)
	return answer.Error.Code
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

// dribble gives a byte every few milliseconds and never ends by itself.
type dribble struct{ end <-chan struct{} }

func (d dribble) Read(b []byte) (int, error) {
	select {
	case <-d.end:
		return 0, io.EOF
	case <-time.After(5 * time.Millisecond):
		b[0] = 'x'
		return 1, nil
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/x-thrift")
	_, _ = w.Write(body)
}

func text(n int) io.Reader { return strings.NewReader(strings.Repeat("x", n)) }
