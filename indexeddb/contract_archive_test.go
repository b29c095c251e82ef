package indexeddb

import (
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The sentences of outbox.Store that speak of the archive: delivered batches that reconcile may want again (L12.1).

// delivered is an archived batch.
func delivered(at int64, id uint64, text string) outbox.ArchiveRecord {
	return outbox.ArchiveRecord{At: at, BatchRecord: outbox.BatchRecord{ID: id, Head: []byte("head " + text), Body: []byte("body " + text)}}
}

// bodies is what delivered made of: one letter a record, "-" for one that is gone.
func bodies(records []outbox.BatchRecord) (s string) {
	for _, r := range records {
		if r.ID == 0 {
			s += "-"
			continue
		}
		s += string(r.Body[len("body "):])
	}
	return s
}

func at(at int64, n uint64) outbox.LedgerPos { return outbox.LedgerPos{At: at, N: n} }

func TestContract_ArchivedBatchesAnswerInTheOrderAsked(t *testing.T) {
	const now = 1_700_000_000_000
	for _, row := range []struct {
		name string
		ask  []outbox.LedgerPos
		want string
	}{
		{"as put", []outbox.LedgerPos{at(now, 7), at(now, 8), at(now+1, 1<<40)}, "abc"},
		{"backwards", []outbox.LedgerPos{at(now+1, 1<<40), at(now, 8), at(now, 7)}, "cba"},
		{"one that is gone keeps its place", []outbox.LedgerPos{at(now, 7), at(now, 9), at(now, 8)}, "a-b"},
		{"another moment is another record", []outbox.LedgerPos{at(now+1, 7), at(now-1, 8)}, "--"},
		{"twice the same", []outbox.LedgerPos{at(now, 8), at(now, 8)}, "bb"},
		{"none", nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				b.stored(outbox.Change{Archive: []outbox.ArchiveRecord{
					delivered(now+1, 1<<40, "c"), delivered(now, 7, "a"), delivered(now, 8, "b"),
				}})
				got := b.archive(row.ask...)
				require.Len(t, got, len(row.ask))
				require.Equal(t, row.want, bodies(got))
				for i, r := range got {
					if r.ID == 0 {
						require.Equal(t, outbox.BatchRecord{}, r)
						continue
					}
					letter := row.want[i : i+1]
					require.Equal(t, delivered(0, row.ask[i].N, letter).BatchRecord, r)
				}
			})
		})
	}
}

func TestContract_AnArchivedBatchIsReplacedAndMayBeEmpty(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{Archive: []outbox.ArchiveRecord{delivered(10, 1, "a"), {At: 10, BatchRecord: outbox.BatchRecord{ID: 2}}}})
		b.stored(outbox.Change{Archive: []outbox.ArchiveRecord{delivered(10, 1, "b")}})
		require.Equal(t, []outbox.BatchRecord{delivered(10, 1, "b").BatchRecord, {ID: 2}}, b.archive(at(10, 1), at(10, 2)))
	})
}

func TestContract_TheArchiveIsNoQueue(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{PutBatches: []outbox.BatchRecord{{ID: 1, Head: []byte("h")}}})
		b.stored(outbox.Change{DropBatches: []uint64{1}, Archive: []outbox.ArchiveRecord{delivered(10, 1, "a")}})
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{}, loaded, "a delivered batch would be sent again")
		_, err = answered(b, func(done func(outbox.BatchRecord, error)) { b.s.ReadBatch(1, done) })
		require.ErrorIs(t, err, outbox.ErrNotFound)
		require.Equal(t, "a", bodies(b.archive(at(10, 1))))
	})
}

func TestContract_ArchivedBatchesBeforeACutoffGo(t *testing.T) {
	for _, row := range []struct {
		name   string
		before int64
		want   string // of the records at 10, 20, 20, 30
	}{
		{"0 is none", 0, "abcd"},
		{"all are younger", 10, "abcd"},
		{"the cutoff itself stays", 20, "-bcd"},
		{"between two", 21, "---d"},
		{"all are older", 31, "----"},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				b.stored(outbox.Change{Archive: []outbox.ArchiveRecord{
					delivered(10, 1, "a"), delivered(20, 2, "b"), delivered(20, 1<<40, "c"), delivered(30, 4, "d"),
				}})
				b.stored(outbox.Change{ArchiveBefore: row.before, Archive: []outbox.ArchiveRecord{delivered(5, 9, "e")}})
				require.Equal(t, row.want, bodies(b.archive(at(10, 1), at(20, 2), at(20, 1<<40), at(30, 4))))
				require.Equal(t, "e", bodies(b.archive(at(5, 9))), "deletes are done before puts")
			})
		})
	}
}

// L7.3: the hash that a physical purge needs is in the ledger, and stays there when the payload goes.
func TestL7_3_TheLedgerRowOutlivesTheArchivedPayload(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		row := outbox.LedgerRow{LedgerPos: at(10, 1), Text: []byte(`{"sha256":["9f86d081"]}`)}
		b.stored(outbox.Change{Ledger: []outbox.LedgerRow{row}, Archive: []outbox.ArchiveRecord{delivered(10, 1, "a")}})
		b.stored(outbox.Change{ArchiveBefore: 11})
		require.Equal(t, "-", bodies(b.archive(at(10, 1))))
		require.Equal(t, []outbox.LedgerRow{row}, b.ledger(0, 100, outbox.LedgerPos{}, 99))

		b.stored(outbox.Change{Archive: []outbox.ArchiveRecord{delivered(10, 1, "b")}})
		b.stored(outbox.Change{LedgerBefore: 11})
		require.Equal(t, "b", bodies(b.archive(at(10, 1))), "nor does the ledger's cutoff touch the archive")
	})
}

func TestContract_AChangeThatFailsLeavesTheArchiveAlone(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{
			PutBatches: []outbox.BatchRecord{{ID: 3}},
			Archive:    []outbox.ArchiveRecord{delivered(10, 1, "a"), delivered(20, 2, "b")},
			Ledger:     []outbox.LedgerRow{attempt(10, 1)},
			Keys:       []outbox.KeyRow{{Key: "k", Hash: "00112233445566ff"}},
		})
		_, err := b.commit(outbox.Change{
			DropBatches: []uint64{3}, ArchiveBefore: 15,
			Archive: []outbox.ArchiveRecord{delivered(20, 2, "x"), delivered(30, 3, "y")},
			Ledger:  []outbox.LedgerRow{attempt(10, 1)}, // taken
			Keys:    []outbox.KeyRow{{Key: "k", Hash: "fedcba9876543210"}},
		})
		require.ErrorIs(t, err, outbox.ErrUnavailable)
		require.Equal(t, "ab-", bodies(b.archive(at(10, 1), at(20, 2), at(30, 3))))
		require.Equal(t, []outbox.KeyRow{{Key: "k", Hash: "00112233445566ff"}}, b.keys("k"))
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, []outbox.BatchRecord{{ID: 3}}, loaded.Batches)
	})
}

func TestContract_PurgeEmptiesTheArchive(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{Archive: []outbox.ArchiveRecord{delivered(10, 1, "a"), delivered(20, 2, "b")}})
		_, err := answered(b, func(done func(struct{}, error)) {
			b.s.Purge(attempt(20, 2), nil, func(err error) { done(struct{}{}, err) })
		})
		require.NoError(t, err)
		require.Equal(t, "--", bodies(b.archive(at(10, 1), at(20, 2))))
	})
}

func TestContract_WhatIsArchivedIsACopy(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		record, ask := delivered(10, 1, "a"), []outbox.LedgerPos{at(10, 1)}
		var first []outbox.BatchRecord
		b.wait(2, func(ok func()) {
			b.s.Commit(outbox.Change{Archive: []outbox.ArchiveRecord{record}}, func([]uint64, error) { ok() })
			b.s.ReadArchive(ask, func(got []outbox.BatchRecord, _ error) { first = got; ok() })
			clear(record.Head) // the caller reuses its buffers before the answer
			clear(record.Body)
			clear(ask)
		})
		want := []outbox.BatchRecord{delivered(10, 1, "a").BatchRecord}
		require.Equal(t, want, first)
		clear(first[0].Head) // nor does a reader get the store's own memory
		clear(first[0].Body)
		require.Equal(t, want, b.archive(at(10, 1)))
	})
}

func TestContract_TraceSaysWhereEntriesAre(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		seqs := b.stored(outbox.Change{
			Append:     open("abc"),
			PutBatches: []outbox.BatchRecord{{ID: 4, Head: []byte("batch"), Body: []byte("b")}},
			PutDead:    []outbox.DeadRecord{{ID: "1.0", Head: []byte("dead"), Body: []byte("d")}},
			Ledger:     []outbox.LedgerRow{attempt(10, 1), attempt(20, 2), attempt(30, 3)},
		})
		for _, row := range []struct {
			after uint64
			since int64
			open  string
			rows  int
		}{
			{0, 0, "abc", 3},
			{seqs[0], 20, "bc", 2}, // beyond a segment, from an instant on
			{seqs[2], 31, "", 0},
		} {
			got, err := answered(b, func(done func(outbox.Traces, error)) { b.s.Trace(row.after, row.since, done) })
			require.NoError(t, err)
			require.Equal(t, row.open, letters(got.Open), "%+v", row)
			require.Len(t, got.Ledger, row.rows, "%+v", row)
			require.Equal(t, []outbox.BatchRecord{{ID: 4, Head: []byte("batch")}}, got.Batches, "heads only")
			require.Equal(t, []outbox.DeadRecord{{ID: "1.0", Head: []byte("dead")}}, got.Dead, "heads only")
		}
	})
}
