package outbox

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a ledger row names as delivered is a list of notes or nothing, and a row that the outbox wrote is read back whole.
func FuzzLedgerNotes(f *testing.F) {
	f.Add([]byte(`{"at":1,"kind":"attempt","batch":"i-3","status":200,"notes":[{"id":"1.0","noteId":"k","sha256":"ab"}]}`), "k", "ab")
	f.Add([]byte(`{"kind":"purged","notes":[{"noteId":"k"}]}`), "k\"\\", "")
	f.Add([]byte(`{"notes":[{"noteId":"k"},{}],"kind":"attempt","batch":"-"}`), "", "x")
	f.Add([]byte(`{"kind":"attempt","notes":[`), "\n", "y")
	f.Fuzz(func(t *testing.T, text []byte, noteID, sum string) {
		for _, n := range LedgerNotes(LedgerRow{LedgerPos: LedgerPos{At: 5}, Text: text}) {
			require.EqualValues(t, 5, n.At.At)
			require.True(t, json.Valid(text), "%q", text)
		}
		noteID, sum = strings.ToValidUTF8(noteID, "?"), strings.ToValidUTF8(sum, "?") // a page's strings are
		row := ledgerRow{at: fuzzNow, kind: "attempt", batch: "i-3", notes: 1}
		row.stored(Entry{Seq: 7, Kind: Note, NoteID: noteID}, sum)
		written := row.text(Config{Channel: noteID, User: sum})
		require.True(t, json.Valid(written), "%q", written)
		again := LedgerNotes(LedgerRow{LedgerPos: LedgerPos{At: 5}, Text: written})
		var want struct {
			Notes []struct{ NoteID, SHA256 string }
		}
		require.NoError(t, json.Unmarshal(written, &want))
		require.Len(t, again, 1)
		require.Equal(t, want.Notes[0].NoteID, again[0].NoteID)
		require.Equal(t, want.Notes[0].SHA256, again[0].SHA256)
		require.EqualValues(t, 3, again[0].At.N, "the batch whose bytes the archive may hold")
	})
}

// A dead letter that cannot be read is refused to whoever asks for it, and never counted twice.
func FuzzDeadRecord(f *testing.F) {
	whole := deadRecord(Entry{Seq: 1, Kind: Note, NoteID: "k", Messages: 1, At: fuzzNow, Raw: []byte(`{"noteId":"k"}`)}, TooLarge, "too large", Outcome{Status: 413}, fuzzNow)
	f.Add(whole.Head, whole.Body)
	f.Add(whole.Head[:len(whole.Head)-4], whole.Body)
	f.Add([]byte("{}\n"), []byte("{}"))
	f.Add([]byte("no line end"), []byte{})
	f.Fuzz(func(t *testing.T, head, body []byte) {
		d := DeadRecord{ID: "1.0", Head: head, Body: body}
		require.LessOrEqual(t, len(DeadInfo(d)), len(head))
		require.GreaterOrEqual(t, deadSize(d), int64(0))
		c := New(fuzzConfig())
		c.Step(fuzzNow, Opened{})
		c.Step(fuzzNow, Led{On: true})
		c.Step(fuzzNow, Scanned{Limit: scanPage})
		c.books.dead, c.books.deadBytes = 1, deadSize(d)
		var commit *Commit
		for _, cmd := range c.Step(fuzzNow, DeadAsked{Ticket: 9, Record: d}) {
			switch cmd := cmd.(type) {
			case Commit:
				commit = &cmd
			case Reject:
				require.EqualValues(t, 9, cmd.Rejections[0].Ticket)
				require.Equal(t, 1, c.Counts().Dead, "a refused wish changes nothing")
				return
			}
		}
		require.NotNil(t, commit, "either refused or written")
		require.Equal(t, []string{"1.0"}, commit.Change.DropDead)
		require.Len(t, commit.Change.Append, 1)
		c.Step(fuzzNow, Committed{Token: commit.Token, Seqs: []uint64{2}})
		require.Equal(t, 0, c.Counts().Dead)
		require.Equal(t, 1, c.Counts().Pending)
	})
}
