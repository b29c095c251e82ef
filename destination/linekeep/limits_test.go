package linekeep

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// LINE guide §2: "Standard Server 600 req/min, 120 req/5 s · Mini-App 100 and 30 · status 600, none". The burst is a hard
// cap, so the client stays below both columns; without a channel id it is the generic pool (L10.3).
func TestL2_1_L2_2_L10_3_EachTierStaysBelowItsColumns(t *testing.T) {
	for _, row := range []struct {
		service        Service
		minute, burst  int // the service's
		ours, oursIn5s int
	}{
		{Service{ChannelID: "1", Tier: Server}, 600, 120, 580, 110},
		{Service{ChannelID: "1", Tier: MiniApp}, 100, 30, 96, 28},
		{Service{ChannelID: "1"}, 100, 30, 96, 28}, // the client token is the default
		{Service{Tier: Server}, 60, 20, 54, 18},
		{Service{}, 60, 20, 54, 18},
	} {
		p := row.service.Policy("")
		require.Len(t, p.Windows, 2, p.Name)
		require.Equal(t, time.Minute, p.Windows[0].Per, p.Name)
		require.Equal(t, 5*time.Second, p.Windows[1].Per, p.Name)
		require.Equal(t, [2]int{row.ours, row.oursIn5s}, [2]int{p.Windows[0].N, p.Windows[1].N}, p.Name)
		require.Less(t, p.Windows[0].N, row.minute, p.Name)
		require.Less(t, p.Windows[1].N, row.burst, p.Name)
		o := row.service.Decode(batch(first), 0, outbox.Attempt{}, answer(200, "", map[string]string{"X-Line-Keep-Quota-Remaining": "7"}))
		require.Equal(t, row.minute, o.Quota.Limit, "%s: what 7 left is a part of (L6.2)", p.Name)
	}
}

// LINE guide §2: status calls are counted apart; they are GETs without a body.
func TestL2_3_StatusIsACallOfItsOwn(t *testing.T) {
	r := service.EncodeLook([]string{"a"}, attempt)
	require.Equal(t, "GET https://keep.example/v1/keep/status?noteId=a", r.Method+" "+r.URL)
	require.Nil(t, r.Body)
	require.Equal(t, [][2]string{{"Authorization", "Bearer token-1"}, {"X-Line-Channel-ID", "1650000001"}}, r.Headers)
	require.Equal(t, "https://keep.example/v1/keep/status", service.EncodeLook(nil, attempt).URL)
}

// LINE guide Q5: one note ≤ 2 MB, a batch ≤ 500 notes; §4: ≤ 500 messages. The client's ceilings are not above.
func TestL14_5_L4_1_TheCeilingsOfOneRequest(t *testing.T) {
	l := service.Limits()
	require.Equal(t, outbox.Limits{NoteBytes: 2_000_000, BatchBytes: 4_000_000, BatchNotes: 500, BatchMessages: 500, NoteOverhead: 1,
		MediaBytes: 8_000_000, Copies: true, UnheardBytes: 16384}, l)
	require.Equal(t, 1000, Service{NoteBytes: 1000}.Limits().NoteBytes)
	require.Equal(t, []string{"symptom"}, Service{Forbid: []string{"symptom"}}.Limits().Forbid)

	var entries []outbox.Entry
	for i := range l.BatchNotes {
		id := fmt.Sprint("k", i)
		entries = append(entries, note(id, `{"noteId":"`+id+`","messages":[{}]}`))
	}
	b := batch(entries...)
	body := service.Encode(b, 0, attempt).Body
	require.Len(t, body, b.Bytes()+l.NoteOverhead*(len(entries)-1)+len(`{"notes":[]}`), "the overhead is what it says")
}
