package main

// limiter is the service's rule for one bucket, stated here anew and not shared with the sandbox, so that neither can
// be wrong alone; sandbox/testdata/limiter.txt is read by the tests of both. All times in ms.
//
//   - a fixed minute, aligned to the unix minute, holds at most perMinute requests (L2.2);
//   - any span of 5 s holds at most perBurst: the request that fills it is accepted and locks the rest of its minute (L2.5).
//
// Refused requests neither count nor extend the lock.
type limiter struct {
	perMinute, perBurst int
	minute              int64 // since 1970
	used                int
	recent              []int64 // accepted within the burst span
	locked              bool    // the rest of this minute
}

const (
	minuteMs    = 60_000
	burstSpanMs = 5_000
)

// take spends a request at now and returns whether it was accepted, and how many are left in the minute.
func (l *limiter) take(now int64) (ok bool, left int) {
	if m := now / minuteMs; m > l.minute {
		l.minute, l.used, l.locked = m, 0, false
	}
	for len(l.recent) > 0 && now-l.recent[0] >= burstSpanMs {
		l.recent = l.recent[1:]
	}
	if ok = !l.locked && l.used < l.perMinute && len(l.recent) < l.perBurst; ok {
		l.used++
		l.recent = append(l.recent, now)
		l.locked = len(l.recent) >= l.perBurst
	}
	if l.locked {
		return ok, 0
	}
	return ok, l.perMinute - l.used
}
