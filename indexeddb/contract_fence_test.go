package indexeddb

import (
	"math"
	"reflect"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The sentence of outbox.Change that speaks of Fence: nothing is written unless it is the token of the last Lead.

// contents is all that a store shows.
type contents struct {
	loaded   outbox.Loaded
	segments []outbox.Segment
	batch    outbox.BatchRecord
	dead     []outbox.DeadRecord
	keys     []outbox.KeyRow
	ledger   []outbox.LedgerRow
	archive  []outbox.BatchRecord
	media    []string
}

func (b rig) contents() (c contents) {
	b.t.Helper()
	var err error
	c.loaded, err = b.load()
	require.NoError(b.t, err)
	c.segments = b.segments(0, math.MaxUint64)
	c.batch, err = answered(b, func(done func(outbox.BatchRecord, error)) { b.s.ReadBatch(1, done) })
	if err != nil {
		require.ErrorIs(b.t, err, outbox.ErrNotFound)
	}
	c.dead, err = answered(b, b.s.ReadDead)
	require.NoError(b.t, err)
	c.keys = b.keys("k", "new")
	c.ledger = b.ledger(0, 100, outbox.LedgerPos{}, 99)
	c.archive = b.archive(at(10, 1), at(20, 2))
	for _, id := range []string{"old", "new"} {
		text, err := b.media(id)
		if err != nil {
			require.ErrorIs(b.t, err, outbox.ErrNotFound)
		}
		c.media = append(c.media, text...)
	}
	return c
}

// fill is a store with a record of each kind, led by "a" with token 1, and a change that touches every kind but has no Fence.
func fill(b rig) outbox.Change {
	b.t.Helper()
	require.Equal(b.t, uint64(1), b.lead(outbox.Lease{Owner: "a", Until: 100}))
	seqs := b.stored(outbox.Change{
		Append: open("ab"), State: []byte("before"), Ledger: []outbox.LedgerRow{attempt(10, 1)},
		PutBatches: []outbox.BatchRecord{{ID: 1, Body: []byte("b")}}, PutDead: []outbox.DeadRecord{{ID: "1.0"}},
		Keys: []outbox.KeyRow{{Key: "k", Version: 1}}, Archive: []outbox.ArchiveRecord{delivered(10, 1, "x")},
		PutMedia: []outbox.MediaRow{{ID: "old", Blob: b.blob("old voice")}},
	})
	return outbox.Change{
		Append: open("c"), DropFrom: seqs[0], DropTo: seqs[1], PutOpen: []outbox.Segment{{Seq: seqs[1], Head: []byte("head z")}},
		PutBatches: []outbox.BatchRecord{{ID: 2}}, DropBatches: []uint64{1},
		PutDead: []outbox.DeadRecord{{ID: "2.0"}}, DropDead: []string{"1.0"},
		Keys:   []outbox.KeyRow{{Key: "k", Version: 2}, {Key: "new"}},
		Ledger: []outbox.LedgerRow{attempt(20, 1)}, LedgerBefore: 15,
		Archive: []outbox.ArchiveRecord{delivered(20, 2, "y")}, ArchiveBefore: 15,
		PutMedia: []outbox.MediaRow{{ID: "new", Blob: b.blob("new voice")}}, DropMedia: []string{"old"},
		State: []byte("after"),
	}
}

func TestContract_AFencedChangeStoresAllOfItOrNothing(t *testing.T) {
	for _, row := range []struct {
		name  string
		fence uint64
		want  error
	}{
		{"the token of the last Lead", 1, nil},
		{"a token that was never given", 2, outbox.ErrFenced},
		{"a token far off", 1 << 50, outbox.ErrFenced},
		{"no fence", 0, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				change := fill(b)
				change.Fence = 1
				for i, v := 0, reflect.ValueOf(change); i < v.NumField(); i++ {
					require.False(t, v.Field(i).IsZero(), "the change does not touch %s", v.Type().Field(i).Name)
				}
				change.Fence = row.fence
				before := b.contents()
				seqs, err := b.commit(change)
				after := b.contents()
				if row.want != nil {
					require.ErrorIs(t, err, row.want)
					require.EqualError(t, err, "indexeddb: commit change: another page sends now")
					require.False(t, Unknown(err))
					require.Nil(t, seqs)
					require.Equal(t, before, after)
					return
				}
				require.NoError(t, err)
				require.Equal(t, []uint64{before.segments[1].Seq + 1}, seqs)
				require.Equal(t, "zc", letters(after.segments))
				for name, changed := range map[string]bool{
					"state and heads": !reflect.DeepEqual(before.loaded, after.loaded),
					"batch":           !reflect.DeepEqual(before.batch, after.batch),
					"dead":            !reflect.DeepEqual(before.dead, after.dead),
					"keys":            !reflect.DeepEqual(before.keys, after.keys),
					"ledger":          !reflect.DeepEqual(before.ledger, after.ledger),
					"archive":         !reflect.DeepEqual(before.archive, after.archive),
					"media":           !reflect.DeepEqual(before.media, after.media),
				} {
					require.True(t, changed, name)
				}
			})
		})
	}
}

func TestContract_WithoutALeadNoFenceHolds(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		_, err := b.commit(outbox.Change{Fence: 1, Append: open("a")})
		require.ErrorIs(t, err, outbox.ErrFenced)
		require.Empty(t, b.segments(0, math.MaxUint64))
	})
}

// Only the token counts, not the time: a lease that has ended holds until another page takes it.
func TestContract_AFenceHoldsUntilTheOwnerChanges(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		commit := func(fence uint64) error {
			_, err := b.commit(outbox.Change{Fence: fence, Append: open("x")})
			return err
		}
		b.lead(outbox.Lease{Owner: "a", Until: 100})
		b.lead(outbox.Lease{Owner: "a", Now: 200, Until: 200}) // given up
		require.NoError(t, commit(1))
		require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: 199, Until: 299}))
		require.NoError(t, commit(1), "a refusal fences nobody")
		require.Equal(t, uint64(2), b.lead(outbox.Lease{Owner: "b", Now: 200, Until: 300}))
		require.ErrorIs(t, commit(1), outbox.ErrFenced)
		require.NoError(t, commit(2))
		require.Equal(t, uint64(3), b.lead(outbox.Lease{Owner: "a", Now: 300, Until: 400}))
		require.ErrorIs(t, commit(1), outbox.ErrFenced, "an old token came true once more")
		require.ErrorIs(t, commit(2), outbox.ErrFenced)
		require.NoError(t, commit(3))
	})
}

// The other page takes the lease while our commit waits its turn.
func TestContract_TheLeaseMovesWhileACommitIsQueued(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		tab := b.tab()
		require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Until: 100}))
		var fence uint64
		var late, early error
		tab.wait(3, func(ok func()) {
			tab.s.Lead(outbox.Lease{Owner: "b", Now: 50, Until: 150, Force: true}, func(got uint64, _ error) { fence = got; ok() })
			b.s.Commit(outbox.Change{Fence: 1, Append: open("a")}, func(_ []uint64, err error) { late = err; ok() })
			b.s.Commit(outbox.Change{Fence: 2, Append: open("b")}, func(_ []uint64, err error) { early = err; ok() })
		})
		require.Equal(t, uint64(2), fence)
		require.ErrorIs(t, late, outbox.ErrFenced)
		require.NoError(t, early)
		require.Equal(t, "b", letters(b.segments(0, math.MaxUint64)))
	})
}

func TestContract_AFencedCommitKeepsItsPlaceAmongTheOthers(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.lead(outbox.Lease{Owner: "a", Until: 100})
		changes := []outbox.Change{
			{Append: open("a")},
			{Append: open("b"), Fence: 1},
			{Append: open("c"), Fence: 9}, // fenced
			{Append: open("d"), Fence: 1},
			{Append: open("e"), Fence: 1, Ledger: []outbox.LedgerRow{attempt(1, 1), attempt(1, 1)}}, // fails after the decision
			{Append: open("f")},
		}
		var order []int
		var all, seen []uint64
		failed := map[int]error{}
		b.wait(len(changes)+1, func(ok func()) {
			for i, c := range changes {
				b.s.Commit(c, func(seqs []uint64, err error) {
					order, all = append(order, i), append(all, seqs...)
					if err != nil {
						failed[i] = err
					}
					ok()
				})
			}
			b.s.Scan(0, 99, func(segs []outbox.Segment, _ error) {
				for _, s := range segs {
					seen = append(seen, s.Seq)
				}
				ok()
			})
		})
		require.Equal(t, []int{0, 1, 2, 3, 4, 5}, order)
		require.Len(t, failed, 2)
		require.ErrorIs(t, failed[2], outbox.ErrFenced)
		require.ErrorIs(t, failed[4], outbox.ErrUnavailable)
		require.ErrorContains(t, failed[4], "ConstraintError")
		require.Equal(t, "abdf", letters(b.segments(0, math.MaxUint64)))
		require.Equal(t, all, seen, "a read sees the commits called before it")
		require.IsIncreasing(t, all)
	})
}

func TestContract_WhatIsCommittedUnderAFenceIsACopy(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.lead(outbox.Lease{Owner: "a", Until: 100})
		head, state := []byte("head a"), []byte("state")
		segments := []outbox.Segment{{Head: head}}
		var err error
		b.wait(1, func(ok func()) {
			b.s.Commit(outbox.Change{Fence: 1, Append: segments, State: state}, func(_ []uint64, e error) { err = e; ok() })
			clear(head) // the caller reuses its buffers before the lease is known
			clear(state)
			clear(segments)
		})
		require.NoError(t, err)
		require.Equal(t, "a", letters(b.segments(0, math.MaxUint64)))
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, "state", string(loaded.State))
	})
}
