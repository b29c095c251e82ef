package outbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// LINE guide §7: a noteId is never reusable; "append a version number" to write the same business key again.
func TestL7_2_TheSameKeyAgainIsTheNextVersion(t *testing.T) {
	p := openPage(t)
	for _, row := range []struct{ text, noteID string }{
		{"one", "order-7"},
		{"two", "order-7.v2"},
		{"two", "order-7.v2"}, // the same content is not written again
		{"three", "order-7.v3"},
		{"two", "order-7.v4"}, // other than the last: a change back is a change
	} {
		got := p.append("order-7", row.text)
		require.Equal(t, row.noteID, got.NoteID, "content %q", row.text)
		p.sleep(time.Minute)
	}
	p.restart() // the versions are remembered on disk
	require.Equal(t, "order-7.v4", p.append("order-7", "two").NoteID)
	p.sleep(time.Minute)
	require.Equal(t, "order-7.v5", p.append("order-7", "four").NoteID)
	p.sleep(time.Hour)
	require.Equal(t, []string{"order-7", "order-7.v2", "order-7.v3", "order-7.v4", "order-7.v5"}, p.stored())
	require.Equal(t, 5, p.status().Delivered)
}

// A version is not given to content that never reached the disk (L7.2): the next one that does has it.
func TestL7_2_AFailedWriteUsesUpNoVersion(t *testing.T) {
	p := openPage(t)
	p.append("k", "one")
	p.sleep(time.Minute)
	p.disk.FailNext(outbox.ErrFull)
	p.refused("k", event("two", 1))
	p.sleep(time.Minute)
	require.Equal(t, "k.v2", p.append("k", "two").NoteID, "the same content may be tried again")
}

// Without a key every event is a note of its own, unique over all phones of the channel.
func TestL7_2_WithoutAKeyEveryNoteIDIsUnique(t *testing.T) {
	p := openPage(t)
	seen := map[string]bool{}
	for range 3 {
		for range 50 {
			seen[p.append("", "the same").NoteID] = true
		}
		p.restart()
	}
	require.Len(t, seen, 150)
}

// The key is taken by another device's content: the note is written again as its next version, and never dropped (L7.2).
func TestL7_2_AConflictIsWrittenAgainAsTheNextVersion(t *testing.T) {
	p := openPage(t)
	p.keep["b"] = "another device's"
	p.append("a", "1")
	p.append("b", "2")
	p.append("c", "3")
	p.sleep(10 * time.Minute)
	require.Equal(t, "another device's", p.keep["b"])
	require.Len(t, p.keep, 4)
	again := p.requests[1].ids
	require.Len(t, again, 1)
	require.True(t, strings.HasPrefix(again[0], "b.v2-"), "b, its second version, a name of this device: %s", again[0])
	require.Equal(t, "2", p.textOf(again[0]))
	require.Equal(t, 3, p.status().Delivered)
	require.Equal(t, "b.v2", p.append("b", "4").NoteID, "the page's own versions go on")
}

// A single note is refused with 409 (L7.2). Five times it is written under another name, then a person must look.
func TestL7_2_AConflictOverAndOverBecomesADeadLetter(t *testing.T) {
	p := openPage(t)
	p.answer(times(50, &answer{status: 409, body: `{}`})...)
	p.append("k", "x")
	p.sleep(time.Hour)
	var names []string
	for _, q := range p.requests {
		name, _, _ := strings.Cut(q.ids[0], "-")
		names = append(names, name)
	}
	require.Equal(t, "k k.v2 k.v3 k.v4 k.v5", strings.Join(names, " "))
	records, dead := p.deadLetters()
	require.Len(t, dead, 1)
	require.Contains(t, dead[0], "INVALID_EVENT k.v5-")
	require.Contains(t, string(outbox.DeadInfo(records[0])), `"status":409,"requestId":"req-5"`)
	s := p.status()
	require.Equal(t, [3]int{1, 0, 0}, [3]int{s.Dead, s.Pending, s.Delivered})

	p.answers = nil // retry sends it under its old name
	p.ticket++
	p.post(outbox.DeadAsked{Ticket: p.ticket, Record: records[0]})
	p.flush()
	p.sleep(time.Hour)
	require.Len(t, p.keep, 1)
	require.Equal(t, 1, p.status().Delivered)
	require.Equal(t, 0, p.status().Dead)
}

// A dead letter that is discarded is counted, and its ledger row stays.
func TestL9_2_DiscardingADeadLetterIsKeptInTheLedger(t *testing.T) {
	p := openPage(t)
	p.answer(&answer{status: 413})
	id := p.append("k", "x").ID
	p.flush()
	p.sleep(time.Minute)
	records, dead := p.deadLetters()
	require.Equal(t, []string{"TOO_LARGE k"}, dead)
	p.ticket++
	p.post(outbox.DeadAsked{Ticket: p.ticket, Record: records[0], Discard: true})
	_, dead = p.deadLetters()
	require.Empty(t, dead)
	rows := p.ledger()
	require.Equal(t, "discarded", rows[len(rows)-1].Kind)
	require.Equal(t, []string{id}, rows[len(rows)-1].Dead)
	require.Equal(t, 1, p.status().Discarded)
}

// LINE guide §7: no true delete; "call POST /v1/keep/hide". It is queued like any write: durable, after the note it
// hides, alone in its request, and counted.
func TestL7_1_HideIsQueuedLikeAnyWrite(t *testing.T) {
	p := openPage(t)
	note := p.append("k", "wrong")
	p.hide(note.NoteID)
	p.append("l", "right")
	p.restart()
	p.sleep(5 * time.Minute)
	require.Equal(t, []string{"12:05:00 k", "12:05:00 hide k", "12:05:00 l"}, p.sent())
	require.True(t, p.hidden["k"])
	require.Equal(t, "wrong", p.textOf("k"), "the row stays")
	require.Equal(t, 3, p.status().Delivered)
	p.hide("")
	require.Equal(t, outbox.InvalidEvent, p.refusals[p.ticket].Code)
}

// After hide the noteId stays used (L7.2): the key's next content is its next version.
func TestL7_2_AHiddenKeyIsNotReused(t *testing.T) {
	p := openPage(t)
	p.hide(p.append("k", "wrong").NoteID)
	p.sleep(time.Hour)
	require.Equal(t, "k.v2", p.append("k", "right").NoteID)
}

// LINE guide §16: append-only, no etag, no merge. A note that the service has is never written over: of two phones that
// use one key both contents are kept.
func TestL16_1_ManyWritersOfOneKeyNeverOverwrite(t *testing.T) {
	first := openPage(t)
	first.append("shared", "phone 1")
	first.sleep(time.Hour)
	second := openPage(t, func(p *page) { p.keep, p.opens = first.keep, 100 })
	second.append("shared", "phone 2")
	second.sleep(time.Hour)
	var texts []string
	for _, id := range second.stored() {
		texts = append(texts, second.textOf(id))
	}
	require.Equal(t, []string{"phone 1", "phone 2"}, texts)
}

// A key stands in the noteId as it is, so what could break out of the JSON is refused (L7.2).
func TestL7_2_KeysThatCannotStandInANoteID(t *testing.T) {
	p := openPage(t)
	for _, key := range []string{`a"b`, `a\b`, "a b", "a\nb", "a\tb", "\x00", "\x7f", "\xff\xfe", strings.Repeat("k", 201)} {
		require.Equal(t, outbox.InvalidEvent, p.refused(key, event("x", 1)).Code, "key %q", key)
	}
	for i, key := range []string{"a", "会話-7", "a/b?c=d&e#f", "<k>", "🍣", strings.Repeat("k", 200)} {
		got := p.append(key, fmt.Sprint(i))
		p.flush()
		p.sleep(time.Second)
		require.Equal(t, fmt.Sprint(i), p.textOf(got.NoteID), "key %q", key)
		require.True(t, json.Valid([]byte(p.keep[key])))
	}
}

// A hide has no next version (L7.1): whatever verdict a service gives it, nothing is renamed and nothing breaks.
func TestL7_1_AConflictIsNoAnswerToAHide(t *testing.T) {
	for _, noteID := range []string{"k", "a-note-id-longer-than-the-prefix"} {
		p := openPage(t)
		p.hide(noteID)
		p.answer(&answer{status: 200, body: `{"noteId":"` + noteID + `","status":"conflict"}`})
		p.flush()
		p.sleep(time.Hour)
		for _, q := range p.requests {
			require.Equal(t, []string{noteID}, q.ids)
		}
		s := p.status()
		require.Equal(t, 1, s.Pending+s.Parked+s.Dead+s.Delivered)
	}
}

// A decision that the disk does not take is answered: nothing was changed, and the page may call again (L9.2).
func TestL9_2_ADecisionOnADeadLetterThatTheDiskRefusesIsAnswered(t *testing.T) {
	for _, discard := range []bool{false, true} {
		p := openPage(t)
		p.answer(&answer{status: 413})
		p.append("k", "x")
		p.flush()
		p.sleep(time.Minute)
		records, _ := p.deadLetters()
		before := p.core.Counts()
		for i, err := range []error{outbox.ErrFull, outbox.ErrUnavailable, outbox.ErrFenced} {
			ticket := uint32(100 + i)
			p.disk.FailNext(err)
			p.post(outbox.DeadAsked{Ticket: ticket, Record: records[0], Discard: discard})
			require.Contains(t, p.refusals[ticket].Message, "nothing was changed", "%v", err)
			require.Equal(t, before, p.core.Counts(), "%v", err)
		}
		p.post(outbox.Led{On: true})
		p.post(outbox.DeadAsked{Ticket: 200, Record: records[0], Discard: discard})
		require.Contains(t, p.receipts, uint32(200))
	}
}
