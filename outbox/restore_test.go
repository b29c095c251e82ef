package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// putState writes a state record as another hand would.
func (p *page) putState(text string) {
	p.disk.Commit(outbox.Change{State: []byte(text)}, func(_ []uint64, err error) { require.NoError(p.t, err) })
	p.settle()
}

// A damaged state record costs what it says, never an event (L9.2), and grants no request: the bucket counts as full for
// a minute (invariant 7).
func TestL9_2_ADamagedStateCostsNoEvent(t *testing.T) {
	for _, state := range []string{
		"",
		"no such word 1 2 3\n",
		"install i\nlimiter w1 0 0",
		"install i\nlimiter w1 9 9 9.\nbreaker nonsense\n",
		"install i\nnext 0 0\ncount -1 -1 -1 -1\n",
		"batch 99 1 1 1 1\nwire 77\n",
		"tries 9223372036854775807\noffset -9223372036854775808\n",
		"batch 1 9223372036854775807 1 9223372036854775807 9223372036854775807\n",
		"batch 1 0 0 0 0\nstep 1 99 1 \"x\"\nwire 1\n",
		"step 1 -5 1 \"\n",
		"limiter.media nonsense\ncursor {\n",
	} {
		p := openPage(t)
		p.append("sealed", "1")
		p.hasToken = false
		p.flush()
		p.sleep(time.Second)
		p.append("open", "2")
		p.putState(state)
		p.hasToken = true
		p.restart()
		p.append("later", "3")
		p.sleep(2 * time.Hour)
		require.Equal(t, []string{"later", "open", "sealed"}, p.stored(), "state %q", state)
	}
	p := openPage(t)
	p.append("a", "1")
	p.putState("limiter w1 0 0")
	p.restart()
	p.flush()
	p.sleep(59 * time.Second)
	require.Empty(t, p.sent())
	require.Contains(t, p.alarms(), "STORAGE_DAMAGED")
	p.sleep(2 * time.Second)
	require.Equal(t, []string{"12:01:00 a"}, p.sent())
}

func TestL9_2_NegativeNumbersInAStateAreNoPanic(t *testing.T) {
	for _, line := range []string{"shrink -1\n", "batch 1 3 0 0 -1\n"} {
		p := openPage(t)
		p.append("a", "1")
		p.hasToken = false
		p.flush()
		p.sleep(time.Second)
		p.putState(line)
		p.hasToken = true
		p.answer(times(4, &answer{status: 500})...)
		p.restart()
		p.append("b", "2")
		p.sleep(2 * time.Hour)
		require.Equal(t, []string{"a", "b"}, p.stored(), line)
	}
}

// What another release counted in a bucket that this one has not is nobody's here: it holds nothing back, and frees nothing.
func TestABucketOfAnotherReleaseIsIgnored(t *testing.T) {
	p := openPage(t)
	p.putState("limiter.moon " + string(retry.Limiter{}.Lock(p.now, p.now.Add(time.Hour)).AppendText(nil)) + "\ntries.moon 9\n")
	p.restart()
	p.append("a", "1")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"a"}, p.stored())
	require.Contains(t, p.state(), "\ntries 0\n")
}

// Tens of thousands of open events are found again after a restart, page by page, and sent in full batches (L4.1).
func TestL4_1_ALongQueueIsFoundAgainAndSentInFullBatches(t *testing.T) {
	p := openPage(t)
	p.post(outbox.RealtimeSet{On: false})
	for i := range 600 { // more than two scan pages of segments
		p.burst(20, fmt.Sprint(i, "-"), 1)
	}
	p.restart()
	require.Equal(t, 12000, p.status().Pending)
	p.post(outbox.RealtimeSet{On: true})
	p.sleep(10 * time.Minute)
	require.Len(t, p.keep, 12000)
	require.Len(t, p.requests, 24)
}

// A read that fails costs time, never an event (L9.2): the page is told that its event was not taken, and what waits is
// looked for again five seconds later.
func TestL9_2_AReadThatFailsIsTriedAgain(t *testing.T) {
	p := openPage(t)
	p.readErr = outbox.ErrUnavailable
	require.Equal(t, outbox.StorageUnavailable, p.refused("k", event("1", 1)).Code, "its key could not be read")
	p.append("k", "1")
	p.flush()
	p.sleep(199 * time.Millisecond)
	p.readErr = outbox.ErrUnavailable // the seal's
	p.sleep(5 * time.Second)
	require.Empty(t, p.sent())
	p.sleep(time.Second)
	require.Equal(t, []string{"12:00:05.200 k"}, p.sent())

	p.append("l", "2")
	p.readErr = outbox.ErrUnavailable // the scan's, at the next start
	p.restart()
	require.Equal(t, 0, p.status().Pending, "not known yet")
	p.sleep(5 * time.Second)
	require.Equal(t, 1, p.status().Pending)
	p.sleep(5 * time.Minute)
	require.Equal(t, []string{"k", "l"}, p.stored())
}
