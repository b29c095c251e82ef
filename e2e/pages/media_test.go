package pages

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

// memo is a voice memo that the page was told is on disk.
type memo struct{ ConversationID, SHA256 string }

// Ten conversations with a voice memo of 1 MB each arrive whole, every memo before the note that names it, also when the
// browser is killed in the middle of the uploads (L2.2, L9.2).
func TestL2_2_VoiceMemosArriveWhole(t *testing.T) {
	for _, engine := range engines(t) {
		for _, killed := range []bool{false, true} {
			t.Run(engine+map[bool]string{true: ", killed"}[killed], func(t *testing.T) {
				r := newRig(t, engine)
				page := r.page("a", nil, "").show().open(nil)
				require.NoError(t, r.sandbox.Faults(r.ctx, []map[string]any{{"kind": "delay", "ms": 150, "times": 6, "path": "/v1/keep/media"}}))
				var told struct{ Memos []memo }
				page.do("memos", map[string]any{"count": 10, "bytes": 1 << 20}, &told)
				require.Len(t, told.Memos, 10)
				if killed {
					_ = page.try("flushSoon", nil, nil)
					require.Eventually(t, func() bool { return len(r.gateway.requests()) >= 4 }, 30*time.Second, time.Millisecond)
					r.kill()
					require.Less(t, len(r.notes()), 10, "killed too late to show anything")
					page = r.page("b", nil, "").show().open(nil) // not the same page: Firefox brings that back by itself, too
				}
				page.flushed()
				r.whole(told.Memos)
				require.Zero(t, page.status().Dead)
				r.keptLimits()
				r.calm()
			})
		}
	}
}

// Voice memos that liff.$keep took before the module and before liff.init are on disk with their events: the browser is
// killed, and they arrive whole, once (L9.2).
func TestL9_2_VoiceMemosBeforeTheModuleSurviveAKill(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.insteadOfWasm("stalled")
			page := r.miniApp("one", "").show().use(nil)
			var told struct{ Memos []memo }
			page.do("liffMemos", map[string]any{"count": 3, "bytes": 1 << 20}, &told)
			require.Len(t, told.Memos, 3)
			var s Status
			page.do("liffStatus", nil, &s)
			require.Equal(t, 3, s.Pending)
			require.Greater(t, s.QueueBytes, int64(3<<20), "they count")
			r.kill()

			r.gateway.insteadOfWasm("")
			page = r.miniApp("two", "").show().use(nil).init("A")
			page.sent()
			r.whole(told.Memos)
			r.keptLimits()
			r.calm()
		})
	}
}

// whole asserts that every memo is at the sandbox, with its bytes, and in one note, which came after it.
func (r *rig) whole(memos []memo) {
	r.t.Helper()
	response, err := http.Get(r.sandbox.URL + "/ops/media")
	require.NoError(r.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	at, bySum := map[string]int64{}, map[string]string{}
	for _, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var m struct {
			MediaID, SHA256 string
			Bytes           int
			At              int64
		}
		require.NoError(r.t, json.Unmarshal(line, &m))
		require.Equal(r.t, 1<<20, m.Bytes)
		at[m.MediaID], bySum[m.SHA256] = m.At, m.MediaID
	}
	require.Len(r.t, at, len(memos), "no memo twice")
	rows, err := r.sandbox.Notes(r.ctx, "", false)
	require.NoError(r.t, err)
	notes := map[string][]judge.Stored{}
	for _, n := range r.notes() {
		notes[n.ConversationID] = append(notes[n.ConversationID], n)
	}
	for _, m := range memos {
		require.Len(r.t, notes[m.ConversationID], 1, m.ConversationID)
		require.Contains(r.t, bySum, m.SHA256, "%s: its memo is not what was acknowledged", m.ConversationID)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(rows), []byte("\n")) {
		var n struct {
			At   int64
			Note struct {
				ConversationID string
				Media          []struct{ MediaID, SHA256, Name, Type string }
			}
		}
		require.NoError(r.t, json.Unmarshal(line, &n))
		require.Len(r.t, n.Note.Media, 1)
		named := n.Note.Media[0]
		require.Equal(r.t, [3]string{bySum[named.SHA256], "memo.m4a", "audio/mp4"}, [3]string{named.MediaID, named.Name, named.Type})
		require.LessOrEqual(r.t, at[named.MediaID], n.At, "the memo came first")
	}
}
