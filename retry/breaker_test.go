package retry

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// show says what the breaker is at now, with the day after noon's as "+1".
func show(b Breaker, now time.Time) string {
	state := b.State(now)
	if state != Open {
		return state.String()
	}
	until := b.Until.In(jst)
	text := "open until " + until.Format("15:04")
	if days := until.YearDay() - noon.YearDay(); days != 0 {
		text += " +" + strconv.Itoa(days)
	}
	return text
}

// LINE guide §5: "set a client-side circuit-breaker after three consecutive 429s".
func TestL5_2_BreakerOpensAfterThreeConsecutive429s(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct{ at, replies, want string }{
		{"21:00", "", "closed"},
		{"21:00", "429 429", "closed"},
		{"21:00", "429 429 429", "open until 00:00 +1"},
		{"21:00", "429 429 200 429", "closed"},                // not consecutive
		{"21:00", "429 429 204 429 429", "closed"},            // any 2xx
		{"21:00", "429 500 429 0 429", "open until 00:00 +1"}, // 5xx and silence say nothing about the quota
		{"21:00", "429 429 401", "closed"},
		{"21:00", "429 401 429 403 413 429", "open until 00:00 +1"},
		{"21:00", "500 500 500 500", "closed"},
		{"21:00", "429 429 429 429 429", "open until 00:00 +1"}, // late replies change nothing …
		{"21:00", "429 429 429 200", "open until 00:00 +1"},     // … either way
	} {
		var b Breaker
		now := at(t, row.at)
		for _, reply := range strings.Fields(row.replies) {
			status, err := strconv.Atoi(reply)
			require.NoError(t, err)
			b = b.Step(p, now, status, 0)
		}
		require.Equal(t, row.want, show(b, now), "%+v", row)
	}
	require.Equal(t, 3, p.BreakAfter)
	var b Breaker
	for range 50 {
		b = b.Step(Policy{}, noon, 429, 0)
	}
	require.Equal(t, Closed, b.State(noon), "the zero policy never breaks")
}

// script plays "time status" pairs: "21:00 429" is a reply, "+00:30 429" one on the next day.
func script(t *testing.T, p Policy, offset time.Duration, moves string) (b Breaker, now time.Time) {
	t.Helper()
	fields := strings.Fields(moves)
	for i := 0; i+1 < len(fields); i += 2 {
		clock, tomorrow := strings.CutPrefix(fields[i], "+")
		now = at(t, clock)
		if tomorrow {
			now = now.Add(day)
		}
		status, err := strconv.Atoi(fields[i+1])
		require.NoError(t, err)
		if status != 1 { // 1 = only look
			b = b.Step(p, now, status, offset)
		}
	}
	return b, now
}

// LINE guide §5: "queue the rest to disk and upload during off-peak". What comes after that is ours: one probe, and
// inside the quiet hours 15 min × 2^k.
func TestL5_3_AfterOpeningOneProbeInTheQuietHours(t *testing.T) {
	const opened = "21:00 429 21:01 429 21:02 429 "
	const night = "01:00 429 01:00 429 01:00 429 "
	for _, row := range []struct {
		moves  string
		offset time.Duration
		want   string
	}{
		{opened, 90 * time.Minute, "open until 01:30 +1"}, // this install's slot
		{opened + "23:59 1", 0, "open until 00:00 +1"},
		{opened + "+00:00 1", 0, "half-open"},
		{opened + "+00:00 500", 0, "half-open"}, // says nothing about the quota
		{opened + "+00:00 0", 0, "half-open"},
		{opened + "+00:00 200", 0, "closed"},
		{opened + "+00:00 200 +00:01 429 +00:01 429", 0, "closed"}, // counts from the start
		{opened + "+00:00 429", 0, "open until 00:30 +1"},          // at once: one is enough
		{opened + "+00:00 429 +00:30 429", 0, "open until 01:30 +1"},
		{opened + "+00:00 429 +00:30 429 +01:30 429", 0, "open until 03:30 +1"},
		{opened + "+00:00 429 +00:30 429 +01:30 429 +03:30 429", 0, "open until 00:00 +2"}, // not this night any more
		{opened + "+10:00 429", 0, "open until 00:00 +2"},                                  // the night was slept through
		{night, 0, "open until 01:15"},
		{night, 3 * time.Hour, "open until 01:15"}, // the offset is for beginnings
		{night + "01:15 429", 0, "open until 01:45"},
		{"03:40 429 03:40 429 03:40 429", 0, "open until 03:55"},
		{"03:45 429 03:45 429 03:45 429", 0, "open until 00:00 +1"},                 // 04:00 is outside
		{"03:50 429 03:50 429 03:50 429", 235 * time.Minute, "open until 03:55 +1"}, // the next night's slot, not in 5 min
		{"04:00 429 04:00 429 04:00 429", time.Hour, "open until 01:00 +1"},
	} {
		b, now := script(t, LineMiniApp(), row.offset, row.moves)
		require.Equal(t, row.want, show(b, now), "%+v", row)
	}
}

// Invariant 12: a clock that goes back may not keep the breaker open for longer than was meant, nor close it.
func TestL5_2_AClockThatGoesBackNeitherClosesNorProlongs(t *testing.T) {
	b, opened := script(t, LineMiniApp(), 0, "21:00 429 21:00 429 21:00 429")
	meant := b.Until.Sub(opened)
	for _, back := range []time.Duration{time.Minute, 5 * time.Hour, 400 * day} {
		now := opened.Add(-back)
		require.Equal(t, Open, b.State(now), "back %s", back)
		kept := b.Rebase(now)
		require.Equal(t, Open, kept.State(now.Add(meant-time.Millisecond)), "back %s", back)
		require.Equal(t, HalfOpen, kept.State(now.Add(meant)), "back %s", back)
		require.Equal(t, kept, b.Step(LineMiniApp(), now, 500, 0), "Step moves it too")
	}
	require.Equal(t, HalfOpen, b.State(opened.Add(100*day)))
	require.Equal(t, Breaker{}, Breaker{}.Rebase(noon))
}

func TestBreakerStateNames(t *testing.T) {
	require.Equal(t, "closed open half-open unknown",
		strings.Join([]string{Closed.String(), Open.String(), HalfOpen.String(), BreakerState(9).String()}, " "))
}

func TestBreakerText(t *testing.T) {
	b := Breaker{Consecutive: 3, OpenedAt: time.UnixMilli(1767182400000).UTC(), Until: time.UnixMilli(1767193200000).UTC()}
	text := string(b.AppendText(nil))
	require.Equal(t, "b1 3 0 1767182400000 1767193200000.", text)
	for cut := range len(text) {
		_, err := ParseBreaker([]byte(text[:cut]))
		require.ErrorIs(t, err, ErrDamaged, "cut at %d", cut)
	}
	for _, moves := range []string{"", "12:00 429", "12:00 429 12:00 429 12:00:00.7 429",
		"21:00 429 21:00 429 21:00 429 +00:00 429 +00:30 429"} {
		b, _ := script(t, LineMiniApp(), 1234567*time.Microsecond, moves)
		back, err := ParseBreaker(b.AppendText(nil))
		require.NoError(t, err, "%q", moves)
		require.Equal(t, b, back, "%q", moves)
	}
	for _, damaged := range []string{"", "b1", "b1 .", "b1 0 0 0.", "b1 0 0 0 0", "w1 0 0 0 0.", "b1 0 0 0 0 0.",
		"b1 -1 0 0 0.", "b1 0 -1 0 0.", "b1 9999999999 0 0 0.", "b1 3 0 5 5.", "b1 3 0 5 4.", "b1 3 0 1 172800002.", "b1 x 0 0 0."} {
		_, err := ParseBreaker([]byte(damaged))
		require.ErrorIs(t, err, ErrDamaged, "%q", damaged)
	}
}

func FuzzParseBreaker(f *testing.F) {
	f.Add([]byte("b1 0 0 0 0."))
	f.Add([]byte("b1 2 0 0 0."))
	f.Add([]byte("b1 3 1 1767182400000 1767193200000."))
	f.Add([]byte("b1 3 1 1767182400000 1767193200000"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ParseBreaker(text)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			require.Equal(t, Breaker{}, b)
			return
		}
		require.Equal(t, string(text), string(b.AppendText(nil)), "one state, one text")
		kept := b.Rebase(noon)
		require.NotEqual(t, Open, kept.State(noon.Add(2*MaxHint+time.Millisecond)), "no text may stop a bucket for good")
		next := b.Step(LineMiniApp(), noon, 429, 0)
		_, err = ParseBreaker(next.AppendText(nil))
		require.True(t, err == nil || b.Consecutive == 1<<30 || b.Reopened == 1<<30, "a step from %q", text)
	})
}
