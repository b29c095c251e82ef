package job

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/service"
)

// pageTimeout is how long a browser may take to show the page.
const pageTimeout = 60 * time.Second

// start builds and starts everything, up to an opened outbox.
func (j *job) start(ctx context.Context) (err error) {
	dist := withDefault(j.o.Dist, "web/dist")
	if _, err := os.Stat(filepath.Join(j.o.Root, dist, "index.js")); err != nil {
		return fmt.Errorf("%s is not built: run ./build.sh build first", dist)
	}
	if j.temp, err = os.MkdirTemp("", "liff-keep-e2e-"); err != nil {
		return fmt.Errorf("make a directory for the browser: %w", err)
	}
	binary := filepath.Join(j.temp, "sandbox")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./sandbox")
	build.Dir = j.o.Root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the sandbox: %w\n%s", err, out)
	}
	if j.sandbox, err = service.Start(j.life, service.Options{Binary: binary, Dir: j.o.Root, Dist: dist, ClockStart: j.fault.ClockStart}); err != nil {
		return err
	}
	if len(j.fault.Script) > 0 {
		if err := j.sandbox.Faults(ctx, j.fault.Script); err != nil {
			return err
		}
	}
	lines := make([][]byte, len(j.input))
	for i, one := range j.input {
		lines[i] = one.Line
	}
	if j.control, err = control.Start(lines); err != nil {
		return err
	}
	j.seen.sandbox = j.sandbox
	j.control.OnEvent = j.seen.onEvent
	return j.launch(ctx)
}

// launch starts the browser on the demo page and opens the outbox in it.
func (j *job) launch(ctx context.Context) (err error) {
	loads := j.control.Loads()
	address := fmt.Sprintf("%s/?control=%s&channel=%s", j.sandbox.URL, j.control.URL(), Channel)
	if j.browser, err = browser.Launch(j.life, j.engine, filepath.Join(j.temp, "profile"), address); err != nil {
		return err
	}
	return j.openPage(ctx, loads)
}

// openPage waits for the page's next load after the given number and opens the outbox.
func (j *job) openPage(ctx context.Context, loads int) error {
	wait, cancel := context.WithTimeoutCause(ctx, pageTimeout, fmt.Errorf("not within %s", pageTimeout))
	defer cancel()
	running := j.browser
	go func() {
		select {
		case <-running.Exited():
			cancel()
		case <-wait.Done():
		}
	}()
	if err := j.control.AwaitLoad(wait, loads); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("%w; the browser says:\n%s", err, strings.TrimSpace(running.Log(2000)))
	}
	open := map[string]any{"channelId": Channel, "clock": j.fault.stepped()}
	if j.fault.MaxNoteBytes > 0 {
		open["maxNoteBytes"] = j.fault.MaxNoteBytes
	}
	if j.o.Durability != "" {
		open["durability"] = j.o.Durability
	}
	var opened struct{ Ms float64 }
	if err := j.control.Do(ctx, "open", open, &opened); err != nil {
		return err
	}
	j.report.OpenMs = round2(opened.Ms)
	return nil
}

// end stops everything that was started.
func (j *job) end() {
	if j.browser != nil {
		j.browser.Close()
	}
	if j.control != nil {
		j.control.Close()
	}
	if j.sandbox != nil {
		j.sandbox.Close()
	}
	if j.temp != "" {
		_ = os.RemoveAll(j.temp) // in the system's directory for such things; it goes by itself too
	}
}
