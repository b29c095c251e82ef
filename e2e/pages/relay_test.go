package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/service"
)

// fleet is a relay in fleet mode on an origin of its own, behind a line that can be cut.
type fleet struct {
	r     *rig
	url   string // of the line: what the page has as its relay
	relay *service.Relay
	flags []string
	addr  string // of the relay

	mu    sync.Mutex
	line  string // "": it passes; "lost": the relay hears, and its answers are cut off; "cut"
	known bool   // LINE Login takes the page's tokens
}

// withRelay starts one for the rig's channel, and a LINE Login that knows whose token is whose.
func (r *rig) withRelay() *fleet {
	r.t.Helper()
	f := &fleet{r: r, addr: "127.0.0.1:0", known: true}
	login := httptest.NewServer(http.HandlerFunc(f.login))
	r.t.Cleanup(login.Close)
	dir := r.t.TempDir()
	require.NoError(r.t, os.WriteFile(filepath.Join(dir, "token"), []byte("server-secret"), 0o600))
	channels, err := json.Marshal(map[string]any{"channels": []any{map[string]any{
		"channelId": channel, "baseURL": r.sandbox.URL, "tokenFile": filepath.Join(dir, "token")}}})
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(filepath.Join(dir, "channels.json"), channels, 0o600))
	f.flags = []string{"-channels", filepath.Join(dir, "channels.json"), "-dir", filepath.Join(dir, "queue"),
		"-identify", "line:" + login.URL, "-origins", r.gateway.url, "-ack-wait", "2s"} // what a killed one had under way comes again soon
	f.start()
	r.t.Cleanup(func() { f.relay.Close() })
	to, err := url.Parse(f.relay.URL)
	require.NoError(r.t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }} // as if nobody listened
	line := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		f.mu.Lock()
		state := f.line
		f.mu.Unlock()
		switch {
		case state == "cut":
			panic(http.ErrAbortHandler)
		case state == "lost" && q.Method != http.MethodOptions:
			proxy.ServeHTTP(httptest.NewRecorder(), q)
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, q)
	}))
	r.t.Cleanup(line.Close)
	f.url = line.URL
	return f
}

// start starts the relay, on the port and the queue that it had before.
func (f *fleet) start() {
	binary, err := relayBinary()
	require.NoError(f.r.t, err)
	f.relay, err = service.StartFleet(binary, f.addr, f.flags...)
	require.NoError(f.r.t, err)
	f.addr = strings.TrimPrefix(f.relay.URL, "http://")
}

func (f *fleet) login(w http.ResponseWriter, q *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.known:
		w.WriteHeader(http.StatusBadRequest)
	case q.URL.Path == "/oauth2/v2.1/verify":
		fmt.Fprintf(w, `{"client_id":%q,"expires_in":3600,"scope":"profile keep.write"}`, channel)
	default:
		fmt.Fprint(w, `{"userId":"U1"}`)
	}
}

func (f *fleet) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// realtime is the relay's switch: off, it takes and sends nothing on.
func (f *fleet) realtime(on bool) {
	f.r.t.Helper()
	answer, err := http.Post(f.relay.Admin+"/admin/realtime", "application/json", strings.NewReader(fmt.Sprintf(`{"on":%v}`, on)))
	require.NoError(f.r.t, err)
	answer.Body.Close()
	require.Equal(f.r.t, 200, answer.StatusCode)
}

// ways is what a page's status says of its way.
type ways struct {
	Way, Token                        string
	Relayed, Delivered, Waiting, Dead int
	Alarms                            []string
}

// until flushes until the status is as it should be, and returns it.
func (p *tab) until(what string, is func(ways) bool) (s ways) {
	p.rig.t.Helper()
	require.Eventually(p.rig.t, func() bool {
		_ = p.try("flushSoon", nil, nil)
		s = ways{}
		return p.try("ways", nil, &s) == nil && is(s)
	}, eventually*2, tick*5, "%s: %s: %+v", p.mark, what, &s)
	return s
}

// arrive waits until the sandbox has n notes, and asserts that each is of another conversation.
func (r *rig) arrive(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.notes()) >= n }, eventually*2, tick*5)
	seen := map[string]bool{}
	for _, note := range r.notes() {
		require.False(r.t, seen[note.ConversationID], "%s is stored twice", note.ConversationID)
		seen[note.ConversationID] = true
	}
	require.Len(r.t, seen, n)
}

// vias are the ledger's rows of batches that were taken, "202 relay" or "200 ".
func (p *tab) vias() (list []string) {
	p.rig.t.Helper()
	var ledger struct{ Text string }
	p.do("ledger", nil, &ledger)
	for line := range strings.Lines(ledger.Text) {
		var row struct {
			Status int
			Via    string
			Notes  []any
		}
		require.NoError(p.rig.t, json.Unmarshal([]byte(line), &row))
		if len(row.Notes) > 0 {
			list = append(list, fmt.Sprintf("%d %s", row.Status, row.Via))
		}
	}
	return list
}

// A conversation, with and without a voice memo, goes through the relay, which says that it has it before LINE has, and arrives
// once. Nothing goes straight to the service.
func TestRelay_AConversationArrivesOnce(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			f := r.withRelay()
			page := r.page("a", nil, "").show().open(map[string]any{"relay": f.url})
			var told struct{ Memos []memo }
			page.do("memos", map[string]any{"count": 1, "bytes": 1 << 20}, &told)
			page.until("the memo is there", func(s ways) bool { return s.Relayed == 1 })
			r.arrive(1)
			r.whole(told.Memos)
			f.realtime(false)
			require.Equal(t, 3, page.append(map[string]any{"id": "c", "times": 3, "bytes": 500_000}).Taken)
			s := page.until("the relay has them", func(s ways) bool { return s.Waiting == 0 })
			require.Equal(t, ways{Way: "relay", Token: "ok", Relayed: 4, Delivered: 4, Alarms: []string{}}, s)
			require.Len(t, r.notes(), 1, "the relay's word is not LINE's")
			for _, via := range page.vias() {
				require.Equal(t, "202 relay", via)
			}
			f.relay.Close() // kill -9: what it said is durable
			f.start()
			f.realtime(true)
			r.arrive(4)
			var reconciled struct{ Checked, Missing, Resent int }
			page.do("reconcile", nil, &reconciled)
			require.Equal(t, [3]int{4, 0, 0}, [3]int{reconciled.Checked, reconciled.Missing, reconciled.Resent})
			require.Empty(t, r.gateway.requests(), "straight to the service")
			r.calm()
		})
	}
}

// While the relay is down everything stays on the phone, over a killed browser, and the status says why. It all goes when the
// relay is back.
func TestRelay_DownNothingIsLost(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			f := r.withRelay()
			f.relay.Close()
			options := map[string]any{"relay": f.url, "hurry": 20}
			page := r.page("a", nil, "").show().open(options)
			require.Equal(t, 5, page.append(map[string]any{"id": "c", "times": 5}).Taken)
			s := page.until("it is known", func(s ways) bool { return slices.Contains(s.Alarms, "RELAY_SILENT") })
			require.Equal(t, []any{"relay", 0, 5, 0}, []any{s.Way, s.Delivered, s.Waiting, s.Dead})
			r.kill()
			page = r.page("b", nil, "").show().open(options)
			f.start()
			page.until("all is at the relay", func(s ways) bool { return s.Relayed == 5 && s.Waiting == 0 && len(s.Alarms) == 0 })
			r.arrive(5)
			require.Empty(t, r.gateway.requests(), "straight to the service")
			r.calm()
		})
	}
}

// The relay takes batches, and its answers are lost: with the way round it the same batches go straight to the service, before
// the relay sends them on or after, and are there once. When the line is well the page goes through the relay again.
func TestRelay_RoundItAndBack(t *testing.T) {
	for _, engine := range engines(t) {
		for _, relayFirst := range []bool{true, false} {
			t.Run(engine+map[bool]string{true: ", the relay is first"}[relayFirst], func(t *testing.T) {
				r := newRig(t, engine)
				f := r.withRelay()
				f.realtime(relayFirst)
				f.set(func() { f.line = "lost" })
				page := r.page("a", nil, "").show().open(map[string]any{"relay": map[string]any{"url": f.url, "fallback": "direct"}, "hurry": 20})
				require.Equal(t, 3, page.append(map[string]any{"id": "c", "times": 3}).Taken)
				s := page.until("it went round", func(s ways) bool { return s.Delivered == 3 })
				require.Equal(t, []any{"direct", 0, 0}, []any{s.Way, s.Relayed, s.Dead})
				require.Contains(t, s.Alarms, "RELAY_SILENT")
				require.NotEmpty(t, r.gateway.requests())
				for _, via := range page.vias() {
					require.Equal(t, "200 ", via)
				}
				f.realtime(true)
				r.arrive(3)
				f.set(func() { f.line = "" })
				straight := len(r.gateway.requests())
				for i := 0; s.Relayed == 0; i++ { // each may still go round, until the relay's pause is over
					require.Equal(t, 1, page.append(map[string]any{"id": fmt.Sprint("d-", i)}).Taken)
					n := 4 + i
					s = page.until("one more", func(s ways) bool { return s.Delivered == n })
				}
				require.Equal(t, "relay", s.Way)
				require.Empty(t, s.Alarms)
				require.Equal(t, "202 relay", page.vias()[len(page.vias())-1])
				r.arrive(s.Delivered)
				require.Equal(t, s.Delivered-3-1, len(r.gateway.requests())-straight)
				r.calm()
			})
		}
	}
}

// A token that the relay refuses, and a channel that it does not have: everything is kept, and the reason is told.
func TestRelay_WhatItRefusesIsKeptWithAReason(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			f := r.withRelay()
			f.set(func() { f.known = false })
			page := r.page("a", nil, "").show().open(map[string]any{"relay": f.url, "hurry": 20})
			require.Equal(t, 2, page.append(map[string]any{"id": "c", "times": 2, "bytes": 1_500_000}).Taken)
			s := page.until("the token is refused", func(s ways) bool { return s.Token == "needed" })
			require.Equal(t, []any{0, 2, 0}, []any{s.Delivered, s.Waiting, s.Dead})
			f.set(func() { f.known = true })
			page.until("logged in", func(s ways) bool { return s.Relayed == 2 && s.Token == "ok" })
			r.arrive(2)

			page.do("close", nil, nil)
			page.open(map[string]any{"relay": f.url, "hurry": 20, "channelId": "1650000009"})
			require.Equal(t, 1, page.append(map[string]any{"id": "other"}).Taken)
			s = page.until("404 is no place for a batch", func(s ways) bool { return slices.Contains(s.Alarms, "RELAY_SILENT") })
			require.Equal(t, []any{0, 1, 0}, []any{s.Delivered, s.Waiting, s.Dead})
			require.Empty(t, r.gateway.requests(), "straight to the service")
			r.calm()
		})
	}
}
