package main

import (
	"sync"
	"time"
)

// A clock is the sandbox's time: start + elapsed × factor + what was advanced.
// Safe for several goroutines.
type clock struct {
	start  time.Time
	factor float64
	real   func() time.Time
	born   time.Time

	mu       sync.Mutex
	advanced time.Duration
}

// newClock returns a clock that shows start now and runs factor times as fast
// as real. A zero start means now.
func newClock(start time.Time, factor float64, real func() time.Time) *clock {
	born := real()
	if start.IsZero() {
		start = born
	}
	return &clock{start: start, factor: factor, real: real, born: born}
}

func (c *clock) now() time.Time {
	elapsed := c.real().Sub(c.born)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(time.Duration(float64(elapsed)*c.factor) + c.advanced)
}

// advance moves the clock forward by d; it never goes back.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advanced += max(d, 0)
}

func unixMilli(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }
