package relay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds of TestKilledUnderLoad; LIFFKEEP_ROUNDS=20 is what docs/architecture.md reports.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("LIFFKEEP_ROUNDS")); err == nil {
		return n
	}
	return 2
}

// load posts batches from so many phones until ctx ends. Each batch is posted with the same bytes until it is taken, as
// the outbox does, to whichever relay base names then.
func load(ctx context.Context, p *phone, phones, notes int, base func() string) (wait func()) {
	var all sync.WaitGroup
	for i := range phones {
		all.Go(func() {
			user := fmt.Sprintf("U%d", i)
			for n := 0; ctx.Err() == nil; n++ {
				set, body := makeBatch(fmt.Sprintf("%s-%d", user, n), notes, 200)
				for p.post(context.Background(), base(), channel, user, set, body) != 202 {
					if ctx.Err() != nil {
						return // its page was closed: it was told nothing
					}
					time.Sleep(20 * time.Millisecond)
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
	return all.Wait
}

// kill -9 at random moments, and a start on the same directory: nothing that a phone was told is lost or doubled.
func TestKilledUnderLoad(t *testing.T) {
	build(t)
	const factor = 10
	s := startSandbox(t, factor)
	channels, dir := channelFile(t, s, 1, true), t.TempDir()
	flags := []string{"-dir", dir, "-clock", clock(factor)}
	var base atomic.Pointer[string]
	r := startRelay(t, s, channels, flags...)
	base.Store(&r.url)
	ctx, stop := context.WithCancel(t.Context())
	p := newPhone()
	wait := load(ctx, p, 8, 20, func() string { return *base.Load() })
	for range rounds() {
		time.Sleep(time.Duration(200+rand.IntN(1800)) * time.Millisecond)
		r.kill()
		r = startRelay(t, s, channels, flags...)
		base.Store(&r.url)
	}
	stop()
	wait()
	p.require(t, s, 2*time.Minute)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats.ByStatus["429"], "the limiter outlives its process")
	t.Logf("%d kills; calls of Keep by status: %v", rounds(), stats.ByStatus)
}

// Three NATS servers as a cluster on the loopback, two relays, and one server after the other killed under load.
func TestANodeOfTheClusterIsKilled(t *testing.T) {
	long(t)
	build(t)
	const factor = 10
	s := startSandbox(t, factor)
	channels := channelFile(t, s, 1, true)
	client, route := ports(t, 3), ports(t, 3)
	routes := fmt.Sprintf("nats://127.0.0.1:%d,nats://127.0.0.1:%d,nats://127.0.0.1:%d", route[0], route[1], route[2])
	address := fmt.Sprintf("nats://127.0.0.1:%d,nats://127.0.0.1:%d,nats://127.0.0.1:%d", client[0], client[1], client[2])
	nodes, stores := make([]*program, 3), []string{t.TempDir(), t.TempDir(), t.TempDir()}
	node := func(i int) {
		file := filepath.Join(t.TempDir(), "nats.conf")
		require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`server_name: n%d
listen: "127.0.0.1:%d"
max_payload: 8MB
jetstream { store_dir: %q, max_file_store: 2GB, max_memory_store: 64MB }
cluster { name: c, listen: "127.0.0.1:%d", routes: [%s] }
`, i, client[i], stores[i], route[i], routes)), 0o600))
		nodes[i], _ = start(t, "nats-server", []string{"-c", file}, ready)
	}
	for i := range nodes {
		node(i)
	}
	at := clock(factor)
	a := startRelay(t, s, channels, "-nats", address, "-replicas", "3", "-queue-bytes", "200000000", "-clock", at)
	b := startRelay(t, s, channels, "-nats", address, "-replicas", "3", "-queue-bytes", "200000000", "-clock", at)
	ctx, stop := context.WithCancel(t.Context())
	p := newPhone()
	var turn atomic.Int64
	wait := load(ctx, p, 6, 20, func() string { return []string{a.url, b.url}[turn.Add(1)%2] })
	for i := range nodes {
		time.Sleep(5 * time.Second)
		nodes[i].kill()
		time.Sleep(5 * time.Second)
		node(i)
	}
	time.Sleep(3 * time.Second)
	stop()
	wait()
	p.require(t, s, 3*time.Minute)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats.ByStatus["429"])
	t.Logf("3 nodes killed in turn; calls of Keep by status: %v", stats.ByStatus)
}

func ready(line string) string {
	if strings.Contains(line, "Server is ready") {
		return "ready"
	}
	return ""
}

// ports are free now, and below those that the system gives to outgoing connections: a server that is killed must find its
// own again.
func ports(t *testing.T, n int) (free []int) {
	t.Helper()
	for len(free) < n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000)))
		if err != nil {
			continue // taken
		}
		defer l.Close()
		free = append(free, l.Addr().(*net.TCPAddr).Port)
	}
	return free
}
