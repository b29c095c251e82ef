package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/service"
)

const (
	root    = "../.."
	channel = "1650000001"
)

// engines are the browsers of this run; it skips unless pages were asked for.
func engines(t *testing.T) []string {
	if os.Getenv("LIFFKEEP_PAGES") != "" {
		return browser.Engines()
	}
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test builds the package and runs the tests in real pages")
	}
	return []string{"chromium"}
}

// slow skips unless the slow ones were asked for.
func slow(t *testing.T) {
	if os.Getenv("LIFFKEEP_PAGES") == "" {
		t.Skip("LIFFKEEP_PAGES is not set: ./build.sh test --pages runs the slow tests and the other engines")
	}
}

var (
	sandboxBinary = sync.OnceValues(func() (string, error) { return built("sandbox") })
	relayBinary   = sync.OnceValues(func() (string, error) { return built("relay") })
)

// built makes one of our servers, in a directory of its own.
func built(server string) (string, error) {
	directory, err := os.MkdirTemp("", "liff-keep-pages-")
	if err != nil {
		return "", err
	}
	made = append(made, directory)
	binary := filepath.Join(directory, server)
	build := exec.Command("go", "build", "-o", binary, "./"+server)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the %s: %w\n%s", server, err, out)
	}
	return binary, nil
}

var made []string // directories; they go by themselves too

func TestMain(m *testing.M) {
	code := m.Run()
	for _, directory := range made {
		_ = os.RemoveAll(directory)
	}
	os.Exit(code)
}

// rig is one sandbox behind one gateway, and browsers on one profile.
type rig struct {
	t       *testing.T
	ctx     context.Context
	engine  browser.Engine
	profile string
	sandbox *service.Sandbox
	gateway *gateway
	browser *browser.Browser
	tools   *browser.DevTools // Chromium's only
	tabs    []*tab
}

// tab is one page; its control server outlives reloads.
type tab struct {
	*control.Server
	rig    *rig
	mark   string // of the page in it now
	first  string // of the first page in it
	url    string
	target string
	// session with the developer tools, where a test keeps one
	session string

	mu     sync.Mutex
	errors []string
}

func newRig(t *testing.T, engine string) *rig {
	t.Helper()
	one, err := browser.Lookup(engine)
	require.NoError(t, err)
	if _, err := one.Find(); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	profile, err := os.MkdirTemp("", "liff-keep-profile-") // not t.TempDir: a dying browser may still write into it
	require.NoError(t, err)
	r := &rig{t: t, ctx: ctx, engine: one, profile: profile}
	t.Cleanup(func() {
		r.kill()
		_ = os.RemoveAll(profile)
	})
	binary, err := sandboxBinary()
	require.NoError(t, err)
	r.sandbox, err = service.Start(ctx, service.Options{Binary: binary, Dir: root, Dist: "web/dist"})
	require.NoError(t, err)
	t.Cleanup(r.sandbox.Close)
	r.gateway, err = startGateway(r.sandbox.URL)
	require.NoError(t, err)
	t.Cleanup(r.gateway.close)
	return r
}

// page makes a page that is not shown yet. lines are what it can archive; query goes to its address.
func (r *rig) page(mark string, lines [][]byte, query string) *tab {
	r.t.Helper()
	server, err := control.Start(lines)
	require.NoError(r.t, err)
	r.t.Cleanup(server.Close)
	one := &tab{Server: server, rig: r, mark: mark, first: mark, url: r.gateway.url + "/e2e/page.html?control=" + server.URL() + query}
	server.OnEvent = func(name string, value json.RawMessage) {
		if name == "pageError" {
			one.mu.Lock()
			defer one.mu.Unlock()
			one.errors = append(one.errors, string(value))
		}
	}
	r.tabs = append(r.tabs, one)
	return one
}

// show opens the page: as the first of a new browser, or as one more tab.
func (p *tab) show() *tab {
	r := p.rig
	r.t.Helper()
	loads := p.Loads()
	p.launch()
	p.awaitLoad(loads)
	if p.target == "" && r.tools != nil {
		var err error
		p.target, err = r.tools.Target(r.ctx, p.url)
		require.NoError(r.t, err)
		require.NotEmpty(r.t, p.target)
	}
	return p
}

// launch opens the page and does not wait for it.
func (p *tab) launch() {
	r := p.rig
	r.t.Helper()
	var err error
	switch {
	case r.browser != nil:
		require.NotNil(r.t, r.tools, "only Chromium opens tabs from outside")
		p.target, err = r.tools.Open(r.ctx, p.url)
	case r.engine.Name == "chromium":
		r.browser, r.tools, err = browser.LaunchDevTools(r.ctx, r.engine, r.profile, p.url)
	default:
		r.browser, err = browser.Launch(r.ctx, r.engine, r.profile, p.url)
	}
	require.NoError(r.t, err)
}

func (p *tab) awaitLoad(after int) {
	p.rig.t.Helper()
	p.awaitLoadWithin(after, 60*time.Second)
}

func (p *tab) awaitLoadWithin(after int, limit time.Duration) {
	p.rig.t.Helper()
	wait, cancel := context.WithTimeout(p.rig.ctx, limit)
	defer cancel()
	if err := p.AwaitLoad(wait, after); err != nil {
		require.NoError(p.rig.t, err, "%s; the browser says:\n%s", p.mark, p.rig.browser.Log(2000))
	}
}

// kill ends the browser with SIGKILL; its profile stays.
func (r *rig) kill() {
	if r.browser != nil {
		r.browser.Close()
	}
	r.browser, r.tools = nil, nil
	for _, one := range r.tabs {
		one.Drop()
		one.target = ""
	}
}

// try runs a command in the page; the error is the page's own, or that it went away.
func (p *tab) try(name string, args map[string]any, reply any) error {
	limit, cancel := context.WithTimeout(p.rig.ctx, 90*time.Second)
	defer cancel()
	return p.Do(limit, name, args, reply)
}

func (p *tab) do(name string, args map[string]any, reply any) {
	p.rig.t.Helper()
	require.NoError(p.rig.t, p.try(name, args, reply), "%s: %s %v", p.mark, name, args)
}

// open opens the outbox in the page; its tokens carry the page's mark.
func (p *tab) open(options map[string]any) *tab {
	p.rig.t.Helper()
	p.do("open", p.options(options), nil)
	return p
}

func (p *tab) options(more map[string]any) map[string]any {
	all := map[string]any{"channelId": channel, "mark": p.mark}
	for name, value := range more {
		all[name] = value
	}
	return all
}

type appended struct {
	Taken         int
	Code, Message string
}

func (p *tab) append(args map[string]any) (got appended) {
	p.rig.t.Helper()
	p.do("append", args, &got)
	return got
}

// Status is the part of status() that these tests read.
type Status struct {
	Pending, Parked, Dead, Delivered int
	QueueBytes                       int64
	Leader                           bool
	Token                            string
	Storage                          struct{ Reopened, Crashes int }
}

func (p *tab) status() (s Status) {
	p.rig.t.Helper()
	p.do("status", nil, &s)
	return s
}

// refusal returns code and message of a page's error, or fails.
func refusal(t *testing.T, err error) *control.PageError {
	t.Helper()
	var refused *control.PageError
	require.True(t, errors.As(err, &refused), "%v", err)
	return refused
}

// flushed has the page send until nothing is left.
func (p *tab) flushed() {
	p.rig.t.Helper()
	var s Status
	require.Eventually(p.rig.t, func() bool {
		if p.try("flush", nil, nil) != nil {
			return false
		}
		s = Status{}
		return p.try("status", nil, &s) == nil && s.Token != "" && s.Pending+s.Parked == 0 // without a token's state: no outbox is open
	}, 80*time.Second, 100*time.Millisecond, "%s: left: %+v", p.mark, s)
}

// conversations are lines for a page to archive.
func conversations(prefix string, n int) [][]byte {
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = fmt.Appendf(nil, `{"conversationId":"%s-%d","messages":[{"from":"customer","text":"予約 %d"}]}`, prefix, i, i)
	}
	return lines
}

// How long a test waits for what must come, and how often it looks.
const (
	eventually = 30 * time.Second
	tick       = 20 * time.Millisecond
)
