//go:build js && wasm

package indexeddb

import (
	"bytes"
	"math"
	"strconv"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The body of an event in design's tables is 392 bytes.
const eventBytes = 392

func benchRig(b *testing.B, strict bool) rig {
	s, err := openResult(Options{Name: freshName(), Strict: strict})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	return rig{t: b, s: s, drive: func() {}}
}

// A burst of 2,000 entries that the core has put into 4 segments, all under way at once.
func BenchmarkAppendBurst(b *testing.B) {
	segment := outbox.Segment{Head: make([]byte, 500*24), Body: make([]byte, 500*eventBytes)}
	for _, strict := range []bool{false, true} {
		b.Run("strict="+strconv.FormatBool(strict), func(b *testing.B) {
			r := benchRig(b, strict)
			for b.Loop() {
				r.wait(4, func(ok func()) {
					for range 4 {
						r.s.Commit(outbox.Change{Append: []outbox.Segment{segment}}, func([]uint64, error) { ok() })
					}
				})
			}
			b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// One entry at a time, each waiting for the one before.
func BenchmarkAppendSequential(b *testing.B) {
	segment := outbox.Segment{Head: make([]byte, 24), Body: make([]byte, eventBytes)}
	for _, strict := range []bool{false, true} {
		b.Run("strict="+strconv.FormatBool(strict), func(b *testing.B) {
			r := benchRig(b, strict)
			for b.Loop() {
				r.stored(outbox.Change{Append: []outbox.Segment{segment}})
			}
		})
	}
}

// A flush must cost the same at 1e3 and at 1e5 queued segments.
func BenchmarkReadAndDrop400(b *testing.B) {
	for _, rows := range []int{1e3, 1e5} {
		b.Run("of="+strconv.Itoa(rows), func(b *testing.B) {
			r := benchRig(b, false)
			one := outbox.Segment{Head: make([]byte, 24), Body: bytes.Repeat([]byte("x"), eventBytes)}
			fill := make([]outbox.Segment, 1000)
			for i := range fill {
				fill[i] = one
			}
			var last uint64
			for n := 0; n < rows; n += len(fill) {
				seqs := r.stored(outbox.Change{Append: fill})
				last = seqs[len(seqs)-1]
			}
			first := last - uint64(rows) + 1
			for b.Loop() {
				got := r.segments(first, first+399)
				require.Len(b, got, 400)
				r.stored(outbox.Change{DropFrom: first, DropTo: first + 399})
				b.StopTimer()
				first += 400
				r.stored(outbox.Change{Append: fill[:400]})
				b.StartTimer()
			}
			require.NotEmpty(b, r.segments(first, math.MaxUint64))
		})
	}
}

// The heads of one page of a long queue, as a starting core reads it.
func BenchmarkScan400(b *testing.B) {
	r := benchRig(b, false)
	fill := make([]outbox.Segment, 1000)
	for i := range fill {
		fill[i] = outbox.Segment{Head: make([]byte, 24), Body: make([]byte, eventBytes)}
	}
	r.stored(outbox.Change{Append: fill})
	for b.Loop() {
		require.Len(b, r.scan(0, 400), 400)
	}
}
