package retry

import "time"

// reopenBase is the first pause of a breaker that opens inside the quiet hours; each reopening of that night doubles
// it (L5.3; ours: the guide names no time to wait for there).
const reopenBase = 15 * time.Minute

// BreakerState says whether requests may go.
type BreakerState int

const (
	Closed   BreakerState = iota // requests go
	Open                         // nothing goes before Until
	HalfOpen                     // one request may go, and its reply decides; the caller keeps it to one
)

// String returns closed, open or half-open, as status() shows it.
func (s BreakerState) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	}
	return "unknown"
}

// Breaker keeps a bucket that was refused three times running from asking on (L5.2): the rest stays on disk until the
// quiet hours (L5.3). The zero Breaker is closed. Value; copy freely.
type Breaker struct {
	Consecutive int       // 429s since the last 2xx
	Reopened    int       // times it opened again since it last waited for a slot
	OpenedAt    time.Time // whole ms, UTC; zero = closed
	Until       time.Time // whole ms, UTC; from here on half-open
}

// Rebase returns b as it counts at now: opened "later than now", because the clock went back, counts as opened now, for
// the time it was meant to stay open. Keep the result, see the package.
func (b Breaker) Rebase(now time.Time) Breaker {
	if b.OpenedAt.IsZero() {
		return b
	}
	ms := ceilMillis(now)
	if ahead := b.OpenedAt.UnixMilli() - ms; ahead > 0 {
		b.Until = instant(b.Until.UnixMilli() - ahead)
		b.OpenedAt = instant(ms)
	}
	return b
}

// State returns the state at now: open until Until, then half-open until a reply decides.
func (b Breaker) State(now time.Time) BreakerState {
	b = b.Rebase(now)
	switch {
	case b.OpenedAt.IsZero():
		return Closed
	case now.Before(b.Until):
		return Open
	}
	return HalfOpen
}

// Step folds one reply into b. status is the HTTP status, 0 for no answer; offset is this install's place in the quiet
// hours (Policy.Offset).
//
// Only 429 counts, only 2xx resets: a 5xx says nothing about the quota (L5.2, our reading). While it is open, late
// replies to requests that were already on their way change nothing; half-open, a 429 opens it again at once and a 2xx
// closes it.
func (b Breaker) Step(p Policy, now time.Time, status int, offset time.Duration) Breaker {
	b = b.Rebase(now)
	state := b.State(now)
	switch {
	case state == Open:
		return b
	case status >= 200 && status <= 299:
		return Breaker{}
	case status != tooManyRequests:
		return b
	}
	b.Consecutive++
	switch {
	case state == HalfOpen:
		b.Reopened++
		return b.open(p, now, offset)
	case p.BreakAfter > 0 && b.Consecutive >= p.BreakAfter:
		return b.open(p, now, offset)
	}
	return b
}

// open sets OpenedAt and Until. By day it waits for this install's slot in the quiet hours; inside them it tries again
// after 15 min × 2^Reopened while that is still inside, else in the next night's slot, where the doubling starts anew.
func (b Breaker) open(p Policy, now time.Time, offset time.Duration) Breaker {
	var until time.Time
	if end, inside := p.offPeakEnd(now); inside {
		until = now.Add(doubled(reopenBase, b.Reopened, MaxHint))
		if !until.Before(end) {
			until, b.Reopened = p.NextOffPeak(end.Add(-1), offset), 0
		}
	} else {
		until, b.Reopened = p.NextOffPeak(now, offset), 0
	}
	b.OpenedAt = instant(ceilMillis(now))
	b.Until = instant(ceilMillis(until))
	return b
}

// instant returns unix milliseconds as a Time in UTC.
func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// AppendText appends the durable form of b, see the package's sample.
func (b Breaker) AppendText(dst []byte) []byte {
	var opened, until int64
	if !b.OpenedAt.IsZero() {
		opened, until = b.OpenedAt.UnixMilli(), b.Until.UnixMilli()
	}
	return appendNumbers(dst, "b1", int64(b.Consecutive), int64(b.Reopened), opened, until)
}

// ParseBreaker reads what AppendText wrote. Any other text is ErrDamaged.
func ParseBreaker(text []byte) (Breaker, error) {
	n, err := parseNumbers(text, "b1", 4)
	if err != nil {
		return Breaker{}, err
	}
	const many = 1 << 30 // an int has 32 bits in places
	if len(n) != 4 || n[0] < 0 || n[0] > many || n[1] < 0 || n[1] > many {
		return Breaker{}, ErrDamaged
	}
	b := Breaker{Consecutive: int(n[0]), Reopened: int(n[1])}
	if n[2] == 0 && n[3] == 0 {
		return b, nil
	}
	if length := n[3] - n[2]; length <= 0 || length > 2*ceilDuration(MaxHint) {
		return Breaker{}, ErrDamaged // the next slot is never two days away
	}
	b.OpenedAt, b.Until = instant(n[2]), instant(n[3])
	return b, nil
}
