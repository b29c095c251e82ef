package kill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/job"
)

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
