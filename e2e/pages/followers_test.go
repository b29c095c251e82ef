package pages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The sender sends what the other tabs append, with nobody ended at all.
func TestSenderSendsWhatOtherTabsAppend(t *testing.T) {
	engines(t)
	c := newCrowd(t, 3)
	for round := range 4 {
		c.appending()()
		acknowledged := c.acknowledged()
		require.Len(t, acknowledged, 3*perRound*(round+1))
		require.Eventually(t, func() bool { return len(c.missing(acknowledged)) == 0 }, 20*time.Second, 100*time.Millisecond,
			"round %d: nothing else is to be waited for, and still missing: %v", round, c.missing(acknowledged))
	}
	c.oneSenderOf(1)
	c.calm()
}
