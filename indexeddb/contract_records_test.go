package indexeddb

import (
	"math"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The sentences of outbox.Store that speak of batches, dead letters, keys, ledger and state.

func TestContract_ANewDeviceHoldsNothing(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{}, loaded)
		require.Empty(t, b.scan(0, 10))
		require.Empty(t, b.segments(0, math.MaxUint64))
		require.Empty(t, b.keys("k"))
		require.Empty(t, b.ledger(0, math.MaxInt32, outbox.LedgerPos{}, 10))
		require.Equal(t, []outbox.BatchRecord{{}}, b.archive(outbox.LedgerPos{At: 1, N: 1}))
		dead, err := answered(b, b.s.ReadDead)
		require.NoError(t, err)
		require.Empty(t, dead)
	})
}

func TestContract_LoadGivesStateAndHeadsAscending(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{
			State:      []byte("core"),
			PutBatches: []outbox.BatchRecord{{ID: 10, Head: []byte("h10"), Body: []byte("b")}, {ID: 9, Head: []byte("h9"), Body: []byte("b")}},
			PutDead:    []outbox.DeadRecord{{ID: "9.1", Head: []byte("d91"), Body: []byte("b")}, {ID: "12.0", Head: []byte("d120"), Body: []byte("b")}},
		})
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{
			State:   []byte("core"),
			Batches: []outbox.BatchRecord{{ID: 9, Head: []byte("h9")}, {ID: 10, Head: []byte("h10")}},
			Dead:    []outbox.DeadRecord{{ID: "12.0", Head: []byte("d120")}, {ID: "9.1", Head: []byte("d91")}}, // as text
		}, loaded)
	})
}

func TestContract_ANilStateStaysAnEmptyOneReplaces(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		for _, row := range []struct{ put, want []byte }{
			{nil, nil},
			{[]byte("one"), []byte("one")},
			{nil, []byte("one")},
			{[]byte{}, []byte{}},
			{[]byte("two"), []byte("two")},
		} {
			b.stored(outbox.Change{State: row.put})
			loaded, err := b.load()
			require.NoError(t, err)
			require.Equal(t, row.want, loaded.State)
		}
	})
}

func TestContract_ABatchIsReadWholeOrNotFound(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		batch := outbox.BatchRecord{ID: 1 << 40, Head: []byte("head"), Body: []byte("body")}
		read := func(id uint64) (outbox.BatchRecord, error) {
			return answered(b, func(done func(outbox.BatchRecord, error)) { b.s.ReadBatch(id, done) })
		}
		b.stored(outbox.Change{PutBatches: []outbox.BatchRecord{batch, {ID: 2}}})
		got, err := read(batch.ID)
		require.NoError(t, err)
		require.Equal(t, batch, got)
		_, err = read(3)
		require.ErrorIs(t, err, outbox.ErrNotFound)

		b.stored(outbox.Change{DropBatches: []uint64{batch.ID, 99}})
		_, err = read(batch.ID)
		require.ErrorIs(t, err, outbox.ErrNotFound)
		_, err = read(2)
		require.NoError(t, err)
	})
}

func TestContract_DeadLettersComeAndGoByID(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{PutDead: []outbox.DeadRecord{{ID: "2.0", Head: []byte("h"), Body: []byte("note")}, {ID: "1.0"}, {ID: "3.0"}}})
		b.stored(outbox.Change{DropDead: []string{"1.0", "unknown"}})
		b.stored(outbox.Change{DropDead: []string{"3.0"}, PutDead: []outbox.DeadRecord{{ID: "3.0", Head: []byte("new")}}})
		dead, err := answered(b, b.s.ReadDead)
		require.NoError(t, err)
		require.Equal(t, []outbox.DeadRecord{{ID: "2.0", Head: []byte("h"), Body: []byte("note")}, {ID: "3.0", Head: []byte("new")}}, dead)
	})
}

func TestContract_UnknownKeysAreLeftOut(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		old := outbox.KeyRow{Key: "talk-1", Version: 1, ChangedAt: 1_700_000_000_000, Hash: "00112233445566ff"}
		now := outbox.KeyRow{Key: "talk-1", Version: 2, ChangedAt: 1_700_000_000_001, Hash: "fedcba9876543210"}
		thai := outbox.KeyRow{Key: "การสนทนา 💬", Version: 3, ChangedAt: 5}
		b.stored(outbox.Change{Keys: []outbox.KeyRow{old, thai}})
		b.stored(outbox.Change{Keys: []outbox.KeyRow{now}})
		require.Equal(t, []outbox.KeyRow{thai, now}, b.keys("never", thai.Key, "talk-1", "talk"))
		require.Empty(t, b.keys("never"))
		require.Empty(t, b.keys())
	})
}

func TestContract_LedgerIsReadByTimeAndPosition(t *testing.T) {
	for _, row := range []struct {
		name     string
		from, to int64
		after    outbox.LedgerPos
		limit    int
		want     []outbox.LedgerPos
	}{
		{"all, ascending", 0, 100, at(0, 0), 99, []outbox.LedgerPos{at(10, 1), at(10, 2), at(20, 3), at(30, 4)}},
		{"from is in, to is out", 10, 30, at(0, 0), 99, []outbox.LedgerPos{at(10, 1), at(10, 2), at(20, 3)}},
		{"limit", 0, 100, at(0, 0), 2, []outbox.LedgerPos{at(10, 1), at(10, 2)}},
		{"after the page's last row", 0, 100, at(10, 2), 2, []outbox.LedgerPos{at(20, 3), at(30, 4)}},
		{"after, within one moment", 0, 100, at(10, 1), 1, []outbox.LedgerPos{at(10, 2)}},
		{"after lies before from", 20, 100, at(10, 1), 99, []outbox.LedgerPos{at(20, 3), at(30, 4)}},
		{"after lies at the end", 0, 30, at(30, 4), 99, nil},
		{"empty span", 20, 20, at(0, 0), 99, nil},
		{"inverted span", 30, 10, at(0, 0), 99, nil},
		{"limit 0", 0, 100, at(0, 0), 0, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				b.stored(outbox.Change{Ledger: []outbox.LedgerRow{attempt(30, 4), attempt(10, 2), attempt(20, 3), attempt(10, 1)}})
				require.Equal(t, row.want, positions(b.ledger(row.from, row.to, row.after, row.limit)))
			})
		})
	}
}

// L9.5: raw rows are kept for 30 days.
func TestL9_5_LedgerRowsBeforeACutoffGo(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{Ledger: []outbox.LedgerRow{attempt(10, 1), attempt(20, 2), attempt(20, 3), attempt(30, 4)}})
		b.stored(outbox.Change{LedgerBefore: 20, Ledger: []outbox.LedgerRow{attempt(5, 9)}}) // deletes are done before puts
		require.Equal(t, []outbox.LedgerPos{{At: 5, N: 9}, {At: 20, N: 2}, {At: 20, N: 3}, {At: 30, N: 4}},
			positions(b.ledger(0, 100, outbox.LedgerPos{}, 99)))
	})
}

func TestContract_ALedgerRowIsNeverOverwrittenAndTheWholeChangeFails(t *testing.T) {
	for _, clash := range []struct {
		name string
		rows []outbox.LedgerRow
	}{
		{"with a stored row", []outbox.LedgerRow{attempt(50, 2), {LedgerPos: outbox.LedgerPos{At: 10, N: 1}, Text: []byte("other")}}},
		{"within the change", []outbox.LedgerRow{attempt(50, 2), attempt(50, 2)}},
	} {
		t.Run(clash.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				seqs := b.stored(outbox.Change{
					Append: open("ab"), State: []byte("before"), Ledger: []outbox.LedgerRow{attempt(10, 1)},
					PutBatches: []outbox.BatchRecord{{ID: 1}}, Keys: []outbox.KeyRow{{Key: "k", Version: 1}},
					PutDead: []outbox.DeadRecord{{ID: "1.0"}},
				})
				got, err := b.commit(outbox.Change{
					Append: open("c"), DropFrom: seqs[0], DropTo: seqs[1], State: []byte("after"),
					PutOpen:    []outbox.Segment{{Seq: seqs[0], Head: []byte("head z")}},
					PutBatches: []outbox.BatchRecord{{ID: 2}}, DropBatches: []uint64{1},
					PutDead: []outbox.DeadRecord{{ID: "2.0"}}, DropDead: []string{"1.0"},
					Keys: []outbox.KeyRow{{Key: "k", Version: 2}}, Ledger: clash.rows,
				})
				require.ErrorIs(t, err, outbox.ErrUnavailable)
				require.ErrorContains(t, err, "commit change: storage unavailable: ConstraintError")
				require.Nil(t, got)
				require.False(t, Unknown(err))

				require.Equal(t, "ab", letters(b.segments(0, math.MaxUint64)))
				loaded, err := b.load()
				require.NoError(t, err)
				require.Equal(t, "before", string(loaded.State))
				require.Equal(t, []outbox.BatchRecord{{ID: 1}}, loaded.Batches)
				require.Equal(t, []outbox.DeadRecord{{ID: "1.0"}}, loaded.Dead)
				require.Equal(t, 1, b.keys("k")[0].Version)
				require.Equal(t, []outbox.LedgerRow{attempt(10, 1)}, b.ledger(0, 100, outbox.LedgerPos{}, 99))
			})
		})
	}
}

func TestContract_PurgeLeavesOneLedgerRowAndTheState(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		seqs := b.stored(outbox.Change{
			Append: open("abc"), State: []byte("before"), Ledger: []outbox.LedgerRow{attempt(10, 1)},
			PutBatches: []outbox.BatchRecord{{ID: 1}}, Keys: []outbox.KeyRow{{Key: "k"}}, PutDead: []outbox.DeadRecord{{ID: "1.0"}},
		})
		var err error
		b.wait(1, func(ok func()) { b.s.Purge(attempt(10, 1), []byte("after"), func(e error) { err = e; ok() }) })
		require.NoError(t, err)
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{State: []byte("after")}, loaded)
		require.Empty(t, b.segments(0, math.MaxUint64))
		require.Empty(t, b.keys("k"))
		require.Equal(t, []outbox.LedgerRow{attempt(10, 1)}, b.ledger(0, 100, outbox.LedgerPos{}, 99))
		require.Greater(t, b.stored(outbox.Change{Append: open("d")})[0], seqs[2], "a Seq came back after purge")

		b.wait(1, func(ok func()) { b.s.Purge(attempt(20, 1), nil, func(e error) { err = e; ok() }) })
		require.NoError(t, err)
		loaded, err = b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{}, loaded)
	})
}

func TestContract_AfterCloseEverythingAnswersErrClosed(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.s.Close()
		b.s.Close() // a second one does nothing
		for name, call := range map[string]func(done func(error)){
			"Load":         func(done func(error)) { b.s.Load(func(_ outbox.Loaded, err error) { done(err) }) },
			"Scan":         func(done func(error)) { b.s.Scan(0, 9, func(_ []outbox.Segment, err error) { done(err) }) },
			"Scan 0":       func(done func(error)) { b.s.Scan(0, 0, func(_ []outbox.Segment, err error) { done(err) }) },
			"ReadSegments": func(done func(error)) { b.s.ReadSegments(1, 2, func(_ []outbox.Segment, err error) { done(err) }) },
			"ReadBatch":    func(done func(error)) { b.s.ReadBatch(1, func(_ outbox.BatchRecord, err error) { done(err) }) },
			"ReadKeys":     func(done func(error)) { b.s.ReadKeys([]string{"k"}, func(_ []outbox.KeyRow, err error) { done(err) }) },
			"ReadLedger": func(done func(error)) {
				b.s.ReadLedger(0, 9, outbox.LedgerPos{}, 9, func(_ []outbox.LedgerRow, err error) { done(err) })
			},
			"ReadDead": func(done func(error)) { b.s.ReadDead(func(_ []outbox.DeadRecord, err error) { done(err) }) },
			"ReadArchive": func(done func(error)) {
				b.s.ReadArchive([]outbox.LedgerPos{{At: 1, N: 1}}, func(_ []outbox.BatchRecord, err error) { done(err) })
			},
			"ReadArchive of none": func(done func(error)) { b.s.ReadArchive(nil, func(_ []outbox.BatchRecord, err error) { done(err) }) },
			"Commit":              func(done func(error)) { b.s.Commit(outbox.Change{}, func(_ []uint64, err error) { done(err) }) },
			"Lead":                func(done func(error)) { b.s.Lead(outbox.Lease{}, func(_ uint64, err error) { done(err) }) },
			"Purge":               func(done func(error)) { b.s.Purge(attempt(1, 1), nil, done) },
		} {
			var got error
			b.wait(1, func(ok func()) { call(func(err error) { got = err; ok() }) })
			require.ErrorIs(t, got, outbox.ErrClosed, name)
			require.False(t, Unknown(got), name)
		}
	})
}

func TestContract_OperationsUnderWayAtCloseAnswerErrClosedOnce(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		var commit, load error
		b.wait(2, func(ok func()) {
			b.s.Commit(outbox.Change{Append: open("a")}, func(seqs []uint64, err error) {
				require.Nil(t, seqs)
				commit = err
				ok()
			})
			b.s.Load(func(_ outbox.Loaded, err error) { load = err; ok() })
			b.s.Close()
		})
		require.ErrorIs(t, commit, outbox.ErrClosed)
		require.True(t, Unknown(commit), "it may have reached the disk")
		require.ErrorIs(t, load, outbox.ErrClosed)
		require.False(t, Unknown(load))
	})
}
