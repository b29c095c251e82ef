package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// LINE guide §9.4: "on Golden Week the daily active curve shifts +18 %, raising 429 probability after 21:00 JST".
func TestL9_4_HotHours(t *testing.T) {
	for _, row := range []struct {
		at   string // JST
		want bool
	}{
		{"2026-03-10 20:59", false},
		{"2026-03-10 21:00", true},
		{"2026-03-10 23:59", true},
		{"2026-03-11 00:00", false},
		{"2026-04-28 20:59", false},
		{"2026-04-29 00:00", true}, // Golden Week, all day
		{"2026-05-01 09:00", true}, // the working days between, too
		{"2026-05-06 20:59", true}, // 3 May 2026 is a Sunday: moved to the 6th
		{"2026-05-07 00:00", false},
		{"2027-05-05 12:00", true},
		{"2027-05-06 12:00", false}, // not moved
		{"2024-05-03 12:00", false}, // no row: evenings only
		{"2033-05-03 12:00", false},
		{"2033-05-03 22:00", true},
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", row.at, jst)
		require.NoError(t, err)
		require.Equal(t, row.want, Hot(now), "%+v", row)
		require.Equal(t, row.want, Hot(now.UTC()), "%+v: seen from elsewhere", row)
	}
}

// The table against the Public Holiday Law: a holiday on a Sunday moves to the next day that is none.
func TestL9_4_GoldenWeekTableFollowsTheLaw(t *testing.T) {
	require.Len(t, goldenWeeks, 8)
	for i, week := range goldenWeeks {
		require.Equal(t, 2025+i, week.year)
		last := 505
		for d := 3; d <= 5; d++ {
			if time.Date(week.year, time.May, d, 0, 0, 0, 0, jst).Weekday() == time.Sunday {
				last = 506
			}
		}
		require.Equal(t, 429, week.from, "%d", week.year)
		require.Equal(t, last, week.to, "%d", week.year)
	}
}

func TestL9_4_TheSelfLimitIsLoweredBy18Percent(t *testing.T) {
	for _, row := range []struct {
		policy Policy
		want   []int
	}{
		{LineMiniApp(), []int{78, 22}},
		{LineMedia(), []int{78, 22}},
		{LineServer(), []int{475, 90}},
		{LineStatus(), []int{475}},
		{LineGeneric(), []int{44, 14}},
		{Policy{HotPct: 18, Windows: []Window{{1, time.Second}}}, []int{1}}, // never to nothing
		{Policy{HotPct: 0, Windows: []Window{{50, time.Second}}}, []int{50}},
	} {
		var got []int
		for i, w := range row.policy.Effective(at(t, "21:30")) {
			got = append(got, w.N)
			require.Equal(t, row.policy.Windows[i].Per, w.Per)
		}
		require.Equal(t, row.want, got, row.policy.Name)
		require.Equal(t, row.policy.Windows, row.policy.Effective(noon), "%s by day", row.policy.Name)
	}
}

// Golden Week evenings are hot once, not twice.
func TestL9_4_BothReasonsLowerOnce(t *testing.T) {
	now := time.Date(2026, time.May, 4, 22, 0, 0, 0, jst)
	require.Equal(t, 78, LineMiniApp().Effective(now)[0].N)
}

// A wait may run across 21:00 or midnight; other windows hold beyond.
func TestL9_4_NextFollowsTheHotHours(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct {
		first     string // the first request; the others follow every step
		n         int
		step      time.Duration
		now, want string
	}{
		{"20:59:30", 28, 0, "20:59:31", "20:59:35"},
		{"20:59:58", 23, 0, "20:59:59", "20:59:59"}, // 23 of 28 by day …
		{"20:59:58", 23, 0, "21:00:00", "21:00:03"}, // … 23 of 22 in the evening
		// 96 in 48 s from 20:59:02; by day the 97th goes at 21:00:02, but then 78 hold: the 19th must have left.
		{"20:59:02", 96, 500 * time.Millisecond, "20:59:50", "21:00:11"},
		// 78 in 39 s from 23:59:20 fill the hot minute until 00:00:20; at midnight 96 hold again.
		{"23:59:20", 78, 500 * time.Millisecond, "23:59:59", "00:00:00"},
	} {
		got := filled(p, at(t, row.first), row.n, row.step).Next(p, at(t, row.now))
		require.Equal(t, row.want, got.Format("15:04:05.999"), "%+v", row)
	}
}

func TestL9_4_TheNextTurnIsNineOrMidnight(t *testing.T) {
	for _, row := range []struct{ now, want string }{
		{"00:00", "21:00"},
		{"20:59:59.999", "21:00"},
		{"21:00", "00:00"},
		{"23:59:59.999", "00:00"},
	} {
		require.Equal(t, row.want, time.UnixMilli(nextTurn(at(t, row.now).UnixMilli())).In(jst).Format("15:04"), "%+v", row)
	}
	before1970 := time.Date(1969, time.July, 20, 12, 0, 0, 0, jst)
	require.Equal(t, before1970.Add(9*time.Hour).UnixMilli(), nextTurn(before1970.UnixMilli()))
}
