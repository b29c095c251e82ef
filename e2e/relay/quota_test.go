package relay

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clockFactor of the drill; LIFFKEEP_CLOCK=5 is what docs/architecture.md reports, 1 takes ten real minutes.
func clockFactor() float64 {
	if f, err := strconv.ParseFloat(os.Getenv("LIFFKEEP_CLOCK"), 64); err == nil && f > 0 {
		return f
	}
	return 10
}

// Four relays on one NATS, each with two workers, empty a long queue of calls of one user each for ten minutes of the
// fleet's clock. The sandbox counts: the bucket is kept at 96 % of the quota of 600 (L2.1), and no call is refused.
func TestFourRelaysShareOneBucket(t *testing.T) {
	long(t)
	build(t)
	const minutes = 10
	factor := clockFactor()
	s := startSandbox(t, factor)
	channels := channelFile(t, s, 1, false)
	port := ports(t, 1)[0]
	shared := fmt.Sprintf("127.0.0.1:%d", port)
	flags := []string{"-clock", clock(factor), "-workers", "2", "-linger", "0s"}
	relays := []*relay{startRelay(t, s, channels, append(flags, "-dir", t.TempDir(), "-nats-listen", shared)...)}
	for range 3 {
		relays = append(relays, startRelay(t, s, channels, append(flags, "-nats", "nats://"+shared)...))
	}
	require.NoError(t, order(relays[3].admin+"/admin/realtime", `{"on":false}`))
	time.Sleep(time.Second) // by then all have heard of it

	p := newPhone()
	var all sync.WaitGroup
	const posted = 580*minutes + 400
	for i := range 16 {
		all.Go(func() {
			for n := i; n < posted; n += 16 {
				user := fmt.Sprintf("U%d", n)
				set, body := makeBatch(user, 2, 100)
				for p.post(t.Context(), relays[n%4].url, channel, user, set, body) != 202 && t.Context().Err() == nil {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	before, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, before.Requests, "the switch holds on all four")
	began, err := s.Now(t.Context())
	require.NoError(t, err)
	require.NoError(t, order(relays[0].admin+"/admin/realtime", `{"on":true}`))
	for now := began; now.Sub(began) < minutes*time.Minute; {
		time.Sleep(200 * time.Millisecond)
		now, err = s.Now(t.Context())
		require.NoError(t, err)
	}
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	share := float64(stats.Requests) / (600 * minutes)
	t.Logf("%d calls in %d minutes at factor %g: %.1f %% of the quota; by status %v; at most %d in any 60 s, %d in any 5 s",
		stats.Requests, minutes, factor, 100*share, stats.ByStatus, stats.MaxPer60s, stats.MaxPer5s)
	require.Zero(t, stats.ByStatus["429"])
	require.LessOrEqual(t, stats.MaxPer60s, 600)
	require.Less(t, stats.MaxPer5s, 120)
	require.GreaterOrEqual(t, share, .93, "the bucket is used, not only kept")
}

// Throughput: what the relay makes durable, and how long a phone waits for it at 10,000 notes a second.
func TestThroughput(t *testing.T) {
	build(t)
	if os.Getenv("LIFFKEEP_BENCH") == "" {
		t.Skip("LIFFKEEP_BENCH is not set: figures of a busy machine say nothing")
	}
	for _, row := range []struct {
		notes, phones int
		sync          string
	}{{400, 16, "true"}, {100, 16, "true"}, {20, 128, "true"}, {400, 16, "false"}, {20, 128, "false"}} {
		t.Run(fmt.Sprintf("%d notes a post, sync %s", row.notes, row.sync), func(t *testing.T) {
			s := startSandbox(t, 20) // a clock 20 times as fast: no quota in the way
			r := startRelay(t, s, channelFile(t, s, driveChannels, true), "-dir", t.TempDir(), "-clock", clock(20), "-sync="+row.sync, "-workers", "1")
			half, h50, h99 := drive(t, r, row.notes, row.phones, 10_000)
			rate, p50, p99 := drive(t, r, row.notes, row.phones, 0)
			t.Logf("at most %.0f notes/s durable, p50 %v p99 %v; at %.0f notes/s p50 %v p99 %v", rate, p50, p99, half, h50, h99)
			t.Logf("%s", queue(t, r))
		})
	}
}

func queue(t *testing.T, r *relay) string {
	t.Helper()
	answer, err := http.Get(r.admin + "/admin/queue")
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var q struct {
		Channels []struct{ Waiting, UnderWay int }
	}
	require.NoError(t, json.Unmarshal(body, &q))
	waiting, underWay := 0, 0
	for _, c := range q.Channels {
		waiting, underWay = waiting+c.Waiting, underWay+c.UnderWay
	}
	return fmt.Sprintf("in the queue afterwards: %d batches waiting, %d under way", waiting, underWay)
}
