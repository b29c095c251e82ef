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

// A flush that a tab passed on to the sender is done by the next sender, when the one before is closed with its request out.
func TestFlushOfAFollowerOutlivesTheSender(t *testing.T) {
	engines(t)
	c := newCrowd(t, 3)
	at := c.sender()
	sender := c.tabs[at]
	c.tabs = append(c.tabs[:at:at], c.tabs[at+1:]...)
	follower := c.tabs[0]
	require.NoError(t, c.sandbox.Faults(c.ctx, []any{map[string]any{"kind": "hang", "when": "after"}})) // stored, never answered
	require.Equal(t, appended{Taken: 1}, follower.append(map[string]any{"id": "asked"}))
	answered := make(chan error, 1)
	var flushed struct{ Pending, Parked, Dead int }
	go func() { answered <- follower.try("flush", nil, &flushed) }()
	require.Eventually(t, func() bool {
		left, err := c.sandbox.FaultsLeft(c.ctx)
		return err == nil && left == 0
	}, eventually, tick, "the sender's request never came")
	c.gone[sender.mark] = time.Now()
	require.NoError(t, c.tools.Close(c.ctx, sender.target))
	sender.Drop()
	require.NoError(t, <-answered, "by the next sender")
	require.Zero(t, flushed, "all of it is delivered")
	require.Equal(t, map[string]int{"asked": 1}, c.stored())
	c.oneSender()
	c.calm()
}
