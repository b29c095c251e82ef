package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/retry"
	"github.com/nats-io/nats.go/jetstream"
)

// bucket is the one limiter that all workers of all machines share for a channel's quota. Its state is an entry of the
// key-value store, changed by compare-and-set only: who read an old revision reads again. The numbers are the product's own
// (retry.LineServer: 580 a minute, 110 in 5 s, below the guide's 600 and 120, L2.1, L2.5).
//
// A permit is a moment, not a place in a line: it is good for one second. A worker that was stopped in between takes a
// new one, and the old one counts as spent. Safe for several goroutines.
type bucket struct {
	kv     jetstream.KeyValue
	key    string
	policy retry.Policy
	clock  *Clock
	gate   func(now time.Time) bool // the kill switch and the quiet hours

	mu sync.Mutex // one asker of this process at a time: the others would only lose the race
}

// bucketState is the entry, as JSON.
type bucketState struct {
	Limiter  string        `json:"limiter"` // retry.Limiter's text
	Breaker  retry.Breaker `json:"breaker"`
	Failures int           `json:"failures"`         // calls in a row without an answer that says something
	Last     int64         `json:"last"`             // unix ms of the newest permit
	LockedAt int64         `json:"lockedAt"`         // unix ms at which a 429 was counted last
	Probe    int64         `json:"probe"`            // unix ms until which the half-open breaker's one request may take
	Reason   string        `json:"reason,omitempty"` // of the lock, for people
}

// permit allows one request.
type permit struct{ at time.Time }

const (
	permitGood = time.Second
	probeTime  = 30 * time.Second
	glance     = time.Second      // the longest wait between two looks: a switch or another relay may have changed it
	clockStep  = 2 * time.Minute  // a clock that is further back than this was set, and is believed
	holdTime   = time.Minute      // after a refused credential
	goneTime   = 15 * time.Minute // after a 410
)

var errRace = errors.New("another relay was faster")

// take waits until a request may go. It returns an error only when ctx ends.
func (b *bucket) take(ctx context.Context) (permit, error) {
	for ctx.Err() == nil {
		p, wait, err := b.try(ctx)
		switch {
		case errors.Is(err, errRace):
			wait = time.Duration(rand.Int64N(int64(20 * time.Millisecond)))
		case err != nil:
			wait = glance // NATS is away for a moment: it has the messages, too
		case wait == 0:
			return p, nil
		}
		b.clock.Sleep(ctx, min(wait, glance))
	}
	return permit{}, ctx.Err()
}

// try takes a permit, or says how long to wait.
func (b *bucket) try(ctx context.Context) (p permit, wait time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err = b.change(ctx, func(s *bucketState, l retry.Limiter, now time.Time) (retry.Limiter, bool) {
		if b.gate != nil && !b.gate(now) {
			wait = glance
			return l, false
		}
		switch s.Breaker.State(now) {
		case retry.Open:
			wait = max(time.Millisecond, s.Breaker.Until.Sub(now))
			return l, false
		case retry.HalfOpen:
			if now.UnixMilli() < s.Probe {
				wait = glance
				return l, false
			}
		}
		if next := l.Next(b.policy, now); next.After(now) {
			wait = next.Sub(now)
			return l, false
		}
		if s.Breaker.State(now) == retry.HalfOpen {
			s.Probe = now.Add(probeTime).UnixMilli()
		}
		p.at = now
		s.Last = now.UnixMilli()
		return l.Take(b.policy, now), true
	})
	return p, wait, err
}

// stale says that a permit waited too long, and its request would no longer arrive where it was counted.
func (b *bucket) stale(p permit) bool { return b.clock.Now().Sub(p.at) > permitGood }

// change edits the state once, by compare-and-set; errRace when another relay changed it meanwhile.
func (b *bucket) change(ctx context.Context, edit func(*bucketState, retry.Limiter, time.Time) (retry.Limiter, bool)) error {
	var s bucketState
	var revision uint64
	entry, err := b.kv.Get(ctx, b.key)
	switch {
	case err == nil:
		revision = entry.Revision()
		if err := json.Unmarshal(entry.Value(), &s); err != nil {
			return fmt.Errorf("read the limiter %s: %w", b.key, err)
		}
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("read the limiter %s: %w", b.key, err)
	}
	var l retry.Limiter
	if s.Limiter != "" {
		if l, err = retry.ParseLimiter([]byte(s.Limiter)); err != nil {
			return fmt.Errorf("read the limiter %s: %w", b.key, err)
		}
	}
	now := b.clock.Now()
	if last := time.UnixMilli(s.Last); last.After(now) && last.Sub(now) < clockStep {
		now = last // two clocks differ: the later one counts, so that no request is forgotten early
	}
	l, keep := edit(&s, l, now)
	if !keep {
		return nil
	}
	s.Limiter = string(l.AppendText(nil))
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if revision == 0 {
		_, err = b.kv.Create(ctx, b.key, text)
	} else {
		_, err = b.kv.Update(ctx, b.key, text, revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) || wrongRevision(err) {
		return errRace
	}
	if err != nil {
		return fmt.Errorf("write the limiter %s: %w", b.key, err)
	}
	return nil
}

func wrongRevision(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// settle repeats change until it holds.
func (b *bucket) settle(ctx context.Context, edit func(*bucketState, retry.Limiter, time.Time) retry.Limiter) {
	for ctx.Err() == nil {
		b.mu.Lock()
		err := b.change(ctx, func(s *bucketState, l retry.Limiter, now time.Time) (retry.Limiter, bool) {
			return edit(s, l, now), true
		})
		b.mu.Unlock()
		if err == nil {
			return
		}
		b.clock.Sleep(ctx, time.Duration(rand.Int64N(int64(50*time.Millisecond))))
	}
}

// succeeded folds in a 2xx. Nothing is written when there is nothing to forget.
func (b *bucket) succeeded(ctx context.Context, status int) {
	for ctx.Err() == nil {
		b.mu.Lock()
		err := b.change(ctx, func(s *bucketState, l retry.Limiter, now time.Time) (retry.Limiter, bool) {
			after := s.Breaker.Step(b.policy, now, status, 0)
			changed := after != s.Breaker || s.Failures != 0 || s.Probe != 0 || s.Reason != ""
			s.Breaker, s.Failures, s.Probe, s.Reason = after, 0, 0, ""
			return l, changed
		})
		b.mu.Unlock()
		if !errors.Is(err, errRace) {
			return
		}
	}
}

// refused folds in a 429: nothing goes before the server's hint (L2.4, L3.2). Requests that were under way when the lock
// was set tell of the same full minute, and are no further step of the breaker (L5.2).
func (b *bucket) refused(ctx context.Context, p permit, hint retry.Hint) {
	b.settle(ctx, func(s *bucketState, l retry.Limiter, now time.Time) retry.Limiter {
		if p.at.UnixMilli() > s.LockedAt {
			s.Breaker = s.Breaker.Step(b.policy, now, 429, 0)
			s.LockedAt = now.UnixMilli()
		}
		s.Probe, s.Reason = 0, "429"
		return l.Lock(now, now.Add(b.policy.Wait(429, 1, hint, rand.Float64())))
	})
}

// failed folds in a 5xx, a time-out or a missing network: the pause doubles up to five minutes.
func (b *bucket) failed(ctx context.Context, status int, hint retry.Hint) {
	b.settle(ctx, func(s *bucketState, l retry.Limiter, now time.Time) retry.Limiter {
		if locked := l.LockedUntil(); !locked.After(now) { // requests side by side are one failure
			s.Failures++
		}
		s.Probe, s.Reason = 0, "no answer"
		return l.Lock(now, now.Add(b.policy.Wait(status, s.Failures, hint, rand.Float64())))
	})
}

// hold stops the channel for a while, for a reason that only a person can mend.
func (b *bucket) hold(ctx context.Context, d time.Duration, reason string) {
	b.settle(ctx, func(s *bucketState, l retry.Limiter, now time.Time) retry.Limiter {
		s.Probe, s.Reason = 0, reason
		return l.Lock(now, now.Add(d))
	})
}
