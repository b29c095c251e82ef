package pages

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The sender sends what the other tabs append, with nobody ended at all: fewer than 4 that are left over go after a second, as
// these tabs say that they have a quota of their own.
func TestSenderSendsWhatOtherTabsAppend(t *testing.T) {
	engines(t)
	c := newCrowdOf(t, 3, map[string]any{"flushAt": 4, "flushEvery": 1000, "fleet": false})
	for round := range 4 {
		c.appending()()
		acknowledged := c.acknowledged()
		require.Len(t, acknowledged, 3*perRound*(round+1))
		if !eventuallyTrue(func() bool { return len(c.missing(acknowledged)) == 0 }, 20*time.Second) {
			for _, one := range c.tabs {
				var s json.RawMessage
				one.do("status", nil, &s)
				t.Logf("%s says %s", one.mark, s)
			}
			require.Empty(t, c.missing(acknowledged), "round %d: nothing else is to be waited for; %d requests so far", round, len(c.gateway.requests()))
		}
	}
	c.oneSenderOf(1)
	c.calm()
}

// eventuallyTrue says whether ok came to hold in time.
func eventuallyTrue(ok func() bool, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
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
