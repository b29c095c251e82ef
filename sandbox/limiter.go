package main

import "time"

// A bucket limits the calls that share one channel id and kind (L14.7). Two
// rules hold at once:
//
//   - a fixed minute, aligned to the unix minute, holds at most perMinute calls (L2.1-L2.3);
//   - any span of 5 s holds at most perBurst. This is a hard cap: the call that
//     fills it is accepted and locks the rest of its minute (L2.5).
//
// Refused calls neither count nor extend the lock. Guarded by the server's mutex.
type bucket struct {
	quota
	minute int64       // unix minute that used belongs to
	used   int         // accepted in that minute
	recent []time.Time // accepted within burstSpan, oldest first
	locked int64       // the unix minute that a full burst locked; 0 = none
	load   *load       // background traffic, nil = none
}

// A verdict is the limiter's word on one call.
type verdict struct {
	ok        bool
	remaining int   // calls left in the window; 0 while the burst lock holds
	reset     int64 // unix seconds, the end of the window
}

func newBucket(q quota) *bucket { return &bucket{quota: q} }

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// take spends one call at now, after the background calls that came before it.
func (b *bucket) take(now time.Time) verdict {
	b.arrive(now)
	ok := b.spend(now)
	v := b.look(now)
	v.ok = ok
	return v
}

// peek says what is left at now and spends nothing.
func (b *bucket) peek(now time.Time) verdict {
	b.arrive(now)
	return b.look(now)
}

func (b *bucket) look(now time.Time) verdict {
	b.roll(now)
	left := max(b.perMinute-b.used, 0)
	if b.locked == b.minute {
		left = 0
	}
	return verdict{ok: left > 0, remaining: left, reset: (b.minute + 1) * 60}
}

func (b *bucket) spend(now time.Time) bool {
	b.roll(now)
	if b.locked == b.minute || b.used >= b.perMinute {
		return false
	}
	if b.perBurst > 0 && len(b.recent) >= b.perBurst {
		return false // a burst that began in the minute before
	}
	b.used++
	if b.perBurst > 0 {
		b.recent = append(b.recent, now)
		if len(b.recent) >= b.perBurst {
			b.locked = b.minute
		}
	}
	return true
}

// roll opens the window of now and forgets calls that left the burst span.
func (b *bucket) roll(now time.Time) {
	if m := minuteOf(now); m > b.minute {
		b.minute, b.used = m, 0
	}
	gone := 0
	for gone < len(b.recent) && now.Sub(b.recent[gone]) >= burstSpan {
		gone++
	}
	b.recent = b.recent[gone:]
}
