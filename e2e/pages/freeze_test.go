package pages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A tab in the background is frozen by the browser: it is told, and then stands still, for hours perhaps. It lets go of the
// lock, and holds nothing else that the others need: another tab sends, and all append as before.
func TestFrozenSenderHoldsNothing(t *testing.T) {
	engines(t)
	c := newCrowd(t, 3)
	at := c.sender()
	frozen := c.tabs[at]
	session, err := c.tools.Attach(c.ctx, frozen.target)
	require.NoError(t, err)
	state := func(name string) {
		require.NoError(t, c.tools.Call(c.ctx, session, "Page.setWebLifecycleState", map[string]any{"state": name}, nil))
	}
	require.Equal(t, appended{Taken: 1}, frozen.append(map[string]any{"id": "before"}))
	frozen.flushed() // it is idle: nothing of its own is under way
	c.gone[frozen.mark] = time.Now()
	state("frozen")
	c.tabs = append(c.tabs[:at:at], c.tabs[at+1:]...)
	for _, one := range c.tabs {
		began := time.Now()
		require.Equal(t, appended{Taken: 1}, one.append(map[string]any{"id": one.mark + "-while"}), "%s appends while %s is frozen", one.mark, frozen.mark)
		require.Less(t, time.Since(began), 2*time.Second)
	}
	c.tabs[c.sender()].flushed()
	state("active")
	require.Equal(t, appended{Taken: 1}, frozen.append(map[string]any{"id": "after"}))
	c.tabs[c.sender()].flushed()
	stored := c.stored()
	require.Len(t, stored, 4)
	for id, times := range stored {
		require.Equal(t, 1, times, id)
	}
	c.oneSender()
	c.calm()
}
