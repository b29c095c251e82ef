package pages

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

type reconciled struct{ Checked, Missing, Resent int }

// L12.1: the next-day reconciliation by hand, done by itself. The service loses delivered notes, the newest and two from the middle;
// reconcile names them and sends them again, and afterwards every note is there once, with the bytes of the first time.
func TestL12_1_ReconcileSendsAgainWhatTheServiceLost(t *testing.T) {
	const n = 260 // more than two look-ups
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.page("page", conversations("lost", n), "").show().open(nil)
			page.do("archive", map[string]any{"ranges": [][2]int{{0, 130}, {130, 130}}, "wave": 50}, nil)
			page.flushed()
			before := r.raw()
			require.Len(t, before, n)
			require.Equal(t, reconciled{Checked: n}, page.reconcile(), "nothing is lost yet")

			ids := r.noteIDs()
			middle := []string{ids[70], ids[151]}
			require.NoError(t, r.sandbox.Faults(r.ctx, []map[string]any{
				{"kind": "lose-notes", "noteIds": middle}, {"kind": "lose-notes", "count": 3},
			}))
			require.Eventually(t, func() bool { return len(r.raw()) == n-5 }, eventually, tick, "the service lost five")
			require.Equal(t, reconciled{Checked: n, Missing: 5, Resent: 5}, page.reconcile())
			page.flushed()

			require.ElementsMatch(t, before, r.raw(), "every note once, with its bytes")
			s := page.status()
			require.Equal(t, []int{n, 0, 0, 0}, []int{s.Delivered, s.Pending, s.Parked, s.Dead})
			require.Equal(t, reconciled{Checked: n}, page.reconcile(), "nothing is missing any more")
			r.judged(page, n)
			r.keptLimits()
			r.calm()
		})
	}
}

func (p *tab) reconcile() (got reconciled) {
	p.rig.t.Helper()
	p.do("reconcile", nil, &got)
	return got
}

// judged holds what the sandbox stored against the lines that the page archived and the receipts it was given.
func (r *rig) judged(page *tab, n int) {
	r.t.Helper()
	var evidence judge.Evidence
	for _, line := range conversations("lost", n) {
		one, err := judge.ParseConversation(line)
		require.NoError(r.t, err)
		evidence.Input = append(evidence.Input, one)
	}
	evidence.Stored, evidence.Receipts = r.notes(), map[int]judge.Receipt{}
	for i, receipt := range page.Receipts() {
		evidence.Receipts[i] = judge.Receipt{NoteID: receipt.NoteID, Code: receipt.Code, Message: receipt.Message}
	}
	verdict := judge.Compare(evidence)
	require.True(r.t, verdict.OK(), "%+v", verdict)
	require.Equal(r.t, n, verdict.Delivered)
}
