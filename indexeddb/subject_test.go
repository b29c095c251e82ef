package indexeddb

import (
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// subject is one implementation under the contract suite.
type subject struct {
	name string
	// open gives a store that is empty and a function that lets what is under way come to its end, as far as the test
	// must help.
	open func(t *testing.T) (s outbox.Store, drive func())
}

// subjects is Memory everywhere, and Store in a browser (store_test.go adds it).
var subjects = []subject{
	{"Memory", func(*testing.T) (outbox.Store, func()) {
		m := NewMemory()
		return m, func() { m.PumpAll() }
	}},
	{"MemoryAsync", func(*testing.T) (outbox.Store, func()) {
		var posted []func()
		m := NewMemoryAsync(func(f func()) { posted = append(posted, f) })
		return m, func() {
			for len(posted) > 0 {
				f := posted[0]
				posted = posted[1:]
				f()
			}
		}
	}},
}

// rig is one store with its synchronous calls: each waits for its answer.
type rig struct {
	t     testing.TB
	s     outbox.Store
	drive func()
}

// each runs one sentence of the contract on every subject.
func each(t *testing.T, sentence func(t *testing.T, b rig)) {
	for _, sub := range subjects {
		t.Run(sub.name, func(t *testing.T) {
			s, drive := sub.open(t)
			b := rig{t, s, drive}
			t.Cleanup(s.Close)
			sentence(t, b)
		})
	}
}

// wait starts n operations and returns when n answers have come; not within 10 s is a failure.
func (b rig) wait(n int, start func(answered func())) {
	b.t.Helper()
	answers := make(chan struct{}, 4*n)
	start(func() { answers <- struct{}{} })
	require.Empty(b.t, answers, "an answer came inside the call")
	b.drive()
	for range n {
		select {
		case <-answers:
		case <-time.After(10 * time.Second):
			require.Fail(b.t, "no answer within 10 s")
		}
	}
	require.Empty(b.t, answers, "answered more than once")
}

func (b rig) commit(c outbox.Change) (seqs []uint64, err error) {
	b.t.Helper()
	b.wait(1, func(ok func()) {
		b.s.Commit(c, func(got []uint64, e error) { seqs, err = got, e; ok() })
	})
	return seqs, err
}

// stored is commit that must succeed.
func (b rig) stored(c outbox.Change) []uint64 {
	b.t.Helper()
	seqs, err := b.commit(c)
	require.NoError(b.t, err)
	return seqs
}

func (b rig) load() (got outbox.Loaded, err error) {
	b.t.Helper()
	b.wait(1, func(ok func()) { b.s.Load(func(l outbox.Loaded, e error) { got, err = l, e; ok() }) })
	return got, err
}

// answered waits for one read that answers with a slice or a record.
func answered[T any](b rig, start func(done func(T, error))) (got T, err error) {
	b.t.Helper()
	b.wait(1, func(ok func()) { start(func(v T, e error) { got, err = v, e; ok() }) })
	return got, err
}

func (b rig) scan(after uint64, limit int) []outbox.Segment {
	b.t.Helper()
	got, err := answered(b, func(done func([]outbox.Segment, error)) { b.s.Scan(after, limit, done) })
	require.NoError(b.t, err)
	return got
}

func (b rig) segments(from, to uint64) []outbox.Segment {
	b.t.Helper()
	got, err := answered(b, func(done func([]outbox.Segment, error)) { b.s.ReadSegments(from, to, done) })
	require.NoError(b.t, err)
	return got
}

func (b rig) ledger(from, to int64, after outbox.LedgerPos, limit int) []outbox.LedgerRow {
	b.t.Helper()
	got, err := answered(b, func(done func([]outbox.LedgerRow, error)) { b.s.ReadLedger(from, to, after, limit, done) })
	require.NoError(b.t, err)
	return got
}

func (b rig) keys(keys ...string) []outbox.KeyRow {
	b.t.Helper()
	got, err := answered(b, func(done func([]outbox.KeyRow, error)) { b.s.ReadKeys(keys, done) })
	require.NoError(b.t, err)
	return got
}

func (b rig) archive(at ...outbox.LedgerPos) []outbox.BatchRecord {
	b.t.Helper()
	got, err := answered(b, func(done func([]outbox.BatchRecord, error)) { b.s.ReadArchive(at, done) })
	require.NoError(b.t, err)
	return got
}

// open makes n segments out of one letter each: "a", "b", …
func open(letters string) (out []outbox.Segment) {
	for _, l := range letters {
		out = append(out, outbox.Segment{Head: []byte("head " + string(l)), Body: []byte("body " + string(l))})
	}
	return out
}

// letters is what open made of, in the order read.
func letters(segs []outbox.Segment) (s string) {
	for _, seg := range segs {
		s += string(seg.Head[len("head "):])
	}
	return s
}

// attempt is a ledger row.
func attempt(at int64, n uint64) outbox.LedgerRow {
	return outbox.LedgerRow{LedgerPos: outbox.LedgerPos{At: at, N: n}, Text: []byte(`{"status":200}`)}
}

// positions is the ledger rows' keys, which is what most tests compare.
func positions(rows []outbox.LedgerRow) (out []outbox.LedgerPos) {
	for _, r := range rows {
		out = append(out, r.LedgerPos)
	}
	return out
}
