package pages

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// crowd is tabs that all append while the sender among them is ended in one way after the other.
type crowd struct {
	*rig
	tabs  []*tab
	made  int
	gone  map[string]time.Time // by mark: from when on the tab may not send any more; told before it was ended
	input map[*tab]int         // lines given so far
	opens map[string]any       // options of each tab
}

const perRound = 12

func newCrowd(t *testing.T, n int) *crowd { return newCrowdOf(t, n, map[string]any{"flushAt": 4}) }

func newCrowdOf(t *testing.T, n int, opens map[string]any) *crowd {
	c := &crowd{rig: newRig(t, "chromium"), gone: map[string]time.Time{}, input: map[*tab]int{}, opens: opens}
	for range n {
		c.tabs = append(c.tabs, c.join())
	}
	return c
}

// join opens one more tab on the outbox.
func (c *crowd) join() *tab {
	c.made++
	mark := fmt.Sprintf("tab%d", c.made)
	return c.page(mark, conversations(mark, 1000), "").show().open(c.opens)
}

// appending has every tab append its next lines; the function returned waits for the answers of those that live.
func (c *crowd) appending() (wait func()) {
	answers := make(chan error, len(c.tabs))
	for _, one := range c.tabs {
		from := c.input[one]
		c.input[one] += perRound
		go func() {
			answers <- one.try("archive", map[string]any{"ranges": [][2]int{{from, perRound}}, "wave": 3}, nil)
		}()
	}
	return func() {
		for range c.tabs {
			<-answers // a tab that was ended has none; the judgement is at the end
		}
	}
}

// sender waits until one tab says that it sends, and returns its place.
func (c *crowd) sender() int {
	c.t.Helper()
	at := -1
	require.Eventually(c.t, func() bool {
		at = -1
		for i, one := range c.tabs {
			var s Status
			if one.try("status", nil, &s) == nil && s.Leader {
				require.Equal(c.t, -1, at, "two tabs say that they send")
				at = i
			}
		}
		return at >= 0
	}, eventually, tick, "no tab sends")
	return at
}

// end ends the tab in one way; afterwards a tab stands in its place.
func (c *crowd) end(at int, way string) {
	c.t.Helper()
	one := c.tabs[at]
	// a page may still hand a parting shot over when it is told to leave, and what it has handed over comes when it comes
	c.gone[one.mark] = time.Now()
	switch way {
	case "close":
		require.NoError(c.t, c.tools.Close(c.ctx, one.target))
	case "crash": // the renderer dies at once: no event, and no answer to this call either
		session, err := c.tools.Attach(c.ctx, one.target)
		require.NoError(c.t, err)
		go func() { _ = c.tools.Call(c.ctx, session, "Page.crash", nil, nil) }()
	case "navigate":
		loads := one.Loads()
		one.do("leaveFor", map[string]any{"url": "/e2e/blank.html"}, nil)
		c.elsewhere(one)
		c.back(one, loads)
		return
	}
	one.Drop()
	c.tabs[at] = c.join()
}

func (c *crowd) elsewhere(one *tab) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		target, err := c.tools.Target(c.ctx, c.gateway.url+"/e2e/blank.html")
		return err == nil && target == one.target
	}, eventually, tick)
}

// back returns to the page, which comes out of the back-forward cache as it was, or is loaded anew.
func (c *crowd) back(one *tab, loads int) {
	c.t.Helper()
	session, err := c.tools.Attach(c.ctx, one.target)
	require.NoError(c.t, err)
	// from a task of its own: the answer to the call would go with the page that is left
	require.NoError(c.t, c.tools.Call(c.ctx, session, "Runtime.evaluate", map[string]any{"expression": "setTimeout(() => history.back(), 50)"}, nil))
	require.Eventually(c.t, func() bool {
		if one.Loads() > loads { // loaded anew: open again, under the mark of a new page
			c.made++
			one.mark = fmt.Sprintf("tab%d", c.made)
			one.open(map[string]any{"flushAt": 4})
			return true
		}
		var persisted struct{ Shows int }
		if one.try("persisted", nil, &persisted) == nil && persisted.Shows > 0 {
			delete(c.gone, one.mark)
			return true
		}
		return false
	}, eventually, tick)
}

// judge asserts what must hold whatever was ended, when and how.
func (c *crowd) judge() {
	t := c.t
	c.tabs[c.sender()].flushed()
	acknowledged := c.acknowledged()
	missing := c.missing(acknowledged)
	if len(missing) > 0 { // late, or lost? A fresh browser on the same profile knows what is on disk
		var audit json.RawMessage
		_ = c.tabs[c.sender()].try("audit", nil, &audit)
		t.Logf("%d missing after the sender says that nothing is left: %v\nits audit: %s", len(missing), missing, audit)
		c.kill()
		c.tabs = []*tab{c.join()}
		c.tabs[0].flushed()
		t.Logf("after a restart %v are missing", c.missing(acknowledged))
	}
	stored := c.stored()
	for id, times := range stored {
		require.Equal(t, 1, times, "stored twice: %s", id)
	}
	require.Empty(t, missing, "acknowledged, and not sent by a sender that says that nothing is left")
	require.Greater(t, len(acknowledged), 50, "too little happened to prove anything")
	c.oneSender()
	c.keptLimits()
	c.calm()
	t.Logf("%d acknowledged, %d stored, %d requests", len(acknowledged), len(stored), len(c.gateway.requests()))
}

// acknowledged are the conversations that some tab was told are on disk, with the noteId it was told.
func (c *crowd) acknowledged() map[string]string {
	c.t.Helper()
	all := map[string]string{}
	for _, one := range c.rig.tabs {
		for index, receipt := range one.Receipts() {
			require.Empty(c.t, receipt.Code, receipt.Message)
			all[fmt.Sprintf("%s-%d", one.first, index)] = receipt.NoteID
		}
	}
	return all
}

// missing are those that the sandbox does not hold, with their noteIds, sorted.
func (c *crowd) missing(acknowledged map[string]string) (ids []string) {
	c.t.Helper()
	stored := c.stored()
	for id, note := range acknowledged {
		if stored[id] == 0 {
			ids = append(ids, id+" "+note)
		}
	}
	sort.Strings(ids)
	return ids
}

// oneSender asserts from the tokens that no two living tabs sent: a batch, or a note, goes out under a second mark only
// after the first tab was ended, and senders follow one another.
func (c *crowd) oneSender() { c.oneSenderOf(2) }

// oneSenderOf is oneSender for at least that many senders, one after the other.
func (c *crowd) oneSenderOf(senders int) {
	t := c.t
	requests := c.gateway.requests()
	by := map[string]string{} // note → mark
	replays, marks := 0, map[string]int{}
	for _, request := range requests {
		require.True(t, strings.HasPrefix(request.Mark, "tab"), "a token without a mark: %q", request.Token)
		marks[request.Mark]++
		for _, id := range request.NoteIDs {
			first, sent := by[id]
			if sent && first != request.Mark {
				ended, ok := c.gone[first]
				require.True(t, ok, "note %s was sent by %s, which lives, and by %s", id, first, request.Mark)
				require.False(t, request.Begun.Before(ended), "note %s: %s sent it before %s was ended", id, request.Mark, first)
				replays++
			}
			by[id] = request.Mark
		}
	}
	var words []string
	for mark, n := range marks {
		words = append(words, fmt.Sprintf("%s:%d", mark, n))
	}
	sort.Strings(words)
	require.GreaterOrEqual(t, len(marks), senders, "the sender never changed")
	t.Logf("requests by tab %v, %d notes sent again by a successor", words, replays)
}

// Invariant 8: every tab appends, one sends; whatever becomes of the sender, nothing is lost or doubled, and another takes over.
func TestSenderIsEndedAgainAndAgain(t *testing.T) {
	engines(t)
	for _, row := range []struct {
		name string
		ways []string
	}{
		{"a tab is closed", []string{"close", "close", "close"}},
		{"a renderer dies", []string{"crash", "crash", "crash"}},
		{"a tab goes elsewhere and comes back", []string{"navigate", "navigate", "navigate"}},
		{"all of it", []string{"close", "crash", "navigate", "crash", "navigate", "close"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCrowd(t, 4)
			for _, way := range row.ways {
				wait := c.appending()
				began := time.Now()
				at := c.sender()
				mark := c.tabs[at].mark
				c.end(at, way)
				c.sender()
				t.Logf("%s %s: the next one sends after %s", way, mark, time.Since(began).Round(time.Millisecond))
				wait()
			}
			c.judge()
		})
	}
}
