package retry

import (
	"math"
	"time"
)

// Fleet is what one client is told about all the clients that share its bucket. The zero Fleet is no lottery.
// Value; copy freely.
//
// The quota belongs to the channel, not to the phone (L14.7), and phones cannot talk to each other. Uncoordinated
// senders at a mean of L a minute cannot be refused less often than, of 100 a minute: L = 60 3e-6 %, 70 0.0012 %,
// 80 0.065 %, 90 0.83 %. So Target lies well below the quota.
type Fleet struct {
	Target   float64 // requests a minute that all clients together aim at; 0 = no lottery
	Quota    int     // requests a minute that the service takes from all of them
	Phones   int     // a hint how many they are: sets the first admission; 0 = learn it
	Seats    bool    // long desktop sessions, not phones
	Seat     Seat    // a numbered seat: a slot of its own instead of a lottery
	Campaign bool    // this session was opened from a link that many got at once
	Curve    Curve   // the day's demand; nil: EveningCurve
}

// Seat is one of Total numbered seats, 0 ≤ Number < Total. A Total of 0 is no number.
type Seat struct{ Number, Total int }

// Curve is the demand at each of the 24 full hours JST, with its peak at 1; between the hours it is a straight line. Do not
// write to one that is in use.
type Curve []float64

var evening = [24]float64{.36, .20, .11, .07, .06, .08, .16, .30, .36, .34, .34, .38,
	.50, .42, .36, .36, .38, .44, .62, .76, .90, 1, .86, .60}

// EveningCurve is the default: a peak at 21 h, and 18 % on top from 18 h on (L9.4); mean 0.415.
func EveningCurve() Curve { return evening[:] }

// At returns the demand at now, in [0.01, 1]; a Curve without 24 hours is the default.
func (c Curve) At(now time.Time) float64 {
	c = c.orEvening()
	const dayMs, hourMs, jstMs = 86_400_000, 3_600_000, 9 * 3_600_000
	at := ((floorMillis(now)+jstMs)%dayMs + dayMs) % dayMs
	h, part := int(at/hourMs), float64(at%hourMs)/hourMs
	return min(max(c[h]*(1-part)+c[(h+1)%24]*part, .01), 1)
}

// mean returns the mean demand, in [0.01, 1].
func (c Curve) mean() (sum float64) {
	c = c.orEvening()
	for _, d := range c {
		sum += min(max(d, .01), 1) / float64(len(c))
	}
	return sum
}

func (c Curve) orEvening() Curve {
	if len(c) != len(evening) {
		return EveningCurve()
	}
	return c
}

// LineFleet is the lottery of a bucket that takes quota requests a minute: the target is 60 of 100.
func LineFleet(quota int) Fleet { return Fleet{Target: .6 * float64(quota), Quota: quota} }

// On says whether there is a lottery at all.
func (f Fleet) On() bool { return f.Target > 0 }

// The admission's limits. Seats stay below 3: they are open all day, and each of them is a candidate again and again.
const (
	minAdmission     = .001
	maxAdmission     = 8
	maxSeatAdmission = 3
	campaignShare    = .15 // of the admission, in a session that was opened from a campaign link
)

// firstAdmission is a before any answer has told: 1, or what the hint says. r of the sessions at the peak may have a request of
// their own at the target's pace: for 20,000 phones 0.6, for 100,000 0.12. In a crowd what is left over takes part in several draws a
// session, of which one is won with 1 − (1 − a)^n. bench/fleet, the first day of 40,000: n = 1 makes 66 requests a minute, aimed at 60,
// and 0.21 % of them are refused; n = 3.6 makes 31, as quieter hours leave less over; 2 makes 47, none refused. A hint had better
// begin too low, as each answer raises it.
func (f Fleet) firstAdmission() float64 {
	if f.Phones <= 0 {
		return 1
	}
	sessions := float64(f.Phones) * sessionsPerDay / (minutesPerDay * f.Curve.mean()) // a minute, at the peak
	r := f.Target / sessions
	if r >= 1 {
		return f.clamp(r)
	}
	return f.clamp(1 - math.Pow(1-r, 1/firstDraws))
}

const (
	sessionsPerDay  = 3
	firstDraws      = 2.0
	drawsPerSession = 2.8 // of what is left over, later; 3.6 (the first look, 1.6 candidates, the end) makes 81 requests a minute at midnight
	minutesPerDay   = 24 * 60
)

func (f Fleet) clamp(a float64) float64 {
	most := float64(maxAdmission)
	if f.seated() {
		most = maxSeatAdmission
	}
	return float64(int64(min(max(a, minAdmission), most)*perMillion+.5)) / perMillion // as it is written
}

func (f Fleet) seated() bool   { return f.Seats || f.numbered() }
func (f Fleet) numbered() bool { return f.Seat.Total > 0 }

// Candidate moments. A phone's life is short, so it looks soon after it was opened; what is open already asks seldom,
// and more often the emptier the bucket is.
const (
	firstLookFrom, firstLookTo = 3 * time.Second, 75 * time.Second
	shortestLook, longestLook  = 75 * time.Second, 300 * time.Second
	seatsPerMinute             = 70 // numbered seats of one frame
)

// FirstMoment returns the first candidate moment of a session that has something left over from an earlier one: opened
// + U(3, 75) s, or the seat's next slot. rnd is in [0, 1).
func (f Fleet) FirstMoment(opened time.Time, rnd float64) time.Time {
	if f.numbered() {
		return f.slot(opened)
	}
	return opened.Add(firstLookFrom + share(firstLookTo-firstLookFrom, clampRnd(rnd)))
}

// NextMoment returns the candidate moment after now, while the page is open: now + U(.7, 1.3) × 300 s / max(1, A/2), at
// least 75 s before the spread; or the seat's next slot.
func (l Lottery) NextMoment(f Fleet, now time.Time, rnd float64) time.Time {
	if f.numbered() {
		return f.slot(now)
	}
	every := time.Duration(float64(longestLook) / max(1, l.Admission(f, now)/2))
	every = min(max(every, shortestLook), longestLook)
	return now.Add(share(every, .7+.6*clampRnd(rnd)))
}

// frame is the time in which every numbered seat has one slot: total/70 minutes, and not below a phone's shortest look.
func (f Fleet) frame() time.Duration {
	return max(time.Duration(f.Seat.Total)*time.Minute/seatsPerMinute, shortestLook)
}

// slot returns the seat's next slot, strictly after now: number/total of each frame, counted from 1970.
func (f Fleet) slot(now time.Time) time.Time {
	frame := ceilDuration(f.frame())
	number := int64(((f.Seat.Number % f.Seat.Total) + f.Seat.Total) % f.Seat.Total)
	at := frame * number / int64(f.Seat.Total)
	ms := floorMillis(now)
	since := ((ms-at)%frame + frame) % frame
	return time.UnixMilli(ms + frame - since).In(now.Location())
}
