package retry

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	absent = -1 * time.Second
	almost = 0.999999 // the upper end of rnd
)

// LINE guide §3.1: baseDelay × 2^attempt + random × 500 ms, where attempt is raised first: 2, 4, 8 s.
func TestL3_1_BackOffDoublesWithJitter(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct {
		try  int
		rnd  float64
		want time.Duration
	}{
		{1, 0, 2 * time.Second},
		{2, 0, 4 * time.Second},
		{3, 0, 8 * time.Second},
		{3, 0.5, 8250 * time.Millisecond},
		{0, 0, time.Second},
		{-7, 0, time.Second},
		{8, 0, 256 * time.Second},
		{9, 0, 5 * time.Minute},                           // capped …
		{9, 0.5, 5*time.Minute + 250*time.Millisecond},    // … and still spread
		{math.MaxInt, 0, 5 * time.Minute},                 // no overflow
		{1, math.NaN(), 2 * time.Second},                  // a bad rnd is 0 …
		{1, -3, 2 * time.Second},                          // …
		{1, 17, 2*time.Second + 500*time.Millisecond - 1}, // … or as good as 1
	} {
		for _, status := range []int{0, 500, 502, 503} {
			got := p.Wait(status, row.try, NoHint(), row.rnd)
			require.InDelta(t, float64(row.want), float64(got), 2, "status %d: %+v: got %s", status, row, got)
		}
	}
}

// LINE guide §3.2 and Q1: Retry-After is read, 60 s is only what a 429 without readable headers stands for.
func TestL3_2_L14_1_TheServersHintIsAFloor(t *testing.T) {
	p := LineMiniApp()
	for _, row := range []struct {
		status, try       int
		retryAfter, reset time.Duration
		rnd               float64
		want              time.Duration
	}{
		{429, 1, 60 * time.Second, absent, 0, 60 * time.Second},
		{429, 1, 60 * time.Second, absent, 0.5, 60500 * time.Millisecond}, // 0…1 s, not 0…500 ms
		{429, 1, 90 * time.Second, 10 * time.Second, 0, 90 * time.Second}, // Retry-After before reset, and dynamic
		{429, 1, 5 * time.Second, absent, 0, 5 * time.Second},             // shorter than today's 60 s: read, not assumed
		{429, 5, 5 * time.Second, absent, 0, 32 * time.Second},            // the back-off is longer
		{429, 1, 0, absent, 0, 2 * time.Second},                           // "at once" is no hint to hurry
		{429, 1, 48 * time.Hour, absent, 0, 24 * time.Hour},               // a day is all we believe
		{429, 1, absent, 37 * time.Second, 0, 37 * time.Second},           // Quota-Reset − Date
		{429, 1, absent, 37 * time.Second, 0.5, 37500 * time.Millisecond}, //
		{429, 1, absent, 300 * time.Second, 0, 120 * time.Second},         // clamped
		{429, 0, absent, 0, 0.5, 1500 * time.Millisecond},                 // clamped to 1 s, jitter on top
		{429, 1, absent, absent, 0, 60 * time.Second},                     // nothing readable
		{429, 1, absent, absent, 0.5, 60500 * time.Millisecond},           //
		{503, 1, 7 * time.Second, absent, 0, 7 * time.Second},             // any status may carry one
		{503, 1, absent, absent, 0, 2 * time.Second},
		{0, 1, absent, absent, 0, 2 * time.Second}, // no answer
	} {
		got := p.Wait(row.status, row.try, Hint{row.retryAfter, row.reset}, row.rnd)
		require.Equal(t, row.want, got, "%+v", row)
	}
}

// The guide's own sample waits 2, 4 and 8 s, all inside the locked minute, and earns three more 429s. Ours must not.
func TestL3_1_L2_5_NoTryFallsIntoTheLockedMinute(t *testing.T) {
	for _, p := range []Policy{LineMiniApp(), LineServer(), LineGeneric(), LineMedia(), LineStatus()} {
		for try := range 12 {
			for _, rnd := range []float64{0, 0.25, 0.5, almost} {
				got := p.Wait(429, try, NoHint(), rnd)
				require.GreaterOrEqual(t, got, time.Minute, "%s, try %d, rnd %v", p.Name, try, rnd)
				for _, hint := range []time.Duration{time.Second, time.Minute, 10 * time.Minute} {
					got := p.Wait(429, try, Hint{hint, absent}, rnd)
					require.GreaterOrEqual(t, got, hint, "%s, try %d, rnd %v", p.Name, try, rnd)
					require.LessOrEqual(t, got, max(hint+time.Second, 5*time.Minute+500*time.Millisecond))
				}
			}
		}
	}
}

// LINE guide §9.1 and Q8: three retries in the foreground, four in the background.
func TestL9_1_L14_8_RetriesBeforeABatchParks(t *testing.T) {
	for _, p := range []Policy{LineMiniApp(), LineServer(), LineGeneric(), LineMedia(), LineStatus()} {
		require.Equal(t, 3, p.Foreground, p.Name)
		require.Equal(t, 4, p.Background, p.Name)
	}
	p := LineMiniApp()
	var total time.Duration
	for try := 1; try <= p.Background; try++ {
		total += p.Wait(429, try, NoHint(), 0)
	}
	require.Equal(t, 240*time.Second, total, "Q8: four tries take about 240 s")
}

func TestTheZeroPolicyWaitsForHintsOnly(t *testing.T) {
	require.Equal(t, time.Duration(0), Policy{}.Wait(429, 3, NoHint(), 0.5))
	require.Equal(t, 9*time.Second, Policy{}.Wait(429, 3, Hint{9 * time.Second, absent}, 0.5))
	long := Policy{Backoff: Backoff{Base: time.Second}}
	require.Equal(t, MaxHint, long.Wait(0, 1000, NoHint(), 0), "without Max a day is the ceiling")
}
