package job

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/service"
)

// Session is one browser that does one job after another, each with a sandbox and
// a channel of its own, and so with a database of its own. One job at a time.
type Session struct {
	life   context.Context
	root   string
	dist   string
	engine browser.Engine
	jobs   int

	temp    string
	binary  string           // the sandbox
	pages   *service.Sandbox // serves the page to jobs whose service is of another origin
	browser *browser.Browser // nil: not started yet
	control *control.Server  // of the page that is shown, with its last job
}

// NewSession builds the sandbox; the browser starts with the first job. dist is seen
// from root, "" being web/dist; engine is a name, "" being chromium.
func NewSession(ctx context.Context, root, dist, engine string) (*Session, error) {
	found, err := browser.Lookup(withDefault(engine, "chromium"))
	if err != nil {
		return nil, err
	}
	dist = withDefault(dist, "web/dist")
	if _, err := os.Stat(filepath.Join(root, dist, "index.js")); err != nil {
		return nil, fmt.Errorf("%s is not built: run ./build.sh build first", dist)
	}
	s := &Session{life: ctx, root: root, dist: dist, engine: found}
	if s.temp, err = os.MkdirTemp("", "liff-keep-e2e-"); err != nil {
		return nil, fmt.Errorf("make a directory for the browser: %w", err)
	}
	s.binary = filepath.Join(s.temp, "sandbox")
	build := exec.CommandContext(ctx, "go", "build", "-o", s.binary, "./sandbox")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		s.Close()
		return nil, fmt.Errorf("build the sandbox: %w\n%s", err, out)
	}
	return s, nil
}

// Close ends everything the session started.
func (s *Session) Close() {
	if s.browser != nil {
		s.browser.Close()
	}
	if s.control != nil {
		s.control.Close()
	}
	if s.pages != nil {
		s.pages.Close()
	}
	_ = os.RemoveAll(s.temp) // in the system's directory for such things; it goes by itself too
}

func (s *Session) startSandbox(clockStart string, still bool, flags ...string) (*service.Sandbox, error) {
	return service.Start(s.life, service.Options{Binary: s.binary, Dir: s.root, Dist: s.dist, ClockStart: clockStart, Still: still, Flags: flags})
}

// servePages starts the sandbox that serves the page when the job's own one is of
// another origin, as LINE's is to a Mini-App.
func (s *Session) servePages() (url string, err error) {
	if s.pages == nil {
		if s.pages, err = s.startSandbox("", false); err != nil {
			return "", err
		}
	}
	return s.pages.URL, nil
}

// show takes the browser to the address, as the page of that control server.
func (s *Session) show(ctx context.Context, address string, by *control.Server) (err error) {
	before := s.control
	s.control = by
	if s.browser != nil && before != nil && before != by {
		defer before.Close()
		ask, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		err := before.Do(ask, "goto", map[string]any{"address": address}, nil)
		if err == nil || by.Loads() > 0 { // it may have left before its answer had
			return nil
		}
		s.browser.Close() // a page that does not answer is replaced with its browser
	}
	s.browser, err = browser.Launch(s.life, s.engine, filepath.Join(s.temp, "profile"), address)
	return err
}
