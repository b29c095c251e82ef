package indexeddb

import (
	"math"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The sentences of outbox.Store that speak of segments. Each test runs on Memory natively, on Memory and Store in a browser.

func TestContract_AppendedSegmentsGetAscendingSeqsInTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		first := b.stored(outbox.Change{Append: open("abc")})
		second := b.stored(outbox.Change{Append: open("d")})
		require.Len(t, first, 3)
		require.Len(t, second, 1)
		all := append(first, second...)
		for i := 1; i < len(all); i++ {
			require.Greater(t, all[i], all[i-1], "%v", all)
		}
		require.GreaterOrEqual(t, first[0], uint64(1))
		got := b.segments(0, math.MaxUint64)
		require.Equal(t, "abcd", letters(got))
		require.Equal(t, outbox.Segment{Seq: second[0], Head: []byte("head d"), Body: []byte("body d")}, got[3])
	})
}

func TestContract_TheSeqOfAnAppendIsIgnored(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		first := b.stored(outbox.Change{Append: open("a")})
		seg := open("b")[0]
		seg.Seq = first[0]
		b.stored(outbox.Change{Append: []outbox.Segment{seg}})
		require.Equal(t, "ab", letters(b.segments(0, math.MaxUint64)))
	})
}

func TestContract_SeqsAscendOverDeletesAndAborts(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		first := b.stored(outbox.Change{Append: open("ab"), Ledger: []outbox.LedgerRow{attempt(1, 1)}})
		_, err := b.commit(outbox.Change{Append: open("x"), Ledger: []outbox.LedgerRow{attempt(1, 1)}})
		require.ErrorIs(t, err, outbox.ErrUnavailable)
		second := b.stored(outbox.Change{Append: open("c"), DropFrom: first[0], DropTo: first[1]})
		require.Greater(t, second[0], first[1])
		third := b.stored(outbox.Change{Append: open("d"), DropFrom: second[0], DropTo: second[0]})
		require.Greater(t, third[0], second[0], "a deleted last row gave its Seq away")
		require.Equal(t, "d", letters(b.segments(0, math.MaxUint64)))
	})
}

func TestContract_SegmentsAreReadAndDroppedByRange(t *testing.T) {
	for _, row := range []struct {
		name     string
		from, to uint64 // counted from the first segment, which is 1
		read     string
		kept     string
	}{
		{"the middle", 2, 3, "bc", "ade"},
		{"one", 2, 2, "b", "acde"},
		{"from the start", 0, 2, "ab", "cde"},
		{"to the end", 4, math.MaxUint32, "de", "abc"},
		{"all", 0, math.MaxUint32, "abcde", ""},
		{"beyond the end", 6, 9, "", "abcde"},
		{"inverted", 3, 2, "", "abcde"},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				base := b.stored(outbox.Change{Append: open("abcde")})[0] - 1
				require.Equal(t, row.read, letters(b.segments(base+row.from, base+row.to)))
				b.stored(outbox.Change{DropFrom: base + row.from, DropTo: base + row.to})
				require.Equal(t, row.kept, letters(b.segments(0, math.MaxUint64)))
			})
		})
	}
}

func TestContract_DropToZeroDropsNothing(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{Append: open("ab")})
		b.stored(outbox.Change{DropFrom: 0, DropTo: 0, State: []byte("s")})
		require.Equal(t, "ab", letters(b.segments(0, math.MaxUint64)))
	})
}

func TestContract_TheRestOfACutSegmentKeepsItsPlace(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		seqs := b.stored(outbox.Change{Append: open("abc")})
		rest := outbox.Segment{Seq: seqs[1], Head: []byte("head B"), Body: []byte("rest")}
		later := b.stored(outbox.Change{ // deletes are done before puts
			DropFrom: seqs[0], DropTo: seqs[1],
			PutOpen:    []outbox.Segment{rest},
			PutBatches: []outbox.BatchRecord{{ID: 1, Head: []byte("h"), Body: []byte("b")}},
			Append:     open("d"),
		})
		require.Greater(t, later[0], seqs[2])
		got := b.segments(0, math.MaxUint64)
		require.Equal(t, "Bcd", letters(got))
		require.Equal(t, rest, got[0])
	})
}

func TestContract_APutBackAboveAllSeqsIsNeverOvertaken(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		seqs := b.stored(outbox.Change{
			PutOpen: []outbox.Segment{{Seq: 500, Head: []byte("head z")}},
			Append:  open("a"),
		})
		require.Equal(t, []uint64{501}, seqs)
	})
}

func TestContract_ScanGivesHeadsPageByPage(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		seqs := b.stored(outbox.Change{Append: open("abcdefg")})
		var all string
		var after uint64
		for pages := 1; ; pages++ {
			page := b.scan(after, 3)
			require.LessOrEqual(t, len(page), 3)
			if len(page) == 0 {
				require.Equal(t, 4, pages)
				break
			}
			for _, seg := range page {
				require.Nil(t, seg.Body, "a scan reads no body")
				require.Greater(t, seg.Seq, after)
				after = seg.Seq
			}
			all += letters(page)
		}
		require.Equal(t, "abcdefg", all)
		require.Equal(t, "g", letters(b.scan(seqs[5], 100)))
		require.Empty(t, b.scan(0, 0), "limit 0")
	})
}

func TestContract_CommitsCompleteInTheOrderOfTheirCalls(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		changes := []outbox.Change{ // of different scope, so that only the promise keeps them in order
			{Append: open("a")},
			{State: []byte("1")},
			{Ledger: []outbox.LedgerRow{attempt(1, 1)}},
			{Ledger: []outbox.LedgerRow{attempt(1, 1)}}, // fails
			{Keys: []outbox.KeyRow{{Key: "k"}}},
			{PutDead: []outbox.DeadRecord{{ID: "1.0"}}},
			{Archive: []outbox.ArchiveRecord{delivered(1, 1, "x")}},
			{Append: open("b"), State: []byte("2")},
		}
		var order []int
		var failed []int
		b.wait(len(changes), func(ok func()) {
			for i, c := range changes {
				b.s.Commit(c, func(_ []uint64, err error) {
					order = append(order, i)
					if err != nil {
						failed = append(failed, i)
					}
					ok()
				})
			}
		})
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, order)
		require.Equal(t, []int{3}, failed)
	})
}

func TestContract_AReadSeesTheCommitsCalledBeforeIt(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		var got []outbox.Segment
		b.wait(2, func(ok func()) {
			b.s.Commit(outbox.Change{Append: open("a")}, func([]uint64, error) { ok() })
			b.s.Scan(0, 10, func(segs []outbox.Segment, _ error) { got = segs; ok() })
		})
		require.Equal(t, "a", letters(got))
	})
}

func TestContract_WhatIsCommittedIsACopy(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		head, body, state, text := []byte("head a"), []byte("body a"), []byte("state"), []byte("{}")
		var seqs []uint64
		b.wait(1, func(ok func()) {
			b.s.Commit(outbox.Change{
				Append:     []outbox.Segment{{Head: head, Body: body}},
				PutBatches: []outbox.BatchRecord{{ID: 7, Head: head, Body: body}},
				PutDead:    []outbox.DeadRecord{{ID: "1.0", Head: head, Body: body}},
				Ledger:     []outbox.LedgerRow{{LedgerPos: outbox.LedgerPos{At: 1, N: 1}, Text: text}},
				State:      state,
			}, func(got []uint64, err error) {
				require.NoError(t, err)
				seqs = got
				ok()
			})
			for _, buffer := range [][]byte{head, body, state, text} {
				clear(buffer) // the caller reuses its buffers before the answer
			}
		})
		for range 2 { // the second read shows whether the first one gave the store's own memory away
			seg := b.segments(seqs[0], seqs[0])[0]
			require.Equal(t, "head a|body a", string(seg.Head)+"|"+string(seg.Body))
			batch, err := answered(b, func(done func(outbox.BatchRecord, error)) { b.s.ReadBatch(7, done) })
			require.NoError(t, err)
			require.Equal(t, "head a|body a", string(batch.Head)+"|"+string(batch.Body))
			dead, err := answered(b, b.s.ReadDead)
			require.NoError(t, err)
			require.Equal(t, "head a|body a", string(dead[0].Head)+"|"+string(dead[0].Body))
			rows := b.ledger(0, 9, outbox.LedgerPos{}, 9)
			require.Equal(t, "{}", string(rows[0].Text))
			loaded, err := b.load()
			require.NoError(t, err)
			require.Equal(t, "state|head a|head a", string(loaded.State)+"|"+string(loaded.Batches[0].Head)+"|"+string(loaded.Dead[0].Head))
			for _, got := range [][]byte{seg.Head, seg.Body, batch.Head, batch.Body, dead[0].Head, dead[0].Body, rows[0].Text,
				loaded.State, loaded.Batches[0].Head, loaded.Dead[0].Head} {
				clear(got)
			}
		}
	})
}
