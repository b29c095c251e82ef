package relay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// L13.4: one process is told, and within the guide's 60 s no process calls Keep any more; a process that starts afterwards
// keeps to it as well. Phones are taken from all the while, and nothing is lost.
func TestTheKillSwitchReachesEveryProcess(t *testing.T) {
	build(t)
	const factor = 10
	s := startSandbox(t, factor)
	channels := channelFile(t, s, 1, false)
	shared := fmt.Sprintf("127.0.0.1:%d", ports(t, 1)[0])
	at := clock(factor)
	relays := []*relay{startRelay(t, s, channels, "-clock", at, "-dir", t.TempDir(), "-nats-listen", shared)}
	join := func() { relays = append(relays, startRelay(t, s, channels, "-clock", at, "-nats", "nats://"+shared)) }
	join()
	join()
	p := newPhone()
	const posts = 600 // of a user each: a minute's quota of calls
	for n := range posts {
		user := fmt.Sprintf("U%d", n)
		set, body := makeBatch(user, 1, 50)
		require.Equal(t, 202, p.post(t.Context(), relays[n%3].url, channel, user, set, body))
	}
	require.NoError(t, order(relays[1].admin+"/admin/realtime", `{"on":false}`))
	told := time.Now()
	for _, r := range relays {
		for !off(t, r) {
			require.Less(t, time.Since(told), 60*time.Second, "one process never hears of it")
			time.Sleep(10 * time.Millisecond)
		}
	}
	t.Logf("all three know after %v", time.Since(told))
	time.Sleep(time.Second) // what was on the wire ends
	before, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Less(t, before.Requests, posts, "there is still something that would go")
	join()
	require.True(t, off(t, relays[3]), "a process that starts now")
	set, body := makeBatch("late", 1, 50)
	require.Equal(t, 202, p.post(t.Context(), relays[3].url, channel, "late", set, body), "phones are still taken from")
	time.Sleep(6 * time.Second) // a minute of the sandbox's clock
	after, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Requests, after.Requests)
	require.NoError(t, order(relays[2].admin+"/admin/realtime", `{"on":true}`))
	p.require(t, s, time.Minute)
}

// off says what a process knows of the switch.
func off(t *testing.T, r *relay) bool {
	t.Helper()
	answer, err := http.Get(r.admin + "/admin/realtime")
	require.NoError(t, err)
	defer answer.Body.Close()
	var state struct{ On bool }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&state))
	return !state.On
}
