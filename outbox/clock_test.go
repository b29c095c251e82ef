package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// Invariant 12, L2.5: whatever the device's clock does in the middle of a burst, the next request waits for real time.
func TestL2_5_AClockThatIsSetGrantsNoRequest(t *testing.T) {
	for _, jump := range []time.Duration{-30 * time.Hour, -time.Second, 2 * time.Second, time.Hour, 24 * time.Hour} {
		r := newRig(1)
		r.settle()
		shoot := func() {
			r.append(1, func() string { return "" })
			r.settle()
			r.post(outbox.Left{})
			r.settle()
		}
		for range 28 {
			shoot()
		}
		require.Len(t, r.shots, 28)
		r.skew += jump
		r.post(outbox.ClockJumped{Ahead: jump})
		shoot()
		require.Len(t, r.shots, 28, "set by %v", jump)
		r.true = r.true.Add(5 * time.Second)
		shoot()
		require.Len(t, r.shots, 29, "five seconds later, set by %v", jump)
		require.Empty(t, r.failures)
	}
}
