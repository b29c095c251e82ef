package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
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
