package kill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/job"
	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/e2e/service"
)

const (
	channel      = "1650000001"
	perLife      = 24 // conversations that a page appends before it is killed, in waves
	wave         = 6
	pageTimeout  = 60 * time.Second
	missAfter    = 40 * time.Second // a window that has not come by then is missed: the kill is a random one
	drainTimeout = 120 * time.Second
	look         = 2 * time.Millisecond
	mostOpens    = 20
)

// round is one profile's life: pages that append, are killed and come again,
// until all is delivered. The goroutine of run only, but for what the page tells.
type round struct {
	binary, root string
	engine       browser.Engine
	windows      []Window
	early        bool
	stream       bool
	rnd          *rand.Rand

	input   []judge.Conversation
	sandbox *service.Sandbox
	control *control.Server
	browser *browser.Browser
	profile string
	given   atomic.Int64 // conversations handed to a page so far
	share   atomic.Int64 // where the present page's share of them ends
	status  job.Status   // the last one, when all was delivered
	// reopened counts the starts that failed and were tried again.
	reopened atomic.Int64
	// underWay are the events without a key that a killed page was not answered for.
	underWay []underWay

	reached chan struct{} // the page says that the armed moment has come
	mu      sync.Mutex
	killed  chan struct{} // closed when the browser of this life is gone
	errors  []string      // what reached the page's own error listeners
}

// run lives the round and compares. The outcome is also there when the error is
// what the pages did; without an outcome the round could not be held.
func (r *round) run(ctx context.Context) (out Outcome, err error) {
	temp, err := os.MkdirTemp("", "liff-keep-kill-")
	if err != nil {
		return out, fmt.Errorf("make a directory for the browser: %w", err)
	}
	defer os.RemoveAll(temp)
	r.profile = filepath.Join(temp, "profile")
	r.input = conversations(r.rnd, perLife*(len(r.windows)+1))
	lines := make([][]byte, len(r.input))
	for i, one := range r.input {
		lines[i] = one.Line
	}
	if r.sandbox, err = service.Start(ctx, service.Options{Binary: r.binary, Dir: r.root, Dist: "web/dist"}); err != nil {
		return out, err
	}
	defer r.sandbox.Close()
	if r.control, err = control.Start(lines); err != nil {
		return out, err
	}
	defer r.control.Close()
	r.reached, r.killed = make(chan struct{}, 1), make(chan struct{})
	r.control.OnEvent = r.onEvent
	defer func() {
		if r.browser != nil {
			r.kill()
		}
	}()

	out.Hit = map[string]int{}
	for _, window := range r.windows {
		from := r.next()
		name, err := r.live(ctx, window)
		if err != nil {
			return out, fmt.Errorf("%s: %w", window.Name, err)
		}
		r.underWay = append(r.underWay, underWay{name, r.unkeyedUnanswered(from)})
		out.Hit[name]++
		out.Kills++
		if name == missed {
			out.problem("%s: its moment did not come within %s", window.Name, missAfter)
		}
	}
	if err := r.drain(ctx); err != nil {
		out.problem("%v", err)
	}
	out.Reopened = int(r.reopened.Load())
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	return out, r.compare(ctx, &out)
}

// live opens the page, has it append, and kills it in the window. It returns the
// name of the window that was hit: "missed" where the moment never came.
func (r *round) live(ctx context.Context, window Window) (hit string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.launch(ctx); err != nil {
		return "", err
	}
	moment, err := r.arm(ctx, window)
	if err != nil {
		return "", err
	}
	failed := make(chan error, 1)
	go func() { failed <- r.work(ctx) }()
	hit = window.Name
	select {
	case err := <-moment:
		if err != nil {
			return "", err
		}
	case err := <-failed: // only the kill ends the work
		return "", err
	case <-time.After(missAfter):
		hit = missed
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if !window.Random && window.Jitter > 0 {
		time.Sleep(time.Duration(r.rnd.Int64N(int64(window.Jitter))))
	}
	r.kill()
	cancel()
	if err := <-failed; err != nil && !errors.Is(err, control.ErrPageGone) && !errors.Is(err, context.Canceled) {
		return "", err
	}
	return hit, nil
}

// launch starts the browser on the profile and waits for its page.
func (r *round) launch(ctx context.Context) (err error) {
	loads := r.control.Loads()
	address := fmt.Sprintf("%s/?control=%s&channel=%s", r.sandbox.URL, r.control.URL(), channel)
	if r.browser, err = browser.Launch(ctx, r.engine, r.profile, address); err != nil {
		return err
	}
	wait, cancel := context.WithTimeoutCause(ctx, pageTimeout, fmt.Errorf("not within %s", pageTimeout))
	defer cancel()
	if err := r.control.AwaitLoad(wait, loads); err != nil {
		return fmt.Errorf("%w; the browser says:\n%s", err, r.browser.Log(2000))
	}
	return nil
}
