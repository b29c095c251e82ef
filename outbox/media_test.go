package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// voiced appends an event with one voice memo a text in memos, and returns its ticket.
func (p *page) voiced(key, text string, memos ...string) uint32 {
	p.ticket++
	d := outbox.Draft{Ticket: p.ticket, Kind: outbox.Note, Key: key, Text: []byte(event(text, 1))}
	for _, m := range memos {
		d.Media = append(d.Media, outbox.Media{Name: "memo.m4a", Type: "audio/mp4", Bytes: int64(len(m)), Sum: strings.Repeat("ab", 32)})
		d.Blobs = append(d.Blobs, m)
	}
	p.post(outbox.Appended{Drafts: []outbox.Draft{d}})
	return p.ticket
}

// LINE guide §2: media have a bucket of their own. They are uploaded before the note that names them, and their blobs go
// with the settlement of their note; other notes travel together as ever.
func TestL2_2_MediaGoBeforeTheirNote(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.voiced("v", "listen", "first", "second")
	p.append("b", "2")
	require.Len(t, p.disk.MediaIDs(), 2)
	p.flush()
	p.sleep(time.Second)
	ids := []string{}
	for _, q := range p.requests {
		ids = append(ids, strings.Join(q.ids, " "))
	}
	require.Len(t, ids, 5)
	require.Equal(t, "a", ids[0])
	require.Regexp(t, `^upload v-[0-9a-z]{20}-[0-9a-z]+\.1$`, ids[1])
	require.Regexp(t, `^upload v-[0-9a-z]{20}-[0-9a-z]+\.2$`, ids[2])
	require.Equal(t, []string{"v", "b"}, ids[3:])
	require.Equal(t, []string{"first", "second"}, p.uploads)
	id := strings.TrimPrefix(ids[1], "upload ")
	require.True(t, strings.HasPrefix(p.keep["v"], `{"noteId":"v","media":[{"mediaId":"`+id+`","name":"memo.m4a","type":"audio/mp4","bytes":5,"sha256":"`), p.keep["v"])
	require.Empty(t, p.disk.MediaIDs())
	require.Equal(t, 3, p.status().Delivered)
}

// A failed upload holds back its own note only: the media bucket is locked, and the notes go on, those that come later too.
func TestL2_2_ALockedMediaBucketHoldsBackOnlyMedia(t *testing.T) {
	p := openPage(t)
	p.voiced("v", "listen", "memo")
	p.append("a", "1")
	p.flush()
	p.answer(throttled("60"))
	p.sleep(time.Second)
	p.append("b", "2")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"a", "b"}, p.stored())
	s := p.status()
	require.Equal(t, 1, s.Pending)
	require.Equal(t, "pause", s.WaitsFor)
	p.restart() // its lock is durable
	p.sleep(50 * time.Second)
	require.Equal(t, []string{"a", "b"}, p.stored())
	p.sleep(20 * time.Second)
	require.Equal(t, []string{"a", "b", "v"}, p.stored())
	require.Equal(t, []string{"memo", "memo"}, p.uploads, "the same bytes again, over a restart")
}

// What an answer has done is durable: a page that dies between upload and note does not upload again.
func TestL9_2_AStepThatIsDoneStaysDone(t *testing.T) {
	p := openPage(t)
	p.voiced("v", "listen", "first", "second")
	p.flush()
	p.answer(truthful, &answer{status: 500})
	p.sleep(time.Second)
	p.restart()
	p.sleep(time.Minute)
	require.Equal(t, []string{"first", "second", "second"}, p.uploads)
	require.Equal(t, []string{"v"}, p.stored())
	var notes []string
	for _, r := range p.ledger() {
		notes = append(notes, r.Note)
	}
	require.Equal(t, []string{"step 1 of 3", "", "step 2 of 3", ""}, notes)
}

// Sizes above the service's limit are refused at append, before anything is on disk (L14.5); media count in the queue.
func TestL14_5_MediaThatDoNotFitAreRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		set   setting
		memos []string
		code  outbox.Code
	}{
		{"one as large as may be", nil, []string{strings.Repeat("x", 8_000_000)}, ""},
		{"one byte more", nil, []string{strings.Repeat("x", 8_000_001)}, outbox.TooLarge},
		{"an empty one", nil, []string{""}, outbox.InvalidEvent},
		{"two that are too much together", func(p *page) { p.cfg.Limits.MediaTotal = 9 }, []string{"12345", "12345"}, outbox.TooLarge},
		{"a service that takes none", func(p *page) { p.cfg.Limits.MediaBytes = 0 }, []string{"x"}, outbox.InvalidEvent},
		{"a queue that is full with it", func(p *page) { p.cfg.MaxQueueBytes = 1000 }, []string{strings.Repeat("x", 1000)}, outbox.StorageFull},
	} {
		p := openPage(t)
		if row.set != nil {
			p = openPage(t, row.set)
		}
		ticket := p.voiced("", "listen", row.memos...)
		require.Equal(t, row.code, p.refusals[ticket].Code, row.name)
		require.Equal(t, row.code == "", len(p.disk.MediaIDs()) == 1, row.name)
	}
	p := openPage(t, func(p *page) { p.cfg.MaxQueueBytes = 1000 })
	p.voiced("", "listen", strings.Repeat("x", 700))
	p.restart()
	require.Equal(t, outbox.StorageFull, p.refusals[p.voiced("", "listen", strings.Repeat("x", 700))].Code, "also of what is on disk")
}

// A change within the debounce replaces the media too, and leaves nothing behind; the same event again is no change.
func TestL9_3_AReplacedEventTakesItsMediaAlong(t *testing.T) {
	p := openPage(t)
	p.voiced("v", "listen", "old")
	p.voiced("v", "listen", "news")
	p.voiced("v", "listen", "news")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"news"}, p.uploads)
	require.Equal(t, []string{"v"}, p.stored())
	require.Empty(t, p.disk.MediaIDs())
}

// A dead letter keeps its media: retried it goes whole, discarded it leaves nothing.
func TestL14_5_ADeadLetterKeepsItsMedia(t *testing.T) {
	for _, discard := range []bool{false, true} {
		p := openPage(t)
		p.voiced("v", "listen", "memo")
		p.flush()
		p.answer(&answer{status: 413})
		p.sleep(time.Second)
		records, dead := p.deadLetters()
		require.Equal(t, []string{"TOO_LARGE v"}, dead)
		require.Len(t, p.disk.MediaIDs(), 1)
		p.restart()
		p.post(outbox.DeadAsked{Ticket: 99, Record: records[0], Discard: discard})
		p.sleep(10 * time.Minute)
		require.Empty(t, p.disk.MediaIDs())
		require.Equal(t, !discard, p.keep["v"] != "")
	}
}

// What a service has no call for is refused with its reason.
func TestL7_1_HideAndReconcileAreRefusedWhereTheServiceCannot(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.Cannot = func(what string) string { return "no " + what + " here" } })
	p.hide("n")
	require.Equal(t, outbox.Refusal{Code: outbox.InvalidEvent, Message: "no hide here"}, p.refusals[p.ticket])
	p.post(outbox.ReconcileAsked{Ticket: 99})
	require.Equal(t, outbox.Refusal{Code: outbox.InvalidEvent, Message: "no reconcile here"}, p.refusals[99])
}
