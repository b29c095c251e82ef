package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/control"
)

const (
	wave       = 50  // appends in flight
	slowWave   = 10  // the same where the page is to be interrupted
	chunk      = 200 // lines fetched at once
	look       = 50 * time.Millisecond
	flushEvery = time.Second
	// hair goes on top of a moved clock: the page counts whole milliseconds from the first call of a burst, the sandbox counts
	// exactly, from each of them; where that clock stands still a burst is shorter than this
	hair = 100 * time.Millisecond
)

// work archives everything and waits until all is delivered.
func (j *job) work(ctx context.Context) error {
	if j.fault.AtSecond > 0 {
		if err := j.awaitSecond(ctx, j.fault.AtSecond); err != nil {
			return err
		}
	}
	if err := j.archive(ctx); err != nil {
		return err
	}
	return j.drain(ctx)
}

// awaitSecond moves the sandbox's clock on to that second of its next but one minute.
func (j *job) awaitSecond(ctx context.Context, second int) error {
	now, err := j.sandbox.Now(ctx)
	if err != nil {
		return err
	}
	at := now.Truncate(time.Minute).Add(2*time.Minute + time.Duration(second)*time.Second)
	return j.moveClock(ctx, at.Sub(now))
}

// moveClock moves the sandbox's clock and has the page read it again.
func (j *job) moveClock(ctx context.Context, by time.Duration) error {
	if err := j.sandbox.Advance(ctx, by); err != nil {
		return err
	}
	return j.control.Do(ctx, "clock", nil, nil)
}

// archive has the page append every line that it was not answered for yet, and
// interrupts it as the fault orders.
func (j *job) archive(ctx context.Context) error {
	interruptions := j.fault.Reloads + j.fault.Kills
	size := wave
	if interruptions > 0 {
		size = slowWave
	}
	if j.fault.OneByOne {
		size = 1
	}
	for done := 0; ; done++ {
		command := map[string]any{"ranges": j.unanswered(), "wave": size, "flush": j.fault.OneByOne, "keyed": j.fault.Keyed()}
		answer := make(chan error, 1)
		go func() { answer <- j.control.Do(ctx, "archive", command, nil) }()
		if done == interruptions {
			return j.await(ctx, answer)
		}
		// in the middle: after a quarter, two, three quarters of the lines
		limit := len(j.input) * (done + 1) / (interruptions + 1)
		if err := j.awaitAnswered(ctx, limit, answer); err != nil {
			return err
		}
		if err := j.interrupt(ctx); err != nil {
			return err
		}
	}
}

// unanswered returns the lines without an answer as ranges [from, count].
func (j *job) unanswered() [][2]int {
	receipts := j.control.Receipts()
	ranges := [][2]int{}
	for i := range j.input {
		if _, ok := receipts[i]; ok {
			continue
		}
		last := len(ranges) - 1
		if last >= 0 && ranges[last][0]+ranges[last][1] == i && ranges[last][1] < chunk {
			ranges[last][1]++
		} else {
			ranges = append(ranges, [2]int{i, 1})
		}
	}
	return ranges
}

// await waits for a command's answer and reports progress meanwhile.
func (j *job) await(ctx context.Context, answer <-chan error) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			j.progress("archiving")
		}
	}
}

// awaitAnswered waits until that many lines are answered, or all that were asked for.
func (j *job) awaitAnswered(ctx context.Context, limit int, answer <-chan error) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for j.control.Acknowledged() < limit {
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			j.progress("archiving")
		}
	}
	return nil
}

// interrupt reloads the page, or kills the browser and starts it again.
func (j *job) interrupt(ctx context.Context) error {
	if j.fault.Kills > 0 {
		j.session.browser.Close()
		j.control.Drop()
		return j.launch(ctx)
	}
	loads := j.control.Loads()
	if err := j.control.Do(ctx, "reload", nil, nil); err != nil && !errors.Is(err, control.ErrPageGone) {
		return err
	}
	return j.openPage(ctx, loads)
}

// drain waits until nothing is left to send. It asks for a flush once a second,
// and on a stepped clock moves on to the instant at which the outbox wants to act.
func (j *job) drain(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var flushed chan error
	var asked, moved time.Time
	for {
		var status Status
		if err := j.control.Do(ctx, "status", nil, &status); err != nil {
			if ctx.Err() != nil {
				return outOfTime(ctx, j.seen.latest())
			}
			return err
		}
		j.seen.note(status)
		j.progress("delivering")
		if status.settled() {
			return nil
		}
		if flushed == nil && time.Since(asked) >= flushEvery {
			asked, flushed = time.Now(), make(chan error, 1)
			go func(done chan<- error) { done <- j.control.Do(ctx, "flush", nil, nil) }(flushed)
		}
		if j.fault.Stepped() && time.Since(moved) > 4*look {
			if ahead := status.ahead(); ahead > time.Second {
				if err := j.moveClock(ctx, ahead+hair); err != nil {
					return err
				}
				moved, asked = time.Now(), time.Time{}
			}
		}
		select {
		case err := <-flushed: // nil while none is under way: waits for ever
			if err != nil {
				return err
			}
			flushed = nil
		case <-tick.C:
		case <-ctx.Done():
			return outOfTime(ctx, status)
		}
	}
}

func outOfTime(ctx context.Context, s Status) error {
	return fmt.Errorf("%w; left: %d pending, %d sealed, %d uncertain, %d parked", context.Cause(ctx),
		s.Pending, s.Sealed, s.Uncertain, s.Parked)
}

// ahead returns how far in the future of the page's clock the outbox wants to act next.
func (s Status) ahead() time.Duration {
	next := instant(s.NextFlush)
	if until := instant(s.Breaker.Until); s.Breaker.State == "open" && until.After(next) {
		next = until
	}
	return next.Sub(instant(s.Now))
}

// instant reads a time of the page: ms since 1970, or RFC 3339. Zero for neither.
func instant(raw json.RawMessage) time.Time {
	var ms float64
	if json.Unmarshal(raw, &ms) == nil && ms > 0 {
		return time.UnixMilli(int64(ms))
	}
	at, err := time.Parse(time.RFC3339, strings.Trim(string(raw), `"`))
	if err != nil {
		return time.Time{}
	}
	return at
}

func (j *job) progress(doing string) {
	if j.o.Progress == nil {
		return
	}
	j.o.Progress(Progress{Doing: doing, Conversations: len(j.input), Answered: j.control.Acknowledged(),
		Status: j.seen.latest(), Since: time.Since(j.began)})
}
