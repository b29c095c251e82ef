package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Google Chat guide §5: wait min(2^n + random_number_milliseconds, maximum_backoff), n from 0, one more each time (G5.2,
// G5.3); the random number is at most 1000 and drawn anew (G5.4); maximum_backoff is 32 or 64 s (G5.5), and the tries go
// on at it (G5.6).
func TestG5_2_G5_3_G5_4_G5_5_G5_6_TheGuidesFormula(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		max  time.Duration
		try  int // failed so far
		rnd  float64
		want time.Duration
	}{
		{64 * time.Second, 1, 0, 1000 * ms},
		{64 * time.Second, 1, 0.25, 1250 * ms},
		{64 * time.Second, 2, 0.5, 2500 * ms},
		{64 * time.Second, 3, 0.75, 4750 * ms},
		{64 * time.Second, 6, 0.5, 32500 * ms},
		{64 * time.Second, 7, 0, 64000 * ms},
		{64 * time.Second, 7, 0.9, 64000 * ms}, // the jitter is inside the cap
		{64 * time.Second, 8, 0.9, 64000 * ms},
		{64 * time.Second, 1000, 0.9, 64000 * ms},
		{32 * time.Second, 5, 0.5, 16500 * ms},
		{32 * time.Second, 6, 0.5, 32000 * ms},
		{32 * time.Second, 1 << 30, 0, 32000 * ms},
		{0, 7, 0.5, 64000 * ms},
	} {
		p := GoogleChat("chat", row.max)
		for _, status := range []int{429, 503, 0} {
			require.Equal(t, row.want, p.Wait(status, row.try, NoHint(), row.rnd), "%+v, status %d", row, status)
		}
	}
	p := GoogleChat("chat", 0)
	require.Equal(t, 59*time.Second, p.Wait(429, 1, Hint{RetryAfter: 59 * time.Second, Reset: -1}, 0.9), "a hint is a floor")
	require.Equal(t, 64*time.Second, p.Wait(429, 9, Hint{RetryAfter: 59 * time.Second, Reset: -1}, 0.9))
	require.Equal(t, 600*time.Second, p.Wait(429, 9, Hint{RetryAfter: 600 * time.Second, Reset: -1}, 0.9), "above the cap too")
}

// At the cap all waits are equal: clients are kept apart by when they wake up, not by how long they wait (G5.4's purpose).
func TestG5_4_APhaseAtTheWakeUp(t *testing.T) {
	p := GoogleChat("chat", 0)
	require.Equal(t, time.Duration(0), p.Phase(0))
	require.Equal(t, 500*time.Millisecond, p.Phase(0.5))
	require.Less(t, p.Phase(1), time.Second)
	require.Equal(t, time.Duration(0), LineMiniApp().Phase(0.9), "LINE's waits have their jitter at every length")
}

// Chat guide §5: "at some point clients should be kept from retrying without end" (G5.7). LINE's end is its number of tries.
func TestG5_7_L9_1_TheEndOfTheTries(t *testing.T) {
	for _, row := range []struct {
		p       Policy
		failed  int
		age     time.Duration
		visible bool
		want    bool
	}{
		{GoogleChat("chat", 0), 5000, 24 * time.Hour, true, false},
		{GoogleChat("chat", 0), 1, 24*time.Hour + 1, true, true},
		{GoogleChat("chat", 0), 1, -time.Hour, false, false},
		{LineMiniApp(), 3, 48 * time.Hour, true, false},
		{LineMiniApp(), 4, 0, true, true},
		{LineMiniApp(), 4, 0, false, false},
		{LineMiniApp(), 5, 0, false, true},
	} {
		require.Equal(t, row.want, row.p.Spent(row.failed, row.age, row.visible), "%s: %d tries, %v", row.p.Name, row.failed, row.age)
	}
}

// Chat guide §1: no quota per day, and no breaker either: a 429 is followed by the back-off, and nothing else (G1.1, G1.2).
func TestG1_1_G1_2_NoBreaker(t *testing.T) {
	p := GoogleChat("chat", 0)
	var b Breaker
	for range 20 {
		b = b.Step(p, noon, 429, 0)
	}
	require.Equal(t, Closed, b.State(noon))
}
