package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// handVoiced gives the outbox an event with a voice memo that the page's inbox kept.
func (p *page) handVoiced(key, mark, memo string) uint32 {
	p.ticket++
	p.post(outbox.Appended{Drafts: []outbox.Draft{voicedRow(p.ticket, key, mark, memo, p.now)}})
	return p.ticket
}

func voicedRow(ticket uint32, key, mark, memo string, at time.Time) outbox.Draft {
	return outbox.Draft{Ticket: ticket, Kind: outbox.Note, Key: key, Text: []byte(event("listen", 1)), Inbox: &outbox.Inbox{Mark: mark, Version: 1, At: at},
		Media: []outbox.Media{{Name: "memo.m4a", Type: "audio/mp4", Bytes: int64(len(memo)), Sum: strings.Repeat("ab", 32)}}, Blobs: []any{memo}}
}

// heal opens the database again under a core that lives on, as after a lost connection.
func (p *page) heal() {
	p.disk.Load(func(l outbox.Loaded, err error) {
		require.NoError(p.t, err)
		p.step(outbox.Opened{Loaded: l, Seed: [16]byte{p.opens}})
		p.step(outbox.Led{On: true})
	})
	p.settle()
}

// What the inbox kept with a voice memo is one note with one memo, wherever the page dies before the row goes there.
func TestL9_2_AnInboxRowBringsItsMediaOnce(t *testing.T) {
	for _, key := range []string{"s-1", "order-7"} {
		p := openPage(t)
		for range 3 {
			require.Equal(t, key, p.receipts[p.handVoiced(key, "s-1", "memo")].NoteID)
			p.restart()
		}
		require.Len(t, p.disk.MediaIDs(), 1)
		p.sleep(10 * time.Minute)
		p.handVoiced(key, "s-1", "memo")
		p.sleep(10 * time.Minute)
		require.Equal(t, []string{"memo"}, p.uploads)
		require.Equal(t, []string{key}, p.stored())
		require.Empty(t, p.disk.MediaIDs())
	}
}

// The same row from two tabs in one transaction: the entry that gives way takes its own blob along, not the other's.
func TestL9_2_AnInboxRowTwiceInOneBurstKeepsItsMedia(t *testing.T) {
	p := openPage(t)
	p.post(outbox.Appended{Drafts: []outbox.Draft{voicedRow(1, "order-7", "s-1", "memo", p.now), voicedRow(2, "order-7", "s-1", "memo", p.now)}})
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"memo"}, p.uploads)
	require.Equal(t, []string{"order-7"}, p.stored())
	require.Empty(t, p.disk.MediaIDs())
}

// An append in doubt is stored with its media or not at all, and the page is told which.
func TestInvariant1_AnAppendInDoubtHasItsMediaOrNothing(t *testing.T) {
	for _, stored := range []bool{true, false} {
		p := openPage(t)
		p.disk.DoubtNext(stored)
		ticket := p.voiced("v", "listen", "first", "second")
		require.NotContains(t, p.receipts, ticket, "not known yet")
		require.NotContains(t, p.refusals, ticket, "not known yet")
		p.heal()
		require.Equal(t, stored, p.receipts[ticket].NoteID == "v")
		require.Equal(t, stored, p.refusals[ticket].Code == "")
		require.Equal(t, stored, len(p.disk.MediaIDs()) == 2)
		p.sleep(10 * time.Minute)
		require.Equal(t, stored, len(p.uploads) == 2)
		require.Equal(t, stored, len(p.stored()) == 1)
		require.Empty(t, p.disk.MediaIDs())
	}
}

// A page that cannot hash takes no two memos for one: each change is a version of its own.
func TestL9_3_MediaWithoutAHashAreNeverTheSame(t *testing.T) {
	p := openPage(t)
	for _, memo := range []string{"aaaa", "bbbb"} {
		p.ticket++
		d := outbox.Draft{Ticket: p.ticket, Kind: outbox.Note, Key: "v", Text: []byte(event("listen", 1)),
			Media: []outbox.Media{{Name: "memo.m4a", Type: "audio/mp4", Bytes: 4}}, Blobs: []any{memo}}
		p.post(outbox.Appended{Drafts: []outbox.Draft{d}})
		p.sleep(10 * time.Minute)
	}
	require.Equal(t, []string{"aaaa", "bbbb"}, p.uploads)
	require.Equal(t, []string{"v", "v.v2"}, p.stored())
}
