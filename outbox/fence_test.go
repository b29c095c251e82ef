package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// lead claims the lease by force, as the holder of the Web Lock does, and tells the core.
func (r *rig) lead(owner string) {
	var token uint64
	now := r.now().UnixMilli()
	r.disk.Lead(outbox.Lease{Owner: owner, Now: now, Until: now + 150_000, Force: true}, func(fence uint64, err error) { token = fence })
	r.settle()
	r.post(outbox.Led{On: true, Fence: token})
}

// Invariant 8: one tab sends; a fencing token in the store stops a late holder. Page a is frozen with its request on the
// wire, page b takes over and ends the batch; when a wakes, nothing that it wants to write is written.
func TestInvariant8_ALateHolderWritesNothing(t *testing.T) {
	a := newRig(1)
	a.settle()
	a.lead("a")
	a.append(5, func() string { return "" })
	a.settle()
	a.post(outbox.FlushAsked{})
	a.sleep(300 * time.Millisecond)
	for len(a.keep.notes) == 0 { // until its request has arrived
		require.True(t, a.work())
	}

	b := newRig(2)
	b.true, b.keep, b.disk = a.true, a.keep, a.disk.Reopen()
	b.keep.r = b
	b.open()
	b.settle()
	b.lead("b")
	b.drain()
	require.Empty(t, b.failures)
	require.Equal(t, 5, b.core.Counts().Delivered)

	a.true = b.true
	a.settle() // its answer comes now
	require.True(t, a.dethroned, "the page is told")
	require.Contains(t, string(a.core.StatusJSON()), `"leader":false`)
	a.append(1, func() string { return "" }) // every tab appends, still
	a.post(outbox.FlushAsked{})
	a.settle()
	require.Equal(t, 5, len(a.keep.notes), "and does not send")

	b.post(outbox.Nudged{})
	b.settle()
	b.drain()
	require.Equal(t, 6, b.core.Counts().Delivered, "the other one does")
	delivered := 0
	b.disk.ReadLedger(0, 1<<60, outbox.LedgerPos{}, 1000, func(rows []outbox.LedgerRow, _ error) {
		for _, row := range rows {
			delivered += len(outbox.LedgerNotes(row))
		}
	})
	b.settle()
	require.Equal(t, 6, delivered, "one ledger row a note")
}

// A page that resigns in the middle of a seal (it goes to the back-forward cache) may not seal any more once another leads:
// the other one has looked at what is there, and would never know of the batch.
func TestInvariant8_AResignedPageFinishesNothingUnderAnothersLead(t *testing.T) {
	a := newRig(1)
	a.settle()
	a.lead("a")
	a.append(1, func() string { return "" }) // too little to be due by itself
	a.settle()
	a.true = a.true.Add(300 * time.Millisecond)
	a.post(outbox.FlushAsked{})
	for !a.sealing { // until it reads what it will seal
		require.Equal(t, 1, a.disk.Pump(1))
	}
	a.post(outbox.Led{}) // and resigns

	b := newRig(2)
	b.true, b.keep, b.disk = a.true, a.keep, a.disk.Reopen()
	b.keep.r = b
	b.open()
	b.settle()
	b.lead("b")
	b.settle()
	a.settle() // the seal would be written now
	b.post(outbox.FlushAsked{})
	b.drain()
	require.Empty(t, b.failures)
	require.Equal(t, 1, b.core.Counts().Delivered)
	require.Len(t, b.keep.notes, 1)
}

// The page asks to send a dead letter again just as it loses the lead; the next one is asked the same and does it. When the
// first one leads again its own wish is answered, not carried out: the note would be there twice, and the counts wrong.
func TestInvariant8_ADecisionThatWaitedForTheLeadIsNotCarriedOut(t *testing.T) {
	for _, discard := range []bool{false, true} {
		p := openPage(t)
		p.append("a", "1")
		p.flush()
		p.answer(&answer{status: 413})
		p.sleep(time.Second)
		records, _ := p.deadLetters()
		require.Len(t, records, 1)
		asked := outbox.DeadAsked{Ticket: 9, Record: records[0], Discard: discard}
		p.post(outbox.Led{})
		p.post(asked)
		require.Empty(t, p.refusals)

		first := p.core
		p.open() // the next page
		p.post(asked)
		require.Contains(t, p.receipts, uint32(9))
		delete(p.receipts, 9)
		p.sleep(10 * time.Minute)
		want := p.core.Counts()

		p.core = first
		p.disk.Load(func(l outbox.Loaded, err error) {
			require.NoError(t, err)
			p.step(outbox.Opened{Loaded: l, Seed: [16]byte{9}})
			p.step(outbox.Led{On: true})
		})
		p.sleep(10 * time.Minute)
		require.Empty(t, p.receipts[9].NoteID, "discard %v", discard)
		require.Equal(t, outbox.Internal, p.refusals[9].Code, "discard %v", discard)
		require.Equal(t, want, p.core.Counts(), "discard %v", discard)
	}
}

// What was just sealed goes as it is, without a look at the disk; after another lead it may be what another page made of it, and a second
// try reads it: nothing else keeps it.
func TestInvariant8_ASealedBatchIsReadBackUnderAnotherLead(t *testing.T) {
	for _, row := range []struct {
		what    string
		between func(p *page)
		atHand  []bool
	}{
		{"the same lead", func(*page) {}, []bool{true, false}},
		{"another lead of this page", func(p *page) {
			p.disk.Lead(outbox.Lease{Owner: "p", Now: p.now.UnixMilli(), Until: p.now.UnixMilli() + 150_000, Force: true}, func(fence uint64, err error) {
				p.step(outbox.Led{On: true, Fence: fence})
			})
			p.settle()
		}, []bool{false, false}},
	} {
		p := openPage(t, func(p *page) { p.hasToken = false })
		p.append("", "a")
		p.flush()
		p.sleep(time.Second)
		require.Empty(t, p.requests, "sealed, and waits for a token")
		row.between(p)
		p.hasToken, p.answers = true, []*answer{{status: 503}, truthful}
		p.post(outbox.TokenOffered{})
		p.sleep(10 * time.Minute)
		require.Equal(t, row.atHand, p.atHand, row.what)
		require.Equal(t, p.requests[0].body, p.requests[1].body, row.what)
	}
}

// L12.1: the archive has what was delivered, without its media, whether the batch went as it was sealed or was read again.
func TestL12_1_TheArchiveHasTheBatchThatWasSent(t *testing.T) {
	for _, row := range []struct {
		what    string
		media   []outbox.Media
		between func(p *page)
	}{
		{"as it was sealed", nil, func(*page) {}},
		{"with media", []outbox.Media{{Name: "memo", Type: "audio/mp4", Bytes: 3}}, func(*page) {}},
		{"read again", nil, (*page).restart},
	} {
		p := openPage(t, func(p *page) { p.hasToken, p.cfg.KeepDelivered = false, 48*time.Hour })
		draft := outbox.Draft{Ticket: 1, Kind: outbox.Note, Text: []byte(event("a", 1)), Media: row.media}
		for range row.media {
			draft.Blobs = append(draft.Blobs, "abc")
		}
		p.post(outbox.Appended{Drafts: []outbox.Draft{draft}})
		p.flush()
		p.sleep(time.Second)
		row.between(p)
		p.hasToken = true
		p.post(outbox.TokenOffered{})
		p.flush()
		p.sleep(time.Minute)
		require.Equal(t, 1, p.core.Counts().Delivered, row.what)
		at := p.requests[len(p.requests)-1].at.UnixMilli()
		var kept outbox.BatchRecord
		p.disk.ReadArchive([]outbox.LedgerPos{{At: at, N: 1}}, func(r []outbox.BatchRecord, err error) { kept = r[0] })
		p.settle()
		b, err := outbox.DecodeBatch(kept)
		require.NoError(t, err, row.what)
		require.Len(t, b.Entries, 1, row.what)
		require.Empty(t, b.Entries[0].Media, row.what)
		require.Contains(t, p.keep[b.Entries[0].NoteID], string(b.Entries[0].Raw), row.what)
	}
}

// The same where the service takes a note and its media in one request: what was sealed has the media, and the archive may not.
func TestL12_1_TheArchiveHasNoMediaOfABatchThatWentAsItWasSealed(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.KeepDelivered, p.cfg.Plan, p.holding = 48*time.Hour, nil, true })
	p.post(outbox.Appended{Drafts: []outbox.Draft{{Ticket: 1, Kind: outbox.Note, Text: []byte(event("a", 1)),
		Media: []outbox.Media{{Name: "memo", Type: "audio/mp4", Bytes: 3}}, Blobs: []any{"abc"}}}})
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []bool{true}, p.atHand)
	require.NotEmpty(t, p.last.Entries[0].Media)
	p.post(outbox.Replied{Batch: p.last, Outcome: outbox.Outcome{Status: 200, Verdicts: make([]outbox.Verdict, 1), Hint: retry.NoHint()}})
	require.Equal(t, 1, p.core.Counts().Delivered)
	p.disk.ReadArchive([]outbox.LedgerPos{{At: p.now.UnixMilli(), N: 1}}, func(r []outbox.BatchRecord, err error) {
		b, err := outbox.DecodeBatch(r[0])
		require.NoError(t, err)
		require.Empty(t, b.Entries[0].Media)
	})
	p.settle()
}
