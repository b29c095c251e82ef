package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The relay keeps the quota (L14.7): to a phone its 429 is a wait of the length that it names, never a night.
func TestL14_7_TheRelaysWordIsAWaitNotABreaker(t *testing.T) {
	p := LineRelay()
	now := time.Date(2026, 5, 20, 21, 30, 0, 0, time.FixedZone("JST", 9*3600)) // a hot hour
	var b Breaker
	for range 10 {
		b = b.Step(p, now, 429, 0)
	}
	require.Equal(t, Closed, b.State(now))
	require.Equal(t, p.Windows, p.Effective(now), "hot hours are the relay's to know")
	for _, row := range []struct {
		status     int
		retryAfter time.Duration
		try        int
		rnd        float64
		want       time.Duration
	}{
		{503, 2 * time.Second, 1, 0, 2 * time.Second},
		{503, 20 * time.Second, 1, 0, 20 * time.Second},
		{503, 20 * time.Second, 1, .5, 22500 * time.Millisecond}, // the phones are spread
		{429, 7 * time.Second, 1, 0, 7 * time.Second},
		{429, -1, 1, 0, time.Minute},
		{0, -1, 3, 0, 8 * time.Second},
		{0, -1, 30, 0, 5 * time.Minute},
	} {
		require.Equal(t, row.want, p.Wait(row.status, row.try, Hint{RetryAfter: row.retryAfter, Reset: -1}, row.rnd), "%+v", row)
	}
}
