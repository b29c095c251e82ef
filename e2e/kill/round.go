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

// work opens the outbox, appends what is left of this life's share in waves,
// keyed and unkeyed in turn, and asks for a flush after each. It ends with the page.
func (r *round) work(ctx context.Context) error {
	if err := r.open(ctx); err != nil {
		return err
	}
	// what a page appended under a key and was not answered for is appended again, as a page would
	for _, at := range r.keyedUnanswered() {
		if err := r.archive(ctx, at, 1, true); err != nil {
			return err
		}
	}
	r.share.Store(int64(min(r.next()+perLife, len(r.input))))
	for r.given.Load() < r.share.Load() {
		from := r.next()
		r.given.Add(wave)
		if err := r.archive(ctx, from, wave, keyed(from)); err != nil {
			return err
		}
		if err := r.control.Do(ctx, "flush", nil, nil); err != nil {
			return err
		}
	}
	for {
		if err := r.control.Do(ctx, "flush", nil, nil); err != nil {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *round) next() int { return int(r.given.Load()) }

// keyed says whether a conversation is appended under a key: every other wave is.
func keyed(index int) bool { return index/wave%2 == 0 }

// open opens the outbox. A failed start can be tried again (invariant 11), and a
// page does: seen on WebKit, which now and then cannot open its file after a kill.
func (r *round) open(ctx context.Context) error {
	options := map[string]any{"channelId": channel}
	if r.stream {
		options["mode"] = "stream"
	}
	for tries := 1; ; tries++ {
		err := r.control.Do(ctx, "open", options, nil)
		var refused *control.PageError
		if err == nil || !errors.As(err, &refused) || refused.Code != "STORAGE_UNAVAILABLE" || tries == mostOpens {
			return err
		}
		r.reopened.Add(1)
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *round) archive(ctx context.Context, from, count int, key bool) error {
	return r.control.Do(ctx, "archive", map[string]any{"ranges": [][2]int{{from, count}}, "wave": wave, "keyed": key, "early": r.early}, nil)
}

func (r *round) keyedUnanswered() (all []int) {
	receipts := r.control.Receipts()
	for i := range r.next() {
		if _, ok := receipts[i]; !ok && keyed(i) {
			all = append(all, i)
		}
	}
	return all
}

// underWay is what a killed page left.
type underWay struct {
	window  string
	indices []int
}

func (r *round) unkeyedUnanswered(from int) (all []int) {
	receipts := r.control.Receipts()
	for i := from; i < r.next(); i++ {
		if _, ok := receipts[i]; !ok && !keyed(i) {
			all = append(all, i)
		}
	}
	return all
}

// drain opens the page a last time, appends the last share and waits until all is delivered.
func (r *round) drain(ctx context.Context) error {
	if err := r.launch(ctx); err != nil { // the page lives on after this: it is asked for its books
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, drainTimeout, fmt.Errorf("not delivered within %s", drainTimeout))
	defer cancel()
	r.share.Store(-1)
	worked := make(chan error, 1)
	go func() { worked <- r.work(ctx) }()
	for {
		select {
		case err := <-worked:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
		if r.given.Load() != r.share.Load() || len(r.keyedUnanswered()) > 0 || !r.lastAnswered() {
			continue
		}
		var status job.Status
		if err := r.control.Do(ctx, "status", nil, &status); err != nil {
			return err
		}
		r.status = status
		if status.Pending+status.Sealed+status.Uncertain+status.Parked == 0 {
			return nil
		}
	}
}

// lastAnswered says whether the last page was answered for every event of its last wave.
func (r *round) lastAnswered() bool {
	receipts := r.control.Receipts()
	for i := r.next() - wave; i < r.next(); i++ {
		if _, ok := receipts[i]; !ok {
			return false
		}
	}
	return true
}
