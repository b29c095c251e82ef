package retry

import "time"

// maxLock bounds a lock, whatever the caller asks for: the longest hint (MaxHint) and room for its jitter.
const maxLock = MaxHint + time.Hour

// Limiter counts one bucket's requests (L14.7) against a Policy's windows, as a hard cap (L2.5): it keeps the instant of every
// request of the longest window. A token bucket would not do. It refills while it is drained, so with 600 a minute and
// a burst of 120 it lets 169 through in 5 s where the guide allows 120.
//
// The zero Limiter has seen nothing. Value; copy freely: no method changes what a copy sees.
type Limiter struct {
	stamps             []int64 // unix ms, ascending, rounded up; never written in place
	lockSet, lockUntil int64   // unix ms; both 0 = no lock
}

func (l Limiter) hasLock() bool { return l.lockUntil > l.lockSet }

// Rebase returns l as it counts at now, moved back if the clock went back: the newest stamp counts as now with the
// others at their distances behind it, and a lock set in the future counts as set now. Requests stay counted, a lock
// keeps its length. Keep the result, else the wait starts anew at each look.
func (l Limiter) Rebase(now time.Time) Limiter {
	ms := ceilMillis(now)
	if n := len(l.stamps); n > 0 && l.stamps[n-1] > ms {
		ahead := l.stamps[n-1] - ms
		moved := make([]int64, n)
		for i, s := range l.stamps {
			moved[i] = s - ahead
		}
		l.stamps = moved
	}
	if l.hasLock() && l.lockSet > ms {
		l.lockUntil -= l.lockSet - ms
		l.lockSet = ms
	}
	return l
}

// Next returns the earliest instant at which one request may go: now itself if it may go at once, else an instant
// after now, in whole milliseconds. It follows the hot hours on the way (L9.4): a wait may end early because they end,
// and last longer because they begin.
func (l Limiter) Next(p Policy, now time.Time) time.Time {
	l = l.Rebase(now)
	start := floorMillis(now)
	t := start
	for done := false; !done; {
		free, turn := l.free(p.Effective(time.UnixMilli(t)), t), nextTurn(t)
		switch {
		case free <= t:
			done = true
		case p.HotPct > 0 && free >= turn:
			t = turn // other windows hold from here: ask again
		default:
			t, done = free, true
		}
	}
	if t == start {
		return now
	}
	return time.UnixMilli(t).In(now.Location())
}

// free returns the unix ms from which the lock and all windows let one request go, if the windows stay as they are.
func (l Limiter) free(windows []Window, t int64) int64 {
	if l.hasLock() && l.lockUntil > t {
		t = l.lockUntil
	}
	for _, w := range windows {
		if n := max(1, w.N); len(l.stamps) >= n {
			t = max(t, l.stamps[len(l.stamps)-n]+ceilDuration(w.Per))
		}
	}
	return t
}

// Take returns l with one request recorded at now, and without what no window of p needs any more. It records a
// request that Next would have refused, too: what was sent counts.
func (l Limiter) Take(p Policy, now time.Time) Limiter {
	l = l.Rebase(now)
	var keep int64
	if i := p.longest(); i >= 0 {
		keep = ceilDuration(p.Windows[i].Per)
	}
	old := l.after(floorMillis(now) - keep)
	stamps := make([]int64, 0, len(old)+1)
	l.stamps = append(append(stamps, old...), ceilMillis(now))
	if l.hasLock() && l.lockUntil <= floorMillis(now) {
		l.lockSet, l.lockUntil = 0, 0
	}
	return l
}

// Answered returns l with the newest request counted at now, when its answer came or was given up, instead of when it
// was sent. A request reaches the server at some moment between the two: only when the older ones count as late as they
// can have been, and the next one as early, does the server never see more in a span than we meant (L2.5). For a caller
// that has one request under way at a time.
func (l Limiter) Answered(now time.Time) Limiter {
	l = l.Rebase(now)
	if n := len(l.stamps); n > 0 {
		l.stamps = append([]int64(nil), l.stamps...)
		l.stamps[n-1] = max(l.stamps[n-1], ceilMillis(now))
	}
	return l
}

// Advance returns l moved with a clock that was set ahead by that much: what is counted, and the rest of a lock, stay as
// long as they were. Whoever cannot tell a clock that was set from a device that slept waits a minute too long at most.
func (l Limiter) Advance(by time.Duration) Limiter {
	ms := ceilDuration(by)
	if ms <= 0 {
		return l
	}
	stamps := make([]int64, len(l.stamps))
	for i, s := range l.stamps {
		stamps[i] = s + ms
	}
	l.stamps = stamps
	if l.hasLock() {
		l.lockSet, l.lockUntil = l.lockSet+ms, l.lockUntil+ms
	}
	return l
}

// after returns the stamps later than t (unix ms).
func (l Limiter) after(t int64) []int64 {
	for i, s := range l.stamps {
		if s > t {
			return l.stamps[i:]
		}
	}
	return nil
}

// Lock returns l with nothing to go before until, as after a 429 (L2.5). It never shortens a lock, and cuts one to the
// longest hint there is.
func (l Limiter) Lock(now, until time.Time) Limiter {
	l = l.Rebase(now)
	set := ceilMillis(now)
	end := min(ceilMillis(until), set+ceilDuration(maxLock))
	if end <= set || l.hasLock() && end <= l.lockUntil {
		return l
	}
	l.lockSet, l.lockUntil = set, end
	return l
}

// LockedUntil returns the end of the last lock, which may be past; the zero Time if there is none.
func (l Limiter) LockedUntil() time.Time {
	if !l.hasLock() {
		return time.Time{}
	}
	return time.UnixMilli(l.lockUntil).UTC()
}

// Left returns how many requests the longest window still holds at now, as it stands in that hour; 0 while locked.
// A policy without windows has 0 left to tell of. The burst window may still ask for a pause: Next knows.
func (l Limiter) Left(p Policy, now time.Time) int {
	l = l.Rebase(now)
	i := p.longest()
	if i < 0 || l.hasLock() && l.lockUntil > floorMillis(now) {
		return 0
	}
	w := p.Effective(now)[i]
	return max(0, max(1, w.N)-len(l.after(floorMillis(now)-ceilDuration(w.Per))))
}

// Since returns how many requests are counted later than at.
func (l Limiter) Since(at time.Time) int { return len(l.after(floorMillis(at))) }

// Used says whether l knows of anything: a request or a lock.
func (l Limiter) Used() bool { return len(l.stamps) > 0 || l.hasLock() }

// AppendText appends the durable form of l, see the package's sample.
func (l Limiter) AppendText(dst []byte) []byte {
	numbers := make([]int64, 2, 2+len(l.stamps))
	numbers[0], numbers[1] = l.lockSet, l.lockUntil
	var last int64
	for _, s := range l.stamps {
		numbers = append(numbers, s-last)
		last = s
	}
	return appendNumbers(dst, "w1", numbers...)
}

// ParseLimiter reads what AppendText wrote. Any other text is ErrDamaged.
func ParseLimiter(text []byte) (Limiter, error) {
	numbers, err := parseNumbers(text, "w1", 2)
	if err != nil {
		return Limiter{}, err
	}
	l := Limiter{lockSet: numbers[0], lockUntil: numbers[1]}
	if length := l.lockUntil - l.lockSet; length < 0 || length > ceilDuration(maxLock) || length == 0 && l.lockSet != 0 {
		return Limiter{}, ErrDamaged
	}
	var last int64
	for i, distance := range numbers[2:] {
		last += distance
		if i > 0 && distance < 0 || last > maxInstant {
			return Limiter{}, ErrDamaged
		}
		l.stamps = append(l.stamps, last)
	}
	return l, nil
}
