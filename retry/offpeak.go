package retry

import "time"

// jst is UTC+9 all year; Japan has no summer time, and a page has no time zone database.
var jst = time.FixedZone("JST", 9*60*60)

const day = 24 * time.Hour

// offPeakLength returns how long the quiet hours last: 4 h for 0 to 4, 6 h for 22 to 4, a day for equal hours.
func (p Policy) offPeakLength() time.Duration {
	hours := ((p.OffPeakTo-p.OffPeakFrom)%24 + 24) % 24
	if hours == 0 {
		return day
	}
	return time.Duration(hours) * time.Hour
}

// offPeakStart returns the last beginning of quiet hours that is not after now.
func (p Policy) offPeakStart(now time.Time) time.Time {
	y, m, d := now.In(jst).Date()
	start := time.Date(y, m, d, p.OffPeakFrom, 0, 0, 0, jst)
	if start.After(now) {
		return start.Add(-day)
	}
	return start
}

// offPeakEnd returns whether now is inside the quiet hours, and when those end.
func (p Policy) offPeakEnd(now time.Time) (end time.Time, inside bool) {
	end = p.offPeakStart(now).Add(p.offPeakLength())
	return end, now.Before(end)
}

// NextOffPeak returns this install's next slot, strictly after now, in now's location. offset is its place inside the
// quiet hours (00:00-04:00 JST, L5.3), kept within them: if every install began at midnight, the quiet hours would be
// the storm, as all share one bucket (L14.7).
func (p Policy) NextOffPeak(now time.Time, offset time.Duration) time.Time {
	offset = min(max(offset, 0), p.offPeakLength()-time.Millisecond)
	slot := p.offPeakStart(now).Add(offset)
	if !slot.After(now) {
		slot = slot.Add(day)
	}
	return slot.In(now.Location())
}

// Offset returns an install's place inside the quiet hours, in whole milliseconds: drawn once, kept for good.
// rnd is in [0, 1).
func (p Policy) Offset(rnd float64) time.Duration {
	return share(p.offPeakLength(), clampRnd(rnd)).Truncate(time.Millisecond)
}
