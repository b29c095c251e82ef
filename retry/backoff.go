package retry

import "time"

const (
	// MaxHint is the longest Retry-After that is believed.
	MaxHint = 24 * time.Hour

	// A Quota-Reset is the end of a minute window; what lies outside is a wrong clock, not a hint (L3.2, ours).
	minReset = 1 * time.Second
	maxReset = 120 * time.Second

	tooManyRequests = 429
)

// Hint is what an answer says about the next try. A negative field is absent or unreadable: a page sees none of these
// headers unless the server exposes them, and everything here works without.
type Hint struct {
	RetryAfter time.Duration
	// Reset is Quota-Reset − Date, both of the server's clock. Every answer carries that header, so fill it only where
	// it means "wait": after a 429.
	Reset time.Duration
}

// NoHint returns the Hint of an answer without readable headers, or of no answer at all.
func NoHint() Hint { return Hint{RetryAfter: -1, Reset: -1} }

// Wait returns how long to wait before the next try of the same bytes: the larger of the server's hint and the
// back-off. status is the HTTP status, 0 for no answer; try is the number of tries that failed so far, 1 after the
// first; rnd is in [0, 1).
//
// The hint is a floor. The guide's sample waits 2, 4 and 8 s, which all lie in the minute the 429 has locked; ours
// begins behind that minute (L3.1 against L2.5).
func (p Policy) Wait(status, try int, h Hint, rnd float64) time.Duration {
	rnd = clampRnd(rnd)
	wait := p.backoff(try) + share(p.Backoff.Jitter, rnd)
	if p.Backoff.Ceiling > 0 {
		wait = min(wait, p.Backoff.Ceiling) // G5.3
	}
	if floor, ok := p.hint(status, h); ok {
		wait = max(wait, floor+share(p.Backoff.HintJitter, rnd))
	}
	return wait
}

// Phase returns how much later than the end of a wait to wake up: clients whose waits are all the same length, as at a
// ceiling, do not come back together. rnd is in [0, 1).
func (p Policy) Phase(rnd float64) time.Duration { return share(p.Backoff.Phase, clampRnd(rnd)) }

// Spent says whether a batch that failed so often, sealed so long ago, is to park: kept, and tried again later (L9.1,
// G5.7).
func (p Policy) Spent(failed int, age time.Duration, visible bool) bool {
	retries := p.Foreground
	if !visible {
		retries = p.Background
	}
	return failed > retries || p.MaxAge > 0 && age > p.MaxAge
}

// backoff returns Base × 2^try, at most Max (L3.1).
func (p Policy) backoff(try int) time.Duration {
	ceiling := p.Backoff.Max
	if ceiling <= 0 {
		ceiling = MaxHint
	}
	return doubled(p.Backoff.Base, try, ceiling)
}

// hint returns what the server asks for: Retry-After, else the quota's reset, else the lock a 429 is known to set
// (L3.2, L14.1). ok is false if it asks for nothing.
func (p Policy) hint(status int, h Hint) (floor time.Duration, ok bool) {
	switch {
	case h.RetryAfter >= 0:
		return min(h.RetryAfter, MaxHint), true
	case h.Reset >= 0:
		return min(max(h.Reset, minReset), maxReset), true
	case status == tooManyRequests:
		return p.Lock, true
	}
	return 0, false
}

// doubled returns base × 2^times, at most ceiling; negative times count as 0.
func doubled(base time.Duration, times int, ceiling time.Duration) time.Duration {
	for ; times > 0 && base > 0 && base < ceiling; times-- {
		base *= 2
	}
	return min(base, ceiling)
}

// share returns rnd × d.
func share(d time.Duration, rnd float64) time.Duration { return time.Duration(rnd * float64(d)) }

// clampRnd keeps a caller's rnd in [0, 1); NaN counts as 0.
func clampRnd(rnd float64) float64 {
	if !(rnd > 0) {
		return 0
	}
	return min(rnd, 1-1.0/(1<<53))
}
