package fleet

import (
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// What many phones post at once shares a flush; whichever way it goes, each message is there once under its own name.
func TestManyPostsShareAFlush(t *testing.T) {
	r := newRig(t, nil)
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
	const n = 40
	q := r.fleet.engine.queues[channel]
	require.NotNil(t, q.group, "the embedded server takes batches")
	together := func(name func(i int) string) (fresh [n]bool) {
		q.group.mu.Lock()
		q.group.whole = true // as if a batch were under way: all wait for the next
		q.group.mu.Unlock()
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				m := &nats.Msg{Subject: queuePrefix + channel, Header: nats.Header{}, Data: []byte(noteOf(name(i), "x"))}
				m.Header.Set(nats.MsgIdHdr, name(i))
				m.Header.Set(headerUser, "U1")
				ack, err := q.publish(t.Context(), m)
				if err != nil {
					t.Errorf("%s: %v", name(i), err)
					return
				}
				fresh[i] = !ack.Duplicate
			})
		}
		eventually(t, "all wait", func() bool {
			q.group.mu.Lock()
			defer q.group.mu.Unlock()
			return len(q.group.waiting) == n
		})
		q.group.mu.Lock()
		q.group.whole = false
		q.group.next()
		q.group.mu.Unlock()
		all.Wait()
		return fresh
	}
	for i, fresh := range together(func(i int) string { return "s-" + itoa(i) }) {
		require.True(t, fresh, "message %d", i)
	}
	info, err := q.stream.Info(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, n, info.State.Msgs)
	last, err := q.stream.GetMsg(t.Context(), info.State.LastSeq)
	require.NoError(t, err)
	require.NotEmpty(t, last.Header.Get(headerBatch), "they went as one batch")

	// half of them again: the server refuses the batch whole, and each message goes by itself
	for i, fresh := range together(func(i int) string { return []string{"s-", "t-"}[i%2] + itoa(i) }) {
		require.Equal(t, i%2 == 1, fresh, "message %d", i)
	}
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
	r.arrive(n + n/2)
	eventually(t, "swept", func() bool {
		info, err := q.stream.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
}
