package retry

import (
	"math"
	"time"
)

// Lottery is a client's place in a fleet that it cannot see: the admission a, steered by the one number every answer
// carries. Every 200 measures the whole fleet: so many requests before this one, in so many seconds of the server's
// minute. One answer is enough to steer, and no client needs to know how many there are. There is no place in a queue to
// remember, so nothing herds after an outage; and where back-off only delays demand, this thins it.
//
//	candidate moment → if now ≥ NotBefore and there is something: send one batch with probability Chance
//	200              → Answered: a follows the measured load
//	429              → Refused: a falls, the earlier in the minute the more
//	5xx, no answer   → Failed: a stays, the pause doubles
//
// Durable and shared by all tabs; as text of some 60 bytes "l1 <a, millionths> <k> <set> <rest until> <not before>.",
// instants in unix ms. a is 0 until an answer has said something: the zero Lottery has learned nothing. Value; copy freely.
type Lottery struct {
	a           float64 // admission; 0 = nothing learned yet
	k           int     // failures in a row
	set         int64   // unix ms: when rest and until were set
	rest, until int64   // unix ms: the pause after a 200; nothing goes before
}

// The steps' numbers.
const (
	restAfterSend  = 45 * time.Second // after a 200
	lowRemaining   = 15               // of a quota of 100: leave the rest of the minute to others
	refusedSpread  = 300 * time.Second
	failedBase     = 60 * time.Second
	failedMost     = 30 * time.Minute
	mostDoublings  = 4
	maxFailures    = 1 << 20
	assumedSecond  = 30.0                                   // of the server's minute, where its Date cannot be read
	longestPause   = MaxHint + refusedSpread<<mostDoublings // that until is ever set to
	perMillion     = 1e6
	openFor        = 10 * time.Minute // by and large the oldest of the sessions that draw now
	crowdFrom      = .3               // of the sessions win at the peak: so few, or fewer, are a crowd
	crowdTo        = .6               // and so many are none
	priorRequests  = 5.0              // what a measurement is mixed with: so many requests at the target's own pace
	minuteSeconds  = 60.0
	refusedSeconds = 9000.0
)

// Measured is what a readable answer says of the whole fleet.
type Measured struct {
	Remaining int     // requests left in the service's window, -1 = unreadable
	Second    float64 // of the server's minute, by its Date; negative = unreadable
	Own       int     // requests of this client in that minute, before this one: no part of what the others do
}

// Admission returns A = a / curve(hour), and 0.15 of it in a session from a campaign link.
func (l Lottery) Admission(f Fleet, now time.Time) float64 { return l.atPeak(f) / f.Curve.At(now) }

func (l Lottery) atPeak(f Fleet) float64 {
	if f.Campaign {
		return l.admission(f) * campaignShare
	}
	return l.admission(f)
}

func (l Lottery) admission(f Fleet) float64 {
	if l.a == 0 {
		return f.firstAdmission()
	}
	return l.a
}

// Chance returns the probability with which a batch goes at a candidate moment: min(1, A) on desktop seats; a numbered seat has
// its slot to itself: 1. On phones what was all written in this session goes with the square of it, as it can still go at the
// session's end, and what is left over has waited a session already.
//
// In a crowd what is left over takes part in several draws a session. a is what one of them wins at the peak; in a quieter hour the
// session, not the draw, is to win as much more often as there are fewer sessions. Were it A, a crowd of which one session in six
// wins at the peak would make fewer requests by day than in the evening: 100,000 phones made 66 and 79 a minute, and their 429s
// were those of the evening. Where demand falls, what counts is that of ten minutes ago, as those who opened then are still there.
// Where most sessions win anyway it is A: 20,000 phones after an outage would win all at once (0.06 % refused).
func (l Lottery) Chance(f Fleet, now time.Time, fresh bool) float64 {
	if f.numbered() {
		return 1
	}
	p := min(1, l.Admission(f, now))
	switch {
	case f.seated():
		return p
	case fresh:
		return p * p
	}
	demand := max(f.Curve.At(now), f.Curve.At(now.Add(-openFor)))
	session := 1 - math.Pow(1-min(1, l.atPeak(f)), drawsPerSession)
	level := 1 - math.Pow(1-min(1, session/demand), 1/drawsPerSession)
	crowd := min(max((crowdTo-session)/(crowdTo-crowdFrom), 0), 1)
	return p + (level-p)*crowd
}

// Learned says that an answer has said something of the fleet: a readable 200, or a 429.
func (l Lottery) Learned() bool { return l.a != 0 }

// Spare says that there is room for a request that only saves time, as a parting shot, whose notes go again with a batch:
// A is 8 or more, where more of it would make no more requests; before any answer, 1.
func (l Lottery) Spare(f Fleet, now time.Time) bool {
	if l.Learned() {
		return l.Admission(f, now) >= maxAdmission
	}
	return l.Admission(f, now) >= 1
}

// Quiet says that an answer has shown the room that the fleet needs: then a full batch need not rest after the one before.
func (l Lottery) Quiet() bool { return l.a >= 1 }

// NotBefore returns the instant before which nothing goes, which may be past; the zero Time if there is none. full: a
// whole batch is there.
func (l Lottery) NotBefore(full bool) time.Time {
	until := l.until
	if !(full && l.Quiet()) {
		until = max(until, l.rest)
	}
	if until == 0 {
		return time.Time{}
	}
	return instant(until)
}

// Answered folds a 200 into l. e seconds into the minute the others have made u requests, which at the target would have been
// e × T × s / 60: the ratio of the two, each with 5 more at the target's pace, is what a is divided by, between a half and
// two, softened by a root. s is the share of the target that an admission like ours can make at this hour: 1, and less where
// more admission than 8 is of no use, as at night; else the quiet hours would teach an admission that the evening cannot bear.
//
// The next one goes 45 s later at the earliest; with fewer than 15 left, after the window, and up to a minute later the more
// of it went to others. rnd is in [0, 1). Unreadable headers leave a as it is.
func (l Lottery) Answered(f Fleet, now time.Time, m Measured, rnd float64) Lottery {
	l = l.begin(now)
	l.k = 0
	l.rest = ceilMillis(now.Add(restAfterSend))
	if m.Remaining < 0 || m.Second < 0 || f.Target <= 0 {
		return l
	}
	used := max(0, float64(f.Quota-1-m.Remaining))
	others := max(0, used-float64(m.Own))
	reach := min(1, maxAdmission/l.Admission(f, now))
	load := (others + priorRequests) / (m.Second*f.Target/minuteSeconds*reach + priorRequests)
	l.a = f.clamp(l.admission(f) * math.Sqrt(min(max(1/load, .5), 2)))
	if m.Remaining*100 < lowRemaining*f.Quota && others > 0 {
		left := time.Duration(max(0, minuteSeconds-m.Second) * float64(time.Second))
		l.until = ceilMillis(now.Add(left + share(time.Minute, clampRnd(rnd)*others/used)))
	}
	return l
}

// Refused folds a 429 into l: a ×= clamp(T × e / 9000, .1, .6), as a minute that was full early was much too full; and
// nothing goes before max(Reset, Retry-After) + U(0, 300 s × 2^min(k−1, 4)). lock is the wait of a 429 that says nothing.
func (l Lottery) Refused(f Fleet, now time.Time, second float64, h Hint, lock time.Duration, rnd float64) Lottery {
	l = l.begin(now)
	if second < 0 {
		second = assumedSecond
	}
	l.a = f.clamp(l.admission(f) * min(max(f.Target*second/refusedSeconds, .1), .6))
	l.k = min(l.k+1, maxFailures)
	floor := max(h.RetryAfter, min(h.Reset, maxReset))
	if floor < 0 {
		floor = lock
	}
	spread := doubled(refusedSpread, min(l.k-1, mostDoublings), refusedSpread<<mostDoublings)
	l.until = max(l.until, ceilMillis(now.Add(min(floor, MaxHint)+share(spread, clampRnd(rnd)))))
	return l
}

// Failed folds a 5xx, or no answer, into l: U(.5, 1) × min(30 min, 60 s × 2^k); a stays, as nothing was said of the load.
func (l Lottery) Failed(f Fleet, now time.Time, rnd float64) Lottery {
	l = l.begin(now)
	l.k = min(l.k+1, maxFailures)
	pause := share(doubled(failedBase, l.k, failedMost), .5+.5*clampRnd(rnd))
	l.until = max(l.until, ceilMillis(now.Add(pause)))
	return l
}

// begin is what every step starts with: the clock, and an admission of its own.
func (l Lottery) begin(now time.Time) Lottery {
	l = l.Rebase(now)
	l.set = ceilMillis(now)
	if l.rest <= l.set {
		l.rest = 0
	}
	if l.until <= l.set {
		l.until = 0
	}
	return l
}

// Rebase returns l as it counts at now: pauses that were set in the future, because the clock went back, count as set
// now, for the time they were meant to last. Keep the result, see the package.
func (l Lottery) Rebase(now time.Time) Lottery {
	if ahead := l.set - ceilMillis(now); ahead > 0 {
		return l.shift(-ahead)
	}
	return l
}

// Advance returns l moved with a clock that was set ahead by that much: the rest of a pause stays as long as it was.
func (l Lottery) Advance(by time.Duration) Lottery {
	if by <= 0 {
		return l
	}
	return l.shift(ceilDuration(by))
}

func (l Lottery) shift(ms int64) Lottery {
	if l.set != 0 {
		l.set += ms
	}
	if l.rest != 0 {
		l.rest += ms
	}
	if l.until != 0 {
		l.until += ms
	}
	return l
}

// AppendText appends the durable form of l.
func (l Lottery) AppendText(dst []byte) []byte {
	return appendNumbers(dst, "l1", int64(l.a*perMillion+.5), int64(l.k), l.set, l.rest, l.until)
}

// ParseLottery reads what AppendText wrote. Any other text is ErrDamaged; the caller then starts from the zero Lottery,
// with what the fleet's hint says: the windows still hold.
func ParseLottery(text []byte) (Lottery, error) {
	n, err := parseNumbers(text, "l1", 5)
	if err != nil {
		return Lottery{}, err
	}
	l := Lottery{a: float64(n[0]) / perMillion, k: int(min(n[1], maxFailures)), set: n[2], rest: n[3], until: n[4]}
	if len(n) != 5 || n[0] < 0 || l.a > maxAdmission || n[1] < 0 || n[1] > maxFailures || l.set < 0 || l.rest < 0 || l.until < 0 ||
		l.rest > l.set+ceilDuration(restAfterSend)+1 || l.until > l.set+ceilDuration(longestPause)+1 {
		return Lottery{}, ErrDamaged
	}
	return l, nil
}
