package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// LINE guide §5: "upload during off-peak (00:00–04:00 JST)". 00:00 JST is 15:00 UTC of the day before.
func TestL5_3_NextOffPeakIsThisInstallsSlot(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct {
		now    string // UTC
		offset time.Duration
		want   string // UTC
	}{
		{"2026-03-10T12:00:00Z", 0, "2026-03-10T15:00:00Z"},
		{"2026-03-10T14:59:59.999Z", 0, "2026-03-10T15:00:00Z"},
		{"2026-03-10T15:00:00Z", 0, "2026-03-11T15:00:00Z"}, // strictly later
		{"2026-03-10T15:00:00Z", time.Hour, "2026-03-10T16:00:00Z"},
		{"2026-03-10T16:00:00Z", time.Hour, "2026-03-11T16:00:00Z"},
		{"2026-03-10T18:59:59Z", 239 * time.Minute, "2026-03-11T18:59:00Z"},
		{"2026-03-10T20:00:00Z", 239 * time.Minute, "2026-03-11T18:59:00Z"},
		{"2026-12-31T14:00:00Z", time.Minute, "2026-12-31T15:01:00Z"}, // New Year in Japan
		{"2028-02-28T15:30:00Z", 0, "2028-02-29T15:00:00Z"},           // a leap day
		{"2026-03-10T12:00:00Z", -time.Hour, "2026-03-10T15:00:00Z"},  // an offset outside is moved in
		{"2026-03-10T12:00:00Z", 9 * time.Hour, "2026-03-10T18:59:59.999Z"},
	} {
		now, err := time.Parse(time.RFC3339, row.now)
		require.NoError(t, err)
		require.Equal(t, row.want, p.NextOffPeak(now, row.offset).Format(time.RFC3339Nano), "%+v", row)
	}
}

func TestL5_3_QuietHoursMayPassMidnightOrLastAllDay(t *testing.T) {
	late := Policy{OffPeakFrom: 22, OffPeakTo: 4}
	for _, row := range []struct {
		now    string
		inside bool
		want   string // this install's slot, 3 h in
	}{
		{"21:59", false, "2026-03-11 01:00"},
		{"22:00", true, "2026-03-11 01:00"},
		{"00:30", true, "2026-03-10 01:00"},
		{"03:59", true, "2026-03-11 01:00"},
		{"04:00", false, "2026-03-11 01:00"},
	} {
		_, inside := late.offPeakEnd(at(t, row.now))
		require.Equal(t, row.inside, inside, "%+v", row)
		require.Equal(t, row.want, late.NextOffPeak(at(t, row.now), 3*time.Hour).Format("2006-01-02 15:04"), "%+v", row)
	}
	always := Policy{BreakAfter: 1}
	b := Breaker{}.Step(always, noon, 429, 0)
	require.Equal(t, "open until 12:15", show(b, noon), "equal hours: every hour is quiet")
}

// All installs share one bucket (L14.7): they must not all begin at midnight.
func TestL5_3_OffsetsSpreadOverTheQuietHours(t *testing.T) {
	p := LineMiniApp()
	require.Equal(t, time.Duration(0), p.Offset(0))
	require.Equal(t, 2*time.Hour, p.Offset(0.5))
	require.Equal(t, time.Hour+12*time.Minute, p.Offset(0.3))
	for _, rnd := range []float64{almost, 1, 7} {
		require.Less(t, p.Offset(rnd), 4*time.Hour, "rnd %v", rnd)
		require.Greater(t, p.Offset(rnd), 4*time.Hour-time.Minute, "rnd %v", rnd)
	}
	perHour := map[time.Duration]int{}
	for i := range 400 {
		perHour[p.Offset(float64(i)/400).Truncate(time.Hour)]++
	}
	require.Equal(t, map[time.Duration]int{0: 100, time.Hour: 100, 2 * time.Hour: 100, 3 * time.Hour: 100}, perHour)
}
