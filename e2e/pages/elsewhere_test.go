package pages

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/e2e/service"
)

// elsewhere is a service other than LINE Keep, as these tests use it.
type elsewhere struct {
	name string
	slow string // path of the calls that carry media
	open func(r *rig) map[string]any
	// held reads back the notes, and the bytes of a medium as a note names it.
	held func(r *rig) ([]judge.Stored, func(named medium) []byte)
}

type medium struct{ MediaID, Name, Type, SHA256, MD5 string }

var chat = elsewhere{
	name: "chat", slow: "/upload/v1/spaces",
	open: func(r *rig) map[string]any {
		return map[string]any{"destination": "chat", "space": channel, "baseURL": r.gateway.url}
	},
	held: func(r *rig) ([]judge.Stored, func(medium) []byte) {
		rows, err := r.sandbox.ChatMessages(r.ctx, channel)
		require.NoError(r.t, err)
		attachment := func(name string) ([]byte, error) { return r.sandbox.ChatAttachment(r.ctx, name) }
		notes, err := judge.UnpackChat(bytes.NewReader(rows), attachment)
		require.NoError(r.t, err)
		resources := map[string]string{} // sha256 → name
		for decoder := json.NewDecoder(bytes.NewReader(rows)); ; {
			var row struct {
				Attachments []struct{ ResourceName, SHA256 string }
			}
			err := decoder.Decode(&row)
			if err == io.EOF {
				break
			}
			require.NoError(r.t, err)
			for _, a := range row.Attachments {
				require.NotContains(r.t, resources, a.SHA256, "no memo twice")
				resources[a.SHA256] = a.ResourceName
			}
		}
		return notes, func(named medium) []byte {
			require.Contains(r.t, resources, named.SHA256)
			got, err := attachment(resources[named.SHA256])
			require.NoError(r.t, err)
			return got
		}
	},
}

var evernote = elsewhere{
	name: "evernote", slow: "/shard/s1/notestore/createNote",
	open: func(r *rig) map[string]any {
		if r.gateway.relay == nil {
			binary, err := relayBinary()
			require.NoError(r.t, err)
			relay, err := service.StartRelay(binary, r.sandbox.URL)
			require.NoError(r.t, err)
			r.t.Cleanup(relay.Close)
			require.NoError(r.t, r.gateway.relayTo(relay.URL))
		}
		return map[string]any{"destination": "evernote", "noteStoreURL": service.Through(r.gateway.url, r.sandbox.URL) + "/shard/s1/notestore", "callsPerHour": 900}
	},
	held: func(r *rig) ([]judge.Stored, func(medium) []byte) {
		rows, err := r.sandbox.EvernoteNotes(r.ctx)
		require.NoError(r.t, err)
		notes, err := judge.UnpackEvernote(bytes.NewReader(rows))
		require.NoError(r.t, err)
		return notes, func(named medium) []byte {
			answer, err := http.Get(r.sandbox.URL + "/ops/evernote/resource?md5=" + named.MD5)
			require.NoError(r.t, err)
			defer answer.Body.Close()
			got, err := io.ReadAll(answer.Body)
			require.NoError(r.t, err)
			sum := md5.Sum(got)
			require.Equal(r.t, named.MD5, hex.EncodeToString(sum[:]))
			return got
		}
	},
}

// Ten conversations with a voice memo of 1 MB each arrive whole at Google Chat and Evernote too, each note and each memo
// once, also when the browser is killed in the middle of the uploads (L9.2, G3.10, E6.3).
func TestL9_2_VoiceMemosArriveWholeElsewhere(t *testing.T) {
	for _, engine := range engines(t) {
		for _, to := range []elsewhere{chat, evernote} {
			for _, killed := range []bool{false, true} {
				t.Run(engine+", "+to.name+map[bool]string{true: ", killed"}[killed], func(t *testing.T) {
					r := newRig(t, engine)
					page := r.page("a", nil, "").show().open(to.open(r))
					require.NoError(t, r.sandbox.Faults(r.ctx, []map[string]any{{"kind": "delay", "ms": 300, "times": 6, "path": to.slow}}))
					var told struct{ Memos []memo }
					page.do("memos", map[string]any{"count": 10, "bytes": 1 << 20}, &told)
					require.Len(t, told.Memos, 10)
					if killed {
						_ = page.try("flushSoon", nil, nil)
						require.Eventually(t, func() bool {
							all, err := r.sandbox.Requests(r.ctx)
							return err == nil && len(all) >= 4
						}, 60*time.Second, time.Millisecond)
						r.kill()
						notes, _ := to.held(r)
						require.Less(t, len(notes), 10, "killed too late to show anything")
						page = r.page("b", nil, "").show().open(to.open(r))
					}
					page.gone()
					r.wholeAt(to, told.Memos)
					require.Zero(t, page.status().Dead)
					r.calm()
				})
			}
		}
	}
}

// gone has the page send until nothing waits: a note in doubt is looked up only when it can no longer arrive.
func (p *tab) gone() {
	p.rig.t.Helper()
	require.Eventually(p.rig.t, func() bool {
		_ = p.try("flushSoon", nil, nil)
		var s Status
		return p.try("status", nil, &s) == nil && s.Token != "" && s.Pending+s.Parked == 0
	}, 3*time.Minute, 200*time.Millisecond, "%s: left", p.mark)
}

// wholeAt asserts that the service holds a note a memo, once, and the memo's bytes under the name in the note.
func (r *rig) wholeAt(to elsewhere, memos []memo) {
	r.t.Helper()
	notes, bytesOf := to.held(r)
	require.Len(r.t, notes, len(memos))
	byConversation := map[string]judge.Stored{}
	for _, n := range notes {
		require.Empty(r.t, n.Broken)
		require.NotContains(r.t, byConversation, n.ConversationID, "stored twice")
		byConversation[n.ConversationID] = n
	}
	for _, m := range memos {
		var note struct{ Media []medium }
		require.NoError(r.t, json.Unmarshal(byConversation[m.ConversationID].Raw, &note), m.ConversationID)
		require.Len(r.t, note.Media, 1)
		require.Equal(r.t, [2]string{"memo.m4a", "audio/mp4"}, [2]string{note.Media[0].Name, note.Media[0].Type})
		sum := sha256.Sum256(bytesOf(note.Media[0]))
		require.Equal(r.t, m.SHA256, hex.EncodeToString(sum[:]), "%s: its memo is not what was acknowledged", m.ConversationID)
	}
}

// Chromium sends a POST again by itself when a kept-alive connection ends without a byte of an answer. The relay knows the
// copy by its name and does not pass it on, and the page looks for its note: there is one (E6.1).
func TestE6_1_ABrowsersOwnRepeatMakesNoSecondNote(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.page("a", nil, "").show().open(evernote.open(r))
			r.gateway.loseNotes(1)
			var told struct{ Memos []memo }
			page.do("memos", map[string]any{"count": 2, "bytes": 100}, &told)
			page.gone()
			r.wholeAt(evernote, told.Memos)
			names := map[string]int{}
			for _, name := range r.gateway.names() {
				require.NotEmpty(t, name)
				names[name]++
			}
			if engine == "chromium" {
				require.Greater(t, len(r.gateway.names()), len(names), "it did not repeat: this shows nothing")
			}
			r.calm()
		})
	}
}
