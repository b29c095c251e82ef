package retry

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// noon is an instant in no hot hour and no quiet hour: 2026-03-10 12:00 JST.
var noon = time.Date(2026, time.March, 10, 12, 0, 0, 0, jst)

// at reads "12:00:04.5" as an instant of that day.
func at(t *testing.T, clock string) time.Time {
	t.Helper()
	for _, layout := range []string{"15:04:05.999", "15:04"} {
		if c, err := time.ParseInLocation(layout, clock, jst); err == nil {
			return time.Date(2026, time.March, 10, c.Hour(), c.Minute(), c.Second(), c.Nanosecond(), jst)
		}
	}
	t.Fatalf("no clock time: %q", clock)
	return time.Time{}
}

// filled returns a limiter with n requests, one each step from the first instant on.
func filled(p Policy, first time.Time, n int, step time.Duration) Limiter {
	var l Limiter
	for i := range n {
		l = l.Take(p, first.Add(time.Duration(i)*step))
	}
	return l
}

// LINE guide §2: the tiers. Ours lie below them in both columns.
func TestL2_1_L2_2_L2_3_L10_3_SelfLimitsLieBelowTheGuides(t *testing.T) {
	for _, row := range []struct {
		policy        Policy
		minute, burst int // the guide's limits; burst 0 = none
	}{
		{LineServer(), 600, 120},
		{LineMiniApp(), 100, 30},
		{LineMedia(), 100, 30},
		{LineStatus(), 600, 0},
		{LineGeneric(), 60, 20},
	} {
		name := row.policy.Name
		require.Equal(t, time.Minute, row.policy.Windows[0].Per, name)
		require.Less(t, row.policy.Windows[0].N, row.minute, name)
		require.Greater(t, row.policy.Windows[0].N, row.minute*85/100, "%s: no more than needed is given away", name)
		if row.burst == 0 {
			require.Len(t, row.policy.Windows, 1, name)
			continue
		}
		require.Equal(t, 5*time.Second, row.policy.Windows[1].Per, name)
		require.Less(t, row.policy.Windows[1].N, row.burst, "%s: the request that fills the cap locks the minute", name)
	}
	require.Equal(t, []Window{{96, time.Minute}, {28, 5 * time.Second}}, LineMiniApp().Windows)
	require.Equal(t, []Window{{580, time.Minute}, {110, 5 * time.Second}}, LineServer().Windows)
}

func TestPoliciesAreApart(t *testing.T) {
	p := LineMiniApp()
	p.Windows[0].N = 1
	require.Equal(t, 96, LineMiniApp().Windows[0].N, "writing to one policy shows in the next")
	require.Equal(t, 96, LineMedia().Windows[0].N, "writing to one policy shows in another")
}

// LINE guide §2: "exceeding either column": both windows hold at once.
func TestL2_5_NextWaitsForTheTighterWindow(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct {
		sent  int           // requests so far, the first at 12:00:00
		every time.Duration // between them
		now   string
		want  string // when the next may go
	}{
		{0, 0, "12:00", "12:00"},
		{27, 0, "12:00", "12:00"},
		{28, 0, "12:00", "12:00:05"},                                   // the burst is full
		{28, 0, "12:00:04.999", "12:00:05"},                            // still
		{28, 0, "12:00:05", "12:00:05"},                                // half-open: 5 s later is another span
		{28, 100 * time.Millisecond, "12:00:02.7", "12:00:05"},         // the oldest of the 28 leaves first
		{96, 500 * time.Millisecond, "12:00:47.5", "12:01"},            // the minute is full, the burst is not
		{96, 500 * time.Millisecond, "12:01", "12:01"},                 // one has left
		{97, 500 * time.Millisecond, "12:00:59", "12:01:00.5"},         // one too many was sent: two must leave
		{500, 0, "12:00:30", "12:01"},                                  // far too many
		{96, 500 * time.Millisecond, "12:30", "12:30"},                 // long ago
		{28, 100 * time.Millisecond, "12:00:05.0005", "12:00:05.0005"}, // now is given back as it came
	} {
		l := filled(p, noon, row.sent, row.every)
		got := l.Next(p, at(t, row.now))
		require.True(t, at(t, row.want).Equal(got), "%+v: got %s", row, got)
	}
}

func TestL2_5_ANumberBelowOneStopsNothingForEver(t *testing.T) {
	p := Policy{Windows: []Window{{0, time.Second}}}
	l := Limiter{}.Take(p, noon)
	require.Equal(t, noon.Add(time.Second), l.Next(p, noon))
	require.Equal(t, noon, Limiter{}.Next(Policy{}, noon), "the zero policy limits nothing")
}

// Milliseconds are all a browser tells; rounding must not let a request go early.
func TestL2_5_RoundingGoesTheSafeWay(t *testing.T) {
	p := Policy{Windows: []Window{{1, time.Second}}}
	sent := noon.Add(300 * time.Microsecond)
	next := Limiter{}.Take(p, sent).Next(p, sent)
	require.False(t, next.Before(sent.Add(time.Second)), "early: %s", next.Sub(sent))
	require.Less(t, next.Sub(sent), time.Second+2*time.Millisecond)
}

// LINE guide §2: a burst ceiling is "a hard cap, not an elastic buffer". What the token bucket of golang.org/x/time
// would send in the guide's first 5 s, full at the start and refilled at 600 a minute, against the window.
func TestL2_5_ATokenBucketWouldSend169WhereTheGuideAllows120(t *testing.T) {
	p := Policy{Windows: []Window{{600, time.Minute}, {120, 5 * time.Second}}}
	tenths, bucket, window := 1200, 0, 0 // the bucket's tokens, in tenths
	var l Limiter
	for ms := range 5000 { // [0 s, 5 s)
		now := noon.Add(time.Duration(ms) * time.Millisecond)
		if ms > 0 && ms%10 == 0 {
			tenths = min(1200, tenths+1) // 10 tokens a second
		}
		for tenths >= 10 {
			tenths -= 10
			bucket++
		}
		for l.Next(p, now).Equal(now) {
			l = l.Take(p, now)
			window++
		}
	}
	require.Equal(t, 169, bucket, "token bucket")
	require.Equal(t, 120, window, "rolling window")
}

func TestL6_1_LeftCountsTheLongestWindow(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct {
		sent int
		now  string
		want int
	}{
		{0, "12:00", 96},
		{28, "12:00", 68},
		{28, "12:00:59.999", 68},
		{28, "12:01", 96},
		{120, "12:00", 0},
		{28, "22:00", 78}, // hot: lowered (L9.4)
	} {
		require.Equal(t, row.want, filled(p, noon, row.sent, 0).Left(p, at(t, row.now)), "%+v", row)
	}
	require.Equal(t, 0, Limiter{}.Lock(noon, noon.Add(time.Minute)).Left(p, noon), "locked")
	require.Equal(t, 0, Limiter{}.Left(Policy{}, noon), "no window")
}

// LINE guide §2: a 429 locks; a second, shorter answer must not free us.
func TestL2_4_ALockIsNeverShortened(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct{ locks, want string }{
		{"12:00>12:01", "12:01"},
		{"12:00>12:01 12:00:10>12:00:20", "12:01"},
		{"12:00>12:01 12:00:10>12:02", "12:02"},
		{"12:00>11:59", "12:00"}, // already over
		{"12:00>12:00", "12:00"}, // no length
		{"12:00>12:00:00.5", "12:00:00.5"},
	} {
		var l Limiter
		var asked time.Time // at the last 429
		for _, lock := range strings.Fields(row.locks) {
			now, until, _ := strings.Cut(lock, ">")
			asked = at(t, now)
			l = l.Lock(asked, at(t, until))
		}
		require.True(t, at(t, row.want).Equal(l.Next(p, asked)), "%+v: got %s", row, l.Next(p, asked))
	}
	require.True(t, Limiter{}.LockedUntil().IsZero())
	l := Limiter{}.Lock(noon, noon.Add(time.Minute))
	require.True(t, noon.Add(time.Minute).Equal(l.LockedUntil()))
	require.True(t, l.Take(p, noon.Add(time.Minute)).LockedUntil().IsZero(), "Take drops a lock that is over")
	require.True(t, Limiter{}.Lock(noon, noon.AddDate(9, 0, 0)).LockedUntil().Before(noon.Add(26*time.Hour)), "no lock for years")
}

// Invariant 12: a clock that goes back grants nothing, and costs at most one window or one lock.
func TestL14_7_AClockThatGoesBackGrantsNothing(t *testing.T) {
	p := LineMiniApp()
	full := filled(p, noon, 96, 500*time.Millisecond) // up to 12:00:47.5
	for _, row := range []struct {
		name      string
		l         Limiter
		now, want string
	}{
		{"a day back, minute full: its oldest is 47.5 s old", full, "00:00:00", "00:00:12.5"},
		{"an hour back, burst full", filled(p, noon, 28, 0), "11:00", "11:00:05"},
		{"an hour back, one request", filled(p, noon, 1, 0), "11:00", "11:00"},
		{"an hour back, locked for a minute", Limiter{}.Lock(noon, noon.Add(time.Minute)), "11:00", "11:01"},
		{"back into the lock: its own end holds", Limiter{}.Lock(noon, noon.Add(time.Minute)), "12:00:10", "12:01"},
		{"an hour on: all is old", full, "13:00", "13:00"},
	} {
		now := at(t, row.now)
		kept := row.l.Rebase(now)
		require.True(t, at(t, row.want).Equal(row.l.Next(p, now)), "%s: got %s", row.name, row.l.Next(p, now))
		require.True(t, at(t, row.want).Equal(kept.Next(p, now)), "%s: kept: got %s", row.name, kept.Next(p, now))
		half := now.Add(at(t, row.want).Sub(now) / 2)
		require.False(t, kept.Next(p, half).After(at(t, row.want)), "%s: a kept Rebase must not start anew", row.name)
	}
}

func TestTakeLeavesCopiesAlone(t *testing.T) {
	p := LineMiniApp()
	base := filled(p, noon, 10, time.Second)
	before := string(base.AppendText(nil))
	left := base.Take(p, noon.Add(11*time.Second))
	right := base.Take(p, noon.Add(12*time.Second))
	right.Rebase(noon.Add(-time.Hour)).Lock(noon, noon.Add(time.Hour))
	require.Equal(t, before, string(base.AppendText(nil)))
	require.NotEqual(t, string(left.AppendText(nil)), string(right.AppendText(nil)))
	require.Equal(t, string(base.Take(p, noon.Add(11*time.Second)).AppendText(nil)), string(left.AppendText(nil)))
}

func TestTakeForgetsWhatNoWindowNeeds(t *testing.T) {
	l := filled(LineMiniApp(), noon, 1000, time.Second)
	require.Len(t, l.stamps, 60)
	require.Less(t, len(l.AppendText(nil)), 400, "a state a page can write on every request")
}

func TestLimiterText(t *testing.T) {
	first := time.UnixMilli(1767182395000)
	l := Limiter{}.Lock(first.Add(5*time.Second), first.Add(65*time.Second))
	p := Policy{Windows: []Window{{9, time.Minute}}}
	for _, ms := range []int{0, 1200, 2500} {
		l = l.Take(p, first.Add(time.Duration(ms)*time.Millisecond))
	}
	// Locked "later than the first request" is a clock gone back: both the lock and its end moved with it.
	text := string(l.AppendText(nil))
	require.Equal(t, "w1 1767182395000 1767182455000 1767182395000 1200 1300.", text)
	back, err := ParseLimiter([]byte(text))
	require.NoError(t, err)
	require.Equal(t, l, back)

	for cut := range len(text) {
		_, err := ParseLimiter([]byte(text[:cut]))
		require.ErrorIs(t, err, ErrDamaged, "cut at %d", cut)
	}
	for _, damaged := range []string{
		"", ".", "w1.", "w1 .", "w1 0.", "w2 0 0.", "w1 0 0", "w1 0  0.", "w1 00 0.", "w1 +0 0.", "w1 0 0. ",
		"w1 0 0 5 -1.",              // stamps out of order
		"w1 5 0.",                   // a lock that ends before it begins
		"w1 5 5.",                   // a lock without length
		"w1 0 " + strconv.Itoa(1e9), // no full stop
		"w1 1 100000000000.",        // a lock of three years
		"w1 0 0 99999999999999999.", // no instant
		"w1 0 0 253402300799999 1.", // beyond the year 9999
	} {
		_, err := ParseLimiter([]byte(damaged))
		require.ErrorIs(t, err, ErrDamaged, "%q", damaged)
	}
	empty, err := ParseLimiter(Limiter{}.AppendText(nil))
	require.NoError(t, err)
	require.Equal(t, Limiter{}, empty)
}

func FuzzParseLimiter(f *testing.F) {
	f.Add([]byte("w1 0 0."))
	f.Add([]byte("w1 0 0 1767182395000 1200 0 1300."))
	f.Add([]byte("w1 1767182400000 1767182460000."))
	f.Add([]byte("w1 1767182400000 1767182460000 -5 10"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := ParseLimiter(text)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			require.Equal(t, Limiter{}, l)
			return
		}
		require.Equal(t, string(text), string(l.AppendText(nil)), "one state, one text")
		p := LineMiniApp()
		wait := l.Next(p, noon).Sub(noon)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, maxLock+time.Minute, "no text may lock a bucket for good")
		l.Take(p, noon).Left(p, noon)
	})
}

// Since counts the requests of a span that the caller names, however full the windows are.
func TestLimiter_SinceCountsRequestsLaterThanAnInstant(t *testing.T) {
	at := time.UnixMilli(1_780_000_000_000)
	var l Limiter
	require.Zero(t, l.Since(at))
	for _, ms := range []int{0, 10, 10, 30_000} {
		l = l.Take(LineMiniApp(), at.Add(time.Duration(ms)*time.Millisecond))
	}
	for ms, want := range map[int]int{-1: 4, 0: 3, 9: 3, 10: 1, 29_999: 1, 30_000: 0} {
		require.Equal(t, want, l.Since(at.Add(time.Duration(ms)*time.Millisecond)), "%d ms", ms)
	}
}
