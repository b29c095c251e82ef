package retry

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// LINE guide §12.2: "10 worker pods, each limited to 50 req/min", on the 600 a minute of the server tier. Q7: more pods
// share the same bucket, so their limits must add up to less than it.
func TestL12_2_L14_7_TheWorkersOfOneBucketAddUpToLess(t *testing.T) {
	guide := Policy{Windows: []Window{{600, time.Minute}, {120, 5 * time.Second}}}
	for _, row := range []struct {
		name          string
		policy        Policy
		workers       int
		minute, burst int // of one worker
	}{
		{"the guide's tier, ten workers", guide, 10, 60, 12},
		{"its case: 50 each, 500 of 600", Policy{Windows: []Window{{500, time.Minute}, {100, 5 * time.Second}}}, 10, 50, 10},
		{"our server policy, ten workers", LineServer(), 10, 58, 11},
		{"our server policy, rounded down", LineServer(), 7, 82, 15},
		{"a Mini-App's bucket, 28 phones", LineMiniApp(), 28, 3, 1},
		{"one worker has it all", LineServer(), 1, 580, 110},
		{"no worker counts as one", LineServer(), 0, 580, 110},
		{"so does a mistake", LineServer(), -3, 580, 110},
	} {
		part := row.policy.Part(row.workers)
		require.Equal(t, []Window{{row.minute, time.Minute}, {row.burst, 5 * time.Second}}, part.Windows, row.name)
		for i, w := range part.Windows {
			require.LessOrEqual(t, w.N*max(1, row.workers), row.policy.Windows[i].N, "%s: all of them together", row.name)
		}
	}
	require.LessOrEqual(t, 10*LineServer().Part(10).Windows[0].N, 600)
	require.GreaterOrEqual(t, LineServer().Part(10).Windows[0].N, 50, "the guide's workers had 50")
}

func TestL12_2_AWorkerCanAlwaysSend(t *testing.T) {
	part := LineMiniApp().Part(1000)
	require.Equal(t, []Window{{1, time.Minute}, {1, 5 * time.Second}}, part.Windows, "more workers than requests")
	for _, w := range part.Effective(time.Date(2026, time.May, 3, 22, 0, 0, 0, jst)) {
		require.Equal(t, 1, w.N, "in hot hours too")
	}
	require.Equal(t, LineMiniApp().Windows, LineMiniApp().Part(1).Windows)
	require.Empty(t, Policy{}.Part(10).Windows, "the zero policy limits nothing")
}

// A part is the whole policy in all but its ceilings, and a value of its own.
func TestL12_2_PartChangesOnlyTheCeilings(t *testing.T) {
	p := LineServer()
	part := p.Part(10)
	require.Equal(t, LineServer(), p, "the policy itself is left alone")
	part.Windows[0].N = 1
	require.Equal(t, 580, p.Windows[0].N)
	part.Windows = p.Windows
	require.Equal(t, p, part)
}

// Ten workers that know nothing of each other, each as eager as its part allows: what reaches the shared bucket.
func TestL12_2_L2_1_TenEagerWorkersStayBelowTheBucket(t *testing.T) {
	p := LineServer()
	part := p.Part(10)
	rng := rand.New(rand.NewSource(12))
	var sent []time.Time
	for range 10 {
		var l Limiter
		now := noon.Add(time.Duration(rng.Intn(5000)) * time.Millisecond)
		for now = l.Next(part, now); now.Before(noon.Add(3 * time.Minute)); now = l.Next(part, now) {
			l = l.Take(part, now)
			sent = append(sent, now)
		}
	}
	require.Greater(t, len(sent), 10*3*50, "the workers were busy")
	for _, from := range sent {
		for _, w := range p.Windows {
			n := 0
			for _, at := range sent {
				if d := at.Sub(from); d >= 0 && d < w.Per {
					n++
				}
			}
			require.LessOrEqual(t, n, w.N, "in %s from %s", w.Per, from)
		}
	}
}
