package retry

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// jstAt is a clock time of a day without Golden Week, JST.
func jstAt(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("15:04:05", text, jst)
	require.NoError(t, err)
	return time.Date(2026, 6, 3, at.Hour(), at.Minute(), at.Second(), 0, jst)
}

// learned is a lottery with that admission.
func learned(a float64) Lottery { return Lottery{a: a} }

var phones = LineFleet(100)

// "200: e seconds into the server's minute (Date); L = 60 × (99 − Remaining + 5) / (e + 300/T);
// a ×= clamp(T/L, .5, 2)^½, a in [.001, 8]"; less our own requests, and with less than T asked of hours in which 8 is no end.
func TestFleet_EveryAnswerMeasuresTheWholeFleet(t *testing.T) {
	for _, row := range []struct {
		fleet     string
		f         Fleet
		a         float64
		remaining int
		own       int
		second    float64
		want      float64
	}{
		{"at the target: 30 others in 30 s", phones, 1, 69, 0, 30, 1},
		{"twice the target: 65 others in 30 s", phones, 1, 34, 0, 30, math.Sqrt(.5)},
		{"more than twice counts as twice", phones, 1, 0, 0, 30, math.Sqrt(.5)},
		{"nobody else: twice the admission, softened", phones, 1, 99, 0, 30, math.Sqrt2},
		{"at the start of a minute the five assumed ones keep it still", phones, 1, 99, 0, 0, 1},
		{"what we sent ourselves is not the others' doing", phones, 1, 19, 80, 55, math.Sqrt2},
		{"30 others in 30 s, whatever we sent", phones, 1, 29, 40, 30, 1},
		{"more of our own than were counted, as some were refused", phones, 1, 59, 60, 30, math.Sqrt2},
		{"a phone's admission ends at 8", phones, 8, 99, 0, 59, 8},
		{"a seat's at 3", Fleet{Target: 60, Quota: 100, Seats: true}, 3, 99, 0, 59, 3},
		{"and never falls below 0.001", phones, .001, 0, 0, 30, .001},
		{"without readable headers a stays as it is: no Remaining", phones, .7, -1, 0, 30, .7},
		{"without readable headers a stays as it is: no Date", phones, .7, 40, 0, -1, .7},
	} {
		l := learned(row.a).Answered(row.f, jstAt(t, "21:00:00"), Measured{Remaining: row.remaining, Own: row.own, Second: row.second}, .5)
		require.InDelta(t, row.want, l.a, 1e-6, row.fleet)
	}
}

// Where an admission of 8 at the peak's measure lets everybody go as often as is of use, more of it changes nothing: what is
// measured then is divided by what an admission of 8 would make of the target. So a quiet night does not raise what the
// evening will need: 5,000 phones, whose admission is 2.8, make 10 requests a minute at 4 h (curve 0.06).
func TestFleet_AQuietNightTeachesNoCrowd(t *testing.T) {
	for _, row := range []struct {
		a      float64
		others int
		second float64
		want   float64
	}{
		{2.8, 10, 60, 2.8},
		{2.8, 20, 60, 2.8 * .782}, // twice of it: as if it were twice the target
		{2.8, 0, 60, 2.8 * math.Sqrt2},
		{.48, 60, 60, .48}, // 8 is just reached: the target itself
		{.24, 60, 60, .24},
	} {
		l := learned(row.a).Answered(phones, jstAt(t, "04:00:00"), Measured{Remaining: 99 - row.others, Second: row.second}, .5)
		require.InDelta(t, row.want, l.a, .03, "%+v", row)
	}
}

// "200: k = 0; notBefore = now + 45 s; Remaining < 15: notBefore = window end + U(0, 60) s"
func TestFleet_AfterAnAnswerItRests(t *testing.T) {
	for _, row := range []struct {
		answer    string
		remaining int
		own       int
		second    float64
		rnd       float64
		want      time.Duration
	}{
		{"room left", 60, 0, 20, .5, 45 * time.Second},
		{"15 left is room", 15, 0, 20, .5, 45 * time.Second},
		{"14 left, 40 s before the window's end", 14, 0, 20, 0, 45 * time.Second},
		{"14 left, and half a minute's spread", 14, 0, 20, .5, 70 * time.Second},
		{"13 left, half of what is gone went to us: half the spread", 13, 43, 20, 1, 70 * time.Second},
		{"14 left, all of it went to us: the limiter is enough", 14, 85, 20, .5, 45 * time.Second},
		{"nothing readable", -1, 0, -1, .9, 45 * time.Second},
	} {
		now := jstAt(t, "21:00:20")
		l := Lottery{a: 1, k: 3}.Answered(phones, now, Measured{Remaining: row.remaining, Own: row.own, Second: row.second}, row.rnd)
		require.Equal(t, row.want, l.NotBefore(false).Sub(now), row.answer)
		require.Zero(t, l.k, row.answer)
	}
}

// "429: a ×= clamp(T × e / 9000, .1, .6); k++; notBefore = max(Reset, now + Retry-After) + U(0, 300 s × 2^min(k−1, 4))"
func TestFleet_ARefusalThinsAndSpreads(t *testing.T) {
	for _, row := range []struct {
		answer string
		k      int
		second float64
		hint   Hint
		rnd    float64
		a      float64
		pause  time.Duration
	}{
		{"full after 30 s", 0, 30, Hint{60 * time.Second, 30 * time.Second}, 0, .2, 60 * time.Second},
		{"full at once", 0, 3, Hint{60 * time.Second, 57 * time.Second}, .5, .1, 210 * time.Second},
		{"full at the very end", 0, 59, Hint{60 * time.Second, time.Second}, .5, 59. * 60 / 9000, 210 * time.Second},
		{"the reset is the later one", 0, 30, Hint{10 * time.Second, 30 * time.Second}, 0, .2, 30 * time.Second},
		{"nothing readable: the known lock, half a minute assumed", 0, -1, NoHint(), 0, .2, 60 * time.Second},
		{"the second in a row spreads over 10 minutes", 1, 30, Hint{60 * time.Second, -1}, .5, .2, 360 * time.Second},
		{"the sixth over 80", 5, 30, Hint{60 * time.Second, -1}, .5, .2, 41 * time.Minute},
		{"and no further one over more", 9, 30, Hint{60 * time.Second, -1}, .5, .2, 41 * time.Minute},
	} {
		now := jstAt(t, "21:00:30")
		l := Lottery{a: 1, k: row.k}.Refused(phones, now, row.second, row.hint, time.Minute, row.rnd)
		require.InDelta(t, row.a, l.a, 1e-6, row.answer)
		require.Equal(t, row.pause, l.NotBefore(false).Sub(now), row.answer)
		require.Equal(t, row.k+1, l.k, row.answer)
	}
}

// "5xx, time-out: k++; a unchanged; notBefore = now + U(.5, 1) × min(30 min, 60 s × 2^k)"
func TestFleet_AFailureWaitsAndSaysNothingOfTheLoad(t *testing.T) {
	for _, row := range []struct {
		k     int
		rnd   float64
		pause time.Duration
	}{
		{0, 0, time.Minute}, {0, .5, 90 * time.Second}, {1, 0, 2 * time.Minute}, {4, 0, 15 * time.Minute}, {30, 0, 15 * time.Minute},
	} {
		now := jstAt(t, "09:00:00")
		l := Lottery{a: .4, k: row.k}.Failed(phones, now, row.rnd)
		require.Equal(t, .4, l.a)
		require.Equal(t, row.pause, l.NotBefore(false).Sub(now), "k %d", row.k)
	}
	require.False(t, Lottery{}.Failed(phones, jstAt(t, "09:00:00"), .5).Learned())
}

// "p = min(1, A) (phones: p² when all events are of this session); A = a / curve(hour); opened from a campaign link: A × 0.15;
// long desktop sessions (seats): p instead of p²"; what is left over on a phone: see Chance.
func TestFleet_TheChanceAtACandidateMoment(t *testing.T) {
	for _, row := range []struct {
		who   string
		f     Fleet
		a     float64
		at    string
		fresh bool
		want  float64
	}{
		{"at the peak, left over", phones, .5, "21:00:00", false, .5},
		{"at the peak, of this session", phones, .5, "21:00:00", true, .25},
		{"at half the demand, of this session", phones, .25, "12:00:00", true, .25},
		{"at half the demand, left over", phones, .05, "12:00:00", false, 0.105248},
		{"where half of the sessions win at the peak, between the two", phones, .25, "12:00:00", false, 0.578100},
		{"where most win it is A", phones, .3, "12:00:00", false, .6},
		{"at night everybody may", phones, .06, "04:00:00", true, 1},
		{"between two hours the curve is a line: 22:30 is 0.73", phones, .365, "22:30:00", true, .25},
		{"from a campaign link", Fleet{Target: 60, Quota: 100, Campaign: true}, 1, "21:00:00", false, .15},
		{"a seat", Fleet{Target: 60, Quota: 100, Seats: true}, .5, "21:00:00", true, .5},
		{"a numbered seat has its slot to itself", Fleet{Target: 60, Quota: 100, Seat: Seat{3, 40}}, .001, "21:00:00", true, 1},
		{"a lone page that knows nothing", phones, 0, "21:00:00", true, 1},
		{"one with a hint", Fleet{Target: 60, Quota: 100, Phones: 119_520}, 0, "21:00:00", false, 0.051317},
		{"a curve of one's own", Fleet{Target: 60, Quota: 100, Curve: Curve{9: .5, 10: .5, 23: 1}}, .2, "09:30:00", true, .16},
	} {
		require.InDelta(t, row.want, learned(row.a).Chance(row.f, jstAt(t, row.at), row.fresh), 1e-6, row.who)
	}
}

// In a crowd, however quiet the hour, what phones have left over makes as many requests a minute as at the peak, until every session wins; those
// of ten minutes ago are still there.
func TestFleet_WhatIsLeftOverMakesTheSameLoadAtEachHour(t *testing.T) {
	for _, a := range []float64{.001, .01, .05, .11} {
		l := learned(a)
		wins := func(at string) float64 {
			return 1 - math.Pow(1-l.Chance(phones, jstAt(t, at), false), drawsPerSession)
		}
		for hour := range 24 {
			at := fmt.Sprintf("%02d:30:00", hour)
			before := fmt.Sprintf("%02d:20:00", hour)
			demand := max(phones.Curve.At(jstAt(t, at)), phones.Curve.At(jstAt(t, before)))
			require.InDelta(t, min(1, wins("21:00:00")/demand), wins(at), 1e-9, "%s, a %g", at, a)
		}
	}
}

// A hint: as many sessions at the peak as the target takes are an admission of 1. At 3 sessions a day and a mean demand of 0.415
// of the peak that are 11,952 phones on a target of 60 a minute. More of them, r of whose sessions have a request, win one of two
// draws with that: 1 − √(1 − r).
func TestFleet_AHintSaysWithWhatAdmissionToBegin(t *testing.T) {
	for _, row := range []struct {
		phones int
		f      Fleet
		want   float64
	}{
		{0, phones, 1},
		{1, phones, 8},
		{11_952, phones, 1},
		{20_000, phones, 0.365650},
		{100_000, phones, 0.061661},
		{1 << 40, phones, .001},
		{100_000, LineFleet(600), 0.468135},
		{28_800, Fleet{Target: 60, Quota: 100, Curve: Curve{0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 13: 1, 14: 1,
			15: 1, 16: 1, 17: 1, 18: 1, 19: 1, 20: 1, 21: 1, 22: 1, 23: 1}}, 1}, // the same demand all day
	} {
		row.f.Phones = row.phones
		require.InDelta(t, row.want, Lottery{}.admission(row.f), 1e-4, "%d phones", row.phones)
	}
}

// "candidate moments: open + U(3, 75) s if something is left over; then every U(.7, 1.3) × clamp(300 / max(1, A/2), 75, 300) s"
func TestFleet_CandidateMoments(t *testing.T) {
	now := jstAt(t, "21:00:00")
	for _, row := range []struct {
		a, rnd      float64
		first, next time.Duration
	}{
		{1, 0, 3 * time.Second, 210 * time.Second},
		{1, .5, 39 * time.Second, 300 * time.Second},
		{2, .5, 39 * time.Second, 300 * time.Second},
		{4, .5, 39 * time.Second, 150 * time.Second},
		{8, .5, 39 * time.Second, 75 * time.Second},
		{.01, .5, 39 * time.Second, 300 * time.Second},
	} {
		require.Equal(t, row.first, phones.FirstMoment(now, row.rnd).Sub(now), "A %v", row.a)
		require.InDelta(t, row.next.Seconds(), learned(row.a).NextMoment(phones, now, row.rnd).Sub(now).Seconds(), 1e-6, "A %v", row.a)
	}
	require.Less(t, phones.FirstMoment(now, 1).Sub(now), 75*time.Second+time.Millisecond)
}

// "Seats with a number and a known total: a slot of its own, number/total in a frame of total/70 min"
func TestFleet_NumberedSeatsHaveASlotOfTheirOwn(t *testing.T) {
	for _, total := range []int{1, 2, 40, 70, 800, 5000} {
		now, inMinute := jstAt(t, "10:00:00"), map[int64]int{}
		frame := Fleet{Seat: Seat{0, total}}.frame()
		require.Equal(t, max(time.Duration(total)*time.Minute/70, 75*time.Second), frame, "%d seats", total)
		for number := range total {
			f := Fleet{Target: 60, Quota: 100, Seat: Seat{number, total}}
			at := f.FirstMoment(now, 0)
			require.True(t, at.After(now) && !at.After(now.Add(frame)), "seat %d of %d: %v", number, total, at)
			again := Lottery{}.NextMoment(f, at, .9)
			require.InDelta(t, frame.Seconds(), again.Sub(at).Seconds(), .002, "seat %d of %d", number, total)
			inMinute[at.Unix()/60]++
		}
		for minute, n := range inMinute {
			require.LessOrEqual(t, n, 71, "%d seats, minute %d", total, minute)
		}
	}
	require.Equal(t, Fleet{Seat: Seat{3, 40}}.slot(jstAt(t, "10:00:00")), Fleet{Seat: Seat{43, 40}}.slot(jstAt(t, "10:00:00")), "a number beyond the total")
}

// A quiet bucket: a full batch need not rest, the low-quota pause and the pause after a 429 still hold it.
func TestFleet_AFullBatchNeedNotRestWhereThereIsRoom(t *testing.T) {
	now := jstAt(t, "10:00:30")
	l := learned(1).Answered(phones, now, Measured{Remaining: 98, Second: 30}, .5)
	require.True(t, l.Quiet())
	require.Zero(t, l.NotBefore(true))
	require.Equal(t, 45*time.Second, l.NotBefore(false).Sub(now))
	require.Equal(t, 360*time.Second, l.Refused(phones, now, 30, NoHint(), time.Minute, 1).NotBefore(true).Sub(now).Round(time.Second))
	crowded := learned(1).Answered(phones, now, Measured{Remaining: 30, Second: 30}, .5)
	require.Equal(t, 45*time.Second, crowded.NotBefore(true).Sub(now))
}
