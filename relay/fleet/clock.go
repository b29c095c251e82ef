package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Clock is the fleet's time. All relays count requests in one bucket, so they must agree on the time better than their
// machines may: the time is the NATS server's, by which every entry of its key-value store is stamped, and each relay
// measures how far its own clock is from it once a minute.
//
// A drill runs the clock fast: factor seconds in a real one, from an instant at which it shows a given time. Safe for
// several goroutines.
type Clock struct {
	factor      float64
	from, shows time.Time
	ahead       atomic.Int64 // ns that the server's clock is ahead of ours
}

// ParseClock reads "" (real time) or "FACTOR,FROM,SHOWS": from FROM (unix ms) on, when it showed SHOWS (RFC 3339), the
// clock runs FACTOR times as fast.
func ParseClock(text string) (*Clock, error) {
	c := &Clock{factor: 1}
	if text == "" {
		return c, nil
	}
	part := strings.Split(text, ",")
	if len(part) != 3 {
		return nil, errors.New("a clock is FACTOR,FROM,SHOWS")
	}
	var err error
	if c.factor, err = strconv.ParseFloat(part[0], 64); err != nil || !(c.factor > 0) {
		return nil, fmt.Errorf("the factor %q is no number above 0", part[0])
	}
	ms, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q are no unix milliseconds", part[1])
	}
	c.from = time.UnixMilli(ms)
	c.shows, err = time.Parse(time.RFC3339, part[2])
	return c, err
}

// Now returns the fleet's time.
func (c *Clock) Now() time.Time {
	now := time.Now().Add(time.Duration(c.ahead.Load()))
	if c.from.IsZero() {
		return now
	}
	return c.shows.Add(time.Duration(float64(now.Sub(c.from)) * c.factor))
}

// Sleep waits for d of the fleet's time, or until ctx ends; then it returns false.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(time.Duration(float64(d) / c.factor))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// A cluster lets any machine answer a read, one that has not heard of the last write as well: it knows no such key then, or
// the entry before, whose stamp is a minute old. Hence the revision, and some patience.
const (
	replicaLag   = 20 * time.Millisecond
	replicaLooks = 100
)

// measure asks the server for its time: the stamp of an entry written now, against the middle of the round trip. A round
// trip above 200 ms says too little and changes nothing.
func (c *Clock) measure(ctx context.Context, kv jetstream.KeyValue, name string) error {
	const slow = 200 * time.Millisecond
	sent := time.Now()
	revision, err := kv.Put(ctx, "clock."+name, nil)
	if err != nil {
		return fmt.Errorf("measure the clock: %w", err)
	}
	trip := time.Since(sent)
	entry, err := kv.GetRevision(ctx, "clock."+name, revision)
	for n := 0; errors.Is(err, jetstream.ErrKeyNotFound) && n < replicaLooks; n++ {
		time.Sleep(replicaLag)
		entry, err = kv.GetRevision(ctx, "clock."+name, revision)
	}
	if err != nil {
		return fmt.Errorf("measure the clock: %w", err)
	}
	if trip <= slow {
		ahead := entry.Created().Sub(sent.Add(trip / 2))
		if ahead < slow/2 && ahead > -slow/2 {
			ahead = 0 // within what the round trip leaves open, and far below what the ceilings leave
		}
		c.ahead.Store(int64(ahead))
	}
	return nil
}
