package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// LINE guide §12.1: "iOS background kills lost 2.1 % of the tails; made up by next-day reconciliation by hand". Here the
// ledger asks the service for what was delivered, and what it lacks goes again: same noteId, same bytes.
func TestL12_1_ReconcileSendsAgainWhatTheServiceLost(t *testing.T) {
	r := newRig(1)
	r.settle()
	r.append(20, func() string { return "" })
	r.settle()
	r.post(outbox.FlushAsked{})
	r.heal()
	r.drain()
	require.Equal(t, 20, r.core.Counts().Delivered)

	before := map[string]string{}
	lost := 0
	for id, n := range r.keep.notes {
		before[id] = string(n.raw)
		if lost < 7 {
			delete(r.keep.notes, id)
			lost++
		}
	}
	r.reconcile()
	require.JSONEq(t, `{"checked":20,"missing":7,"resent":7}`, r.answer)
	n := r.core.Counts()
	require.Equal(t, 20, n.Delivered+n.Pending, "they are pending again, none twice")
	r.drain()
	require.Empty(t, r.failures)
	require.Len(t, r.keep.notes, 20)
	for id, raw := range before {
		require.Equal(t, raw, string(r.keep.notes[id].raw))
	}

	r.reconcile()
	require.JSONEq(t, `{"checked":20,"missing":0,"resent":0}`, r.answer)
}

// What is older than the archive can be named, but not sent again.
func TestL12_1_BytesAreKeptForTwoDays(t *testing.T) {
	r := newRig(2)
	for day := range 70 { // the archive is thinned in every 64th row
		r.append(1, func() string { return "" })
		r.drain()
		r.sleep(time.Hour)
		_ = day
	}
	for id := range r.keep.notes {
		delete(r.keep.notes, id)
	}
	r.reconcile()
	require.Contains(t, r.answer, `"checked":70,"missing":70`)
	n := r.core.Counts()
	require.Less(t, n.Pending, 50, "an event takes an hour and a flush interval: older ones are out of the archive")
	require.GreaterOrEqual(t, n.Pending, 44, "all of the last 48 hours are in it")
}

// A refused look-up is a typed answer, and the queue goes on.
func TestL12_1_ALookUpThatFailsChangesNothing(t *testing.T) {
	for _, row := range []struct {
		status int
		code   outbox.Code
	}{{401, outbox.AuthRequired}, {403, outbox.ScopeRequired}, {429, outbox.Internal}, {500, outbox.Internal}} {
		r := newRig(3)
		r.append(3, func() string { return "" })
		r.drain()
		r.lookStatus = row.status
		r.reconcile()
		require.Equal(t, row.code, r.refusal.Code)
		require.Equal(t, 3, r.core.Counts().Delivered)
		r.lookStatus = 0
		r.append(1, func() string { return "" })
		r.heal()
		r.drain()
		require.Equal(t, 4, r.core.Counts().Delivered)
	}
}

// What was found missing and cannot be written back is a typed answer too, and the next call mends it.
func TestL12_1_AReconciliationThatTheDiskRefusesIsAnswered(t *testing.T) {
	r := newRig(3)
	r.append(3, func() string { return "" })
	r.drain()
	clear(r.keep.notes)
	r.disk.FailNext(outbox.ErrFull)
	r.reconcile()
	require.Equal(t, outbox.StorageFull, r.refusal.Code)
	require.Contains(t, r.refusal.Message, "nothing was changed")
	r.sleep(10 * time.Second)
	r.reconcile()
	require.JSONEq(t, `{"checked":3,"missing":3,"resent":3}`, r.answer)
	r.drain()
	require.Len(t, r.keep.notes, 3)
}

// reconcile asks for everything the ledger has, as the bridge does.
func (r *rig) reconcile() {
	var notes []outbox.LedgerNote
	last := map[string]int{}
	r.disk.ReadLedger(0, 1<<60, outbox.LedgerPos{}, 1<<30, func(rows []outbox.LedgerRow, _ error) {
		for _, row := range rows {
			for _, n := range outbox.LedgerNotes(row) {
				if i, ok := last[n.NoteID]; ok {
					notes[i] = n
					continue
				}
				last[n.NoteID] = len(notes)
				notes = append(notes, n)
			}
		}
	})
	r.settle()
	r.ticket++
	r.drafts[r.ticket] = &draft{hide: true}
	r.answer = ""
	r.post(outbox.ReconcileAsked{Ticket: r.ticket, Notes: notes})
	r.settle()
}

// look is the service's answer to a look-up.
func (k *keep) look(ids []string) outbox.Reply {
	reply := outbox.Reply{Status: 200, Header: func(string) string { return "" }}
	if k.r.lookStatus != 0 {
		reply.Status = k.r.lookStatus
		return reply
	}
	var out []string
	for _, id := range ids {
		state := "absent"
		if n := k.notes[id]; n != nil {
			state = "stored"
		}
		out = append(out, `{"noteId":"`+id+`","state":"`+state+`"}`)
	}
	reply.Body = []byte(`{"notes":[` + strings.Join(out, ",") + `]}`)
	return reply
}
