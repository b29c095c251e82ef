package retry

import "time"

// eveningFrom is the hour JST from which, until midnight, a 429 is more likely (L9.4).
const eveningFrom = 21

// goldenWeeks are the Golden Weeks, first and last day included, as month × 100 + day: from Showa Day (29 April) to
// Children's Day (5 May), and to 6 May where one of 3, 4 and 5 May is a Sunday and the Public Holiday Law moves it
// behind the block. Years without a row have evenings only (L9.4).
var goldenWeeks = [...]struct{ year, from, to int }{
	{2025, 429, 506},
	{2026, 429, 506},
	{2027, 429, 505},
	{2028, 429, 505},
	{2029, 429, 505},
	{2030, 429, 506},
	{2031, 429, 506},
	{2032, 429, 505},
}

// Hot reports whether the service runs hot at now: every evening from 21:00 JST to midnight, and all day long in Golden
// Week (L9.4: "+18 %, raising 429 probability after 21:00 JST"; that either is enough is our reading).
func Hot(now time.Time) bool {
	local := now.In(jst)
	if local.Hour() >= eveningFrom {
		return true
	}
	year, month, d := local.Date()
	on := int(month)*100 + d
	for _, week := range goldenWeeks {
		if week.year == year {
			return week.from <= on && on <= week.to
		}
	}
	return false
}

// nextTurn returns the first instant after t at which Hot may change: 21:00 or midnight JST. Both are unix ms.
func nextTurn(t int64) int64 {
	const (
		dayMs     = int64(day / time.Millisecond)
		eveningMs = int64(eveningFrom * time.Hour / time.Millisecond)
		jstMs     = int64(9 * time.Hour / time.Millisecond)
	)
	sinceMidnight := ((t+jstMs)%dayMs + dayMs) % dayMs
	if sinceMidnight < eveningMs {
		return t - sinceMidnight + eveningMs
	}
	return t - sinceMidnight + dayMs
}
