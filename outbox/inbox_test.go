package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// hand gives the outbox what the page's inbox kept and returns the ticket.
func (p *page) hand(key string, version int, mark, text string) uint32 {
	p.ticket++
	in := &outbox.Inbox{Mark: mark, Version: version, At: p.now}
	p.post(outbox.Appended{Drafts: []outbox.Draft{{Ticket: p.ticket, Kind: outbox.Note, Key: key, Text: []byte(event(text, 1)), Inbox: in}}})
	return p.ticket
}

// What the inbox's receipt says is what the service gets, once, wherever the page dies between the outbox's commit and
// the deletion of the row in the inbox.
func TestInboxRowIsTakenOverOnceUnderItsName(t *testing.T) {
	for _, row := range []struct {
		what      string
		key, mark string
		version   int
		before    func(*page) // what the outbox knows of the key already
		noteID    string
	}{
		{"an event without a key", "s-1", "s-1", 1, func(*page) {}, "s-1"},
		{"a key's first", "order-7", "s-2", 1, func(*page) {}, "order-7"},
		{"a key's third", "order-7", "s-3", 3, func(p *page) { p.append("order-7", "a"); p.sleep(time.Minute); p.append("order-7", "b") }, "order-7.v3"},
		{"a key that only another device's outbox knew", "order-7", "s-4", 4, func(*page) {}, "order-7.v4"},
	} {
		t.Run(row.what, func(t *testing.T) {
			p := openPage(t)
			row.before(p)
			p.sleep(10 * time.Minute)
			had := len(p.stored())
			for range 3 { // killed before the row was deleted, and again
				ticket := p.hand(row.key, row.version, row.mark, "kept early")
				require.Equal(t, row.noteID, p.receipts[ticket].NoteID)
				p.restart()
			}
			require.Equal(t, 1, p.status().Pending, "one note")
			p.sleep(10 * time.Minute)
			require.Equal(t, "kept early", p.textOf(row.noteID))
			require.Equal(t, row.noteID, p.hand2(row.key, row.version, row.mark), "after delivery too")
			p.sleep(10 * time.Minute)
			require.Len(t, p.stored(), had+1)
		})
	}
}

func (p *page) hand2(key string, version int, mark string) string {
	return p.receipts[p.hand(key, version, mark, "kept early")].NoteID
}

// A later append under the same key, by a page whose outbox was open, does not make the row look new.
func TestInboxRowIsKnownAfterALaterVersion(t *testing.T) {
	p := openPage(t)
	p.hand("order-7", 1, "s-1", "kept early")
	p.sleep(time.Minute)
	require.Equal(t, "order-7.v2", p.append("order-7", "later").NoteID)
	p.hand("order-7", 1, "s-1", "kept early")
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"order-7", "order-7.v2"}, p.stored())
}

// Two tabs gave the same version to different content: both are kept, one under the next name (L7.2).
func TestL7_2_InboxRowWhoseVersionWasGivenMeanwhileIsKeptUnderTheNext(t *testing.T) {
	p := openPage(t)
	p.append("order-7", "of the other tab")
	ticket := p.hand("order-7", 1, "s-1", "kept early")
	require.Equal(t, "order-7.v2", p.receipts[ticket].NoteID)
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"order-7", "order-7.v2"}, p.stored())
	require.Equal(t, "kept early", p.textOf("order-7.v2"))
}

// The page was told that it is kept: neither a full queue nor a retired path turns the row away. Content still does.
func TestInboxRowIsNotRefusedForWhatCameLater(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.MaxQueueBytes = 1 })
	p.refused("", event("too much", 1))
	require.Equal(t, "s-1", p.hand2("s-1", 1, "s-1"))

	p.answers = []*answer{{status: 410}}
	p.sleep(10 * time.Minute)
	require.Equal(t, outbox.Gone, p.refused("", event("gone", 1)).Code)
	require.Equal(t, "s-2", p.hand2("s-2", 1, "s-2"))

	ticket := p.hand("s-3", 1, "s-3", "4111 1111 1111 1111")
	require.Equal(t, outbox.UnfitContent, p.refusals[ticket].Code)
}

// A write that failed marks nothing: the row is still the inbox's, and can be taken over again.
func TestInboxRowIsNotKnownAfterAFailedWrite(t *testing.T) {
	p := openPage(t)
	p.disk.FailNext(outbox.ErrUnavailable)
	ticket := p.hand("order-7", 1, "s-1", "kept early")
	require.Equal(t, outbox.StorageUnavailable, p.refusals[ticket].Code)
	require.Equal(t, "order-7", p.hand2("order-7", 1, "s-1"))
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"order-7"}, p.stored())
}

// The receipt is never given before the row is on disk in the outbox, also when it is handed over twice at once.
func TestInboxRowTwiceInOneBurstIsAcknowledgedAfterTheCommit(t *testing.T) {
	p := openPage(t)
	in := outbox.Inbox{Mark: "s-1", Version: 1, At: p.now}
	draft := func(ticket uint32) outbox.Draft {
		return outbox.Draft{Ticket: ticket, Kind: outbox.Note, Key: "order-7", Text: []byte(event("kept early", 1)), Inbox: &in}
	}
	p.disk.FailNext(outbox.ErrFull)
	p.post(outbox.Appended{Drafts: []outbox.Draft{draft(1), draft(2)}})
	require.Empty(t, p.receipts, "not on disk")
	require.Len(t, p.refusals, 2)
	p.post(outbox.Appended{Drafts: []outbox.Draft{draft(1), draft(2)}})
	require.Equal(t, "order-7", p.receipts[1].NoteID)
	require.Equal(t, "order-7", p.receipts[2].NoteID)
	require.Equal(t, 1, p.status().Pending)
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"order-7"}, p.stored())
}

// A dead letter answers to its noteId as well: a receipt of the inbox has no other name.
func TestDeadLetterIsNamedByNoteIDToo(t *testing.T) {
	p := openPage(t)
	p.hand("s-1", 1, "s-1", "kept early")
	p.answers = []*answer{{status: 400}, {status: 400}, {status: 400}, {status: 400}}
	p.sleep(10 * time.Minute)
	var dead []outbox.DeadRecord
	p.disk.ReadDead(func(r []outbox.DeadRecord, err error) { dead = r; require.NoError(t, err) })
	p.settle()
	require.Len(t, dead, 1)
	for id, want := range map[string]bool{"s-1": true, dead[0].ID: true, "s-2": false, "": false} {
		require.Equal(t, want, dead[0].Named(id), fmt.Sprintf("%q", id))
	}
}
