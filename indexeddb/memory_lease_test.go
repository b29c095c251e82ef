package indexeddb

import (
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// What Memory adds to the contract of the lease: kills, copies and faults at the moment that a test chooses.

func TestMemoryAPageKilledWhileItAsksForTheLease(t *testing.T) {
	for _, row := range []struct {
		name    string
		reached bool
		at99    uint64 // what the next page gets while the killed one's lease would run
		at100   uint64 // and when it has ended
	}{
		{"it had reached the disk: it stays until it ends", true, 0, 2},
		{"it had not: nobody has it", false, 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := NewMemory()
			m.Lead(outbox.Lease{Owner: "killed", Until: 100}, func(uint64, error) { require.Fail(t, "a killed page was answered") })
			reached := func(int) bool { return row.reached }
			for _, next := range []*Memory{m.Clone(reached), nil} {
				if next == nil {
					require.Equal(t, row.reached, m.Kill(reached) == 1)
					next = m.Reopen()
				}
				b := memoryRig(t, next)
				require.Equal(t, row.at99, b.lead(outbox.Lease{Owner: "next", Now: 99, Until: 199}))
				require.Equal(t, row.at100, b.lead(outbox.Lease{Owner: "next", Now: 100, Until: 200}))
			}
		})
	}
}

// The order is the worst one: our commit was called first and runs last.
func TestMemoryTheLeaseMovesBehindAQueuedCommit(t *testing.T) {
	m := NewMemory()
	tab := memoryRig(t, m.Reopen())
	require.Equal(t, uint64(1), memoryRig(t, m).lead(outbox.Lease{Owner: "a", Until: 100}))
	var answers []error
	m.Commit(outbox.Change{Fence: 1, Append: open("a")}, func(_ []uint64, err error) { answers = append(answers, err) })
	require.Equal(t, uint64(2), tab.lead(outbox.Lease{Owner: "b", Now: 100, Until: 200}))
	require.Equal(t, 1, m.PumpAll())
	require.Len(t, answers, 1)
	require.ErrorIs(t, answers[0], outbox.ErrFenced)
	require.Empty(t, tab.scan(0, 99))
}

// A fenced write that was under way at the kill is no hole: what comes after it may still have reached the disk.
func TestMemoryKillPassesAFencedWrite(t *testing.T) {
	m := NewMemory()
	m.Commit(outbox.Change{Fence: 7, Append: open("a")}, func([]uint64, error) {})
	m.Commit(outbox.Change{Append: open("b")}, func([]uint64, error) {})
	require.Equal(t, 2, m.Kill(func(int) bool { return true }))
	require.Equal(t, "b", letters(memoryRig(t, m.Reopen()).scan(0, 99)))
}

func TestMemoryFaultsOfLeadsAndOfOtherWritesAreApart(t *testing.T) {
	m := NewMemory()
	b := memoryRig(t, m)
	ask := func() (uint64, error) {
		return answered(b, func(done func(uint64, error)) { m.Lead(outbox.Lease{Owner: "a", Until: 100}, done) })
	}
	m.FailNext(outbox.ErrFull)
	m.FailLead(nil, outbox.ErrUnavailable)
	for i, want := range []error{nil, outbox.ErrUnavailable, nil} {
		fence, err := ask()
		require.ErrorIs(t, err, want, i)
		require.Equal(t, want == nil, fence == 1, i)
	}
	_, err := b.commit(outbox.Change{Append: open("a")})
	require.ErrorIs(t, err, outbox.ErrFull)
	b.stored(outbox.Change{Append: open("b")})

	m.Lead(outbox.Lease{Owner: "a", Until: 100}, func(uint64, error) {})
	require.Zero(t, m.PendingWrites(), "a Lead is no Commit and no Purge")
}

// The browser's damaged records are in store_lease_test.go; this is the rule behind them.
func TestADamagedLeaseIsGrantedAboveEveryTokenThatWasGiven(t *testing.T) {
	for _, row := range []struct {
		name              string
		saved, known, now uint64
		want              uint64
	}{
		{"nothing is known", 0, 0, 0, 1},
		{"the clock is above any count", 0, 0, 1_795_600_000_000, 1_795_600_000_001},
		{"the page was given more, under a clock that was ahead", 0, 1_900_000_000_001, 1_795_600_000_000, 1_900_000_000_002},
		{"the record says more", 1_900_000_000_005, 1_900_000_000_001, 1_795_600_000_000, 1_900_000_000_006},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := NewMemory()
			b := memoryRig(t, m)
			m.disk.lease = lease{fence: row.saved, damaged: true}
			_, err := b.commit(outbox.Change{Fence: max(1, row.saved), Append: open("a")})
			require.ErrorIs(t, err, outbox.ErrDamaged, "until it is made anew nobody writes under it")
			b.stored(outbox.Change{Append: open("b")})
			now := int64(row.now)
			require.Equal(t, row.want, b.lead(outbox.Lease{Owner: "a", Now: now, Until: now + 100, Known: row.known}))
			require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: now + 99, Until: now + 199}))
			b.stored(outbox.Change{Fence: row.want, Append: open("c")})
			require.Equal(t, "bc", letters(b.scan(0, 9)))
		})
	}
}
