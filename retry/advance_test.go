package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A device whose clock is set ahead in the middle of a burst has not waited: the hard cap holds (L2.5).
func TestL2_5_AClockSetAheadGrantsNothing(t *testing.T) {
	p := LineMiniApp()
	now := time.Date(2026, 5, 20, 3, 0, 0, 0, time.UTC)
	var l Limiter
	for range 28 {
		require.Equal(t, now, l.Next(p, now))
		l = l.Take(p, now)
	}
	for _, ahead := range []time.Duration{time.Second, time.Hour, 400 * 24 * time.Hour} {
		later := now.Add(ahead)
		require.Equal(t, 5*time.Second, l.Advance(ahead).Next(p, later).Sub(later), "set ahead by %v", ahead)
		locked := l.Lock(now, now.Add(time.Minute)).Advance(ahead)
		require.Equal(t, time.Minute, locked.Next(p, later).Sub(later), "the lock keeps its length")
	}
	require.Equal(t, l, l.Advance(0))
	require.Equal(t, l, l.Advance(-time.Hour), "a clock that goes back is Rebase's affair")
}
