package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// letters are the dead letters as an operator lists them.
func (r *rig) letters() []letter {
	r.t.Helper()
	status, text := r.ops("GET", "/admin/dead?channel="+channel, "")
	require.Equal(r.t, 200, status)
	var list struct{ Letters []letter }
	require.NoError(r.t, json.Unmarshal([]byte(text), &list))
	return list.Letters
}

func (r *rig) faults(script ...map[string]any) {
	r.t.Helper()
	require.NoError(r.t, r.sandbox.Faults(context.Background(), script))
}

// Keep refuses a noteId above 255 bytes, and with it the whole call. Among 40 batches of other users in the same call the
// one note is found; it alone is a dead letter.
func TestOnePoisonNoteIsFoundAmongMany(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Clock = morning(t, 20) })
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":false}`)))
	poison := noteOf("p-"+strings.Repeat("x", 300), "x")
	want := map[string]string{}
	for i := range 40 {
		notes := []string{noteOf("g-"+itoa(i), "x"), noteOf("h-"+itoa(i), "x")}
		want["g-"+itoa(i)], want["h-"+itoa(i)] = notes[0], notes[1]
		if i == 23 {
			notes = append(notes, poison)
		}
		require.Equal(t, 202, r.post("U"+itoa(i), notes...))
	}
	require.Equal(t, 200, first(r.ops("POST", "/admin/realtime", `{"on":true}`)))
	require.Equal(t, want, r.arrive(80))
	eventually(t, "a dead letter", func() bool { return len(r.letters()) > 0 })
	list := r.letters()
	require.Len(t, list, 1)
	require.Equal(t, "REFUSED", list[0].Reason)
	require.Equal(t, "U23", list[0].User)
	require.Equal(t, 400, list[0].Status)
	require.NotEmpty(t, list[0].RequestID)
	require.Equal(t, 1, list[0].Notes)
	require.Equal(t, hexSum([]byte(poison)), list[0].SHA256)
	_, bytes := r.ops("GET", "/admin/dead/"+itoa(int(list[0].Seq)), "")
	require.Equal(t, poison, bytes)
	eventually(t, "the queue is empty", func() bool {
		_, q := r.ops("GET", "/admin/queue", "")
		return strings.Contains(q, `"waiting":0,"underWay":0`)
	})
}

// What a fault ordered, a person sends again once the cause is gone; what is of no use is let go.
func TestADeadLetterIsSentAgainOrLetGo(t *testing.T) {
	r := newRig(t, nil)
	r.faults(map[string]any{"kind": "status", "status": 422, "times": 2})
	require.Equal(t, 202, r.post("U1", noteOf("d-1", "x")))
	eventually(t, "the first letter", func() bool { return len(r.letters()) == 1 })
	require.Equal(t, 202, r.post("U2", noteOf("d-2", "x")))
	eventually(t, "the second letter", func() bool { return len(r.letters()) == 2 })
	list := r.letters()
	require.Equal(t, 200, first(r.ops("POST", "/admin/dead/"+itoa(int(list[0].Seq))+"/retry", "")))
	require.Equal(t, map[string]string{"d-1": noteOf("d-1", "x")}, r.arrive(1))
	require.Equal(t, 200, first(r.ops("POST", "/admin/dead/"+itoa(int(list[1].Seq))+"/discard", "")))
	require.Empty(t, r.letters())
	for _, path := range []string{"/admin/dead/99/retry", "/admin/dead/99/discard", "/admin/dead/x/retry"} {
		require.Equal(t, 404, first(r.ops("POST", path, "")), path)
	}
}

// Keep fails on one batch for good, and takes others: it is poison. A batch that only had an outage is not.
func TestABatchThatAlwaysFailsIsPoison(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Clock, o.Channels[0].Mix, o.Workers = morning(t, 60), false, 1 })
	r.faults(map[string]any{"kind": "proxy", "status": 502, "overBytes": 20_000, "times": 1000})
	require.Equal(t, 202, r.post("U1", noteOf("big", strings.Repeat("x", 30_000))))
	n := 0
	eventually(t, "poison", func() bool {
		n++
		require.Equal(t, 202, r.post("U2", noteOf("s-"+itoa(n), "x")))
		time.Sleep(50 * time.Millisecond)
		return len(r.letters()) > 0
	})
	require.Equal(t, "POISON", r.letters()[0].Reason)
	require.Equal(t, 502, r.letters()[0].Status)
	require.Len(t, r.arrive(n), n, "all others are there")
}

func TestOutagesLoseNothing(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  map[string]any
		status string
	}{
		{"500 for a while", map[string]any{"kind": "status", "status": 500, "times": 8}, "500"},
		{"the connection is cut before", map[string]any{"kind": "cut", "when": "before", "times": 3}, "cut"},
		{"the connection is cut after it was stored", map[string]any{"kind": "cut", "when": "after", "times": 3}, "cut"},
		{"half an answer", map[string]any{"kind": "half", "times": 3}, "half"},
		{"an answer that is no JSON", map[string]any{"kind": "garbage", "times": 3}, "200"},
		{"a 429 without a hint", map[string]any{"kind": "status", "status": 429, "times": 2, "retryAfter": ""}, "429"},
		{"a 429 that asks for a while", map[string]any{"kind": "status", "status": 429, "times": 2, "retryAfter": "5"}, "429"},
		{"the server's token expired", map[string]any{"kind": "status", "status": 401, "times": 2}, "401"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(o *Options) { o.Clock = morning(t, 60) })
			r.faults(row.fault)
			for i := range 5 {
				require.Equal(t, 202, r.post("U"+itoa(i), noteOf("o-"+itoa(i), "x"), noteOf("q-"+itoa(i), "x")))
			}
			r.arrive(10)
			require.Positive(t, r.stats().ByStatus[row.status])
			require.Empty(t, r.letters())
			eventually(t, "the queue is empty", func() bool {
				_, q := r.ops("GET", "/admin/queue", "")
				return strings.Contains(q, `"waiting":0,"underWay":0`)
			})
		})
	}
}

// L2.4, L3.2: behind a 429 nothing goes before the server's word, of no worker.
func TestA429HoldsAllWorkers(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Clock, o.Workers, o.Channels[0].Mix = morning(t, 20), 4, false })
	r.faults(map[string]any{"kind": "status", "status": 429, "retryAfter": "60", "skip": 1})
	for i := range 12 {
		require.Equal(t, 202, r.post("U"+itoa(i), noteOf("w-"+itoa(i), "x")))
	}
	r.arrive(12)
	rows, err := r.sandbox.Requests(context.Background())
	require.NoError(t, err)
	for i, row := range rows {
		if row.Status != "429" {
			continue
		}
		for _, later := range rows[i+1:] {
			between := time.Duration(later.At-row.At) * time.Millisecond
			if between > 60*time.Second/20/10 { // the others that were on the wire are not meant
				require.GreaterOrEqual(t, between, 60*time.Second/20, "60 s of a clock 20 times as fast")
			}
		}
		return
	}
	t.Fatal("there was no 429")
}

// L5.2: the third 429 in a row opens the breaker, for all relays, until the quiet hours.
func TestL5_2_TheFleetsBreakerOpensAtTheThird429(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Clock, o.Workers = morning(t, 120), 2 })
	r.faults(map[string]any{"kind": "status", "status": 429, "times": 3})
	require.Equal(t, 202, r.post("U1", noteOf("b-1", "x")))
	open := func() bool {
		_, q := r.ops("GET", "/admin/queue", "")
		return strings.Contains(q, `"breaker":"open"`)
	}
	eventually(t, "open", open)
	require.Equal(t, 3, r.stats().Requests)
	require.Empty(t, r.stored())
	require.Equal(t, 202, r.post("U1", noteOf("b-2", "x")), "phones are still taken from")
	r.close()
	r.open()
	require.True(t, open(), "it outlives a restart")
	require.Equal(t, 3, r.stats().Requests)
}

// L5.3, L12.2: a channel may be drained in the quiet hours only.
func TestL5_3_DrainInTheQuietHours(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Channels[0].Drain = offPeak
		c, err := ParseClock(fmt.Sprintf("20,%d,2026-02-10T14:58:00Z", time.Now().UnixMilli())) // 23:58 JST
		require.NoError(t, err)
		o.Clock = c
	})
	require.Equal(t, 202, r.post("U1", noteOf("q-1", "x"), noteOf("q-2", "x")))
	require.Zero(t, r.stats().Requests)
	r.arrive(2)
	require.False(t, r.options.Clock.Now().Before(time.Date(2026, 2, 10, 15, 0, 0, 0, time.UTC)), "midnight JST has passed")
}
