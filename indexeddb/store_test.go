//go:build js && wasm

package indexeddb

import (
	"bytes"
	"reflect"
	"strconv"
	"syscall/js"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// A database of its own for each test; the origin is new in each run, so they all start empty.
var databases int

func freshName() string {
	databases++
	return "keep-test-" + strconv.Itoa(databases)
}

func init() {
	for name, strict := range map[string]bool{"StoreStrict": true, "StoreRelaxed": false} {
		subjects = append(subjects, subject{name, func(t *testing.T) (outbox.Store, func()) {
			return openStore(t, Options{Name: freshName(), Strict: strict}), func() {}
		}})
	}
}

func openResult(opts Options) (s *Store, err error) {
	opts.Packs = pagePacks
	answered := make(chan struct{})
	Open(opts, func(got *Store, e error) {
		s, err = got, e
		close(answered)
	})
	<-answered
	return s, err
}

func openStore(t *testing.T, opts Options) *Store {
	t.Helper()
	s, err := openResult(opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func rigOf(t *testing.T, s *Store) rig { return rig{t, s, func() {}} }

// until lets the page run until ok, at most 10 s.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		require.Less(t, time.Since(start), 10*time.Second)
	}
}

// await waits for an event of a raw request, transaction or the like.
func await(t *testing.T, target js.Value, event string) {
	t.Helper()
	fired := make(chan struct{}, 1)
	f := js.FuncOf(func(js.Value, []js.Value) any { fired <- struct{}{}; return nil })
	defer f.Release()
	target.Call("addEventListener", event, f, map[string]any{"once": true})
	select {
	case <-fired:
	case <-time.After(10 * time.Second):
		require.Fail(t, "no event "+event)
	}
}

// nextFunc is the number that syscall/js gives the next registered function: it counts all that were ever made.
func nextFunc() uint64 {
	f := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	defer f.Release()
	return reflect.ValueOf(f).FieldByName("id").Uint()
}

// C4: cached in IndexedDB inside the webview; C2: through go-indexeddb and safejs.
func TestC4_StoreSurvivesReopening(t *testing.T) {
	name := freshName()
	first := openStore(t, Options{Name: name, Strict: true})
	seqs := rigOf(t, first).stored(outbox.Change{Append: open("ab"), State: []byte("core")})
	first.Close()
	second := rigOf(t, openStore(t, Options{Name: name, Strict: true}))
	loaded, err := second.load()
	require.NoError(t, err)
	require.Equal(t, "core", string(loaded.State))
	require.Equal(t, "ab", letters(second.segments(seqs[0], seqs[1])))
	require.Equal(t, seqs[1]+1, second.stored(outbox.Change{Append: open("c")})[0])
}

func TestStoreSeqsAscendOverTwoTabs(t *testing.T) {
	name := freshName()
	a, b := rigOf(t, openStore(t, Options{Name: name})), rigOf(t, openStore(t, Options{Name: name}))
	var last uint64
	for range 3 {
		for _, tab := range []rig{a, b} {
			seq := tab.stored(outbox.Change{Append: open("x")})[0]
			require.Greater(t, seq, last)
			last = seq
		}
	}
	require.Equal(t, "xxxxxx", letters(a.segments(0, last)))
}

func TestStoreDeleteLeavesNothing(t *testing.T) {
	name := freshName()
	var lost string
	s := openStore(t, Options{Name: name, OnLost: func(reason string) { lost = reason }})
	rigOf(t, s).stored(outbox.Change{Append: open("a")})
	answered := make(chan error)
	Delete(name, func(err error) { answered <- err })
	require.NoError(t, <-answered)
	require.Equal(t, "versionchange", lost)
	again := rigOf(t, openStore(t, Options{Name: name}))
	require.Equal(t, []uint64{1}, again.stored(outbox.Change{Append: open("a")}))
}

// A burst must not leave listeners behind: syscall/js keeps each until it is released.
func TestStoreAThousandAppendsRegisterNoFunction(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	before, under := nextFunc(), len(page.ops)
	rigOf(t, s).wait(1000, func(ok func()) {
		for range 1000 {
			s.Commit(outbox.Change{Append: open("a")}, func(_ []uint64, err error) {
				require.NoError(t, err)
				ok()
			})
		}
		require.Len(t, page.ops, under+1000)
	})
	require.Len(t, page.ops, under)
	require.Equal(t, uint64(1), nextFunc()-before, "only the counter's own")
	require.Len(t, s.scopes, 1)
}

func TestStoreStrictIsAskedOfTheTransaction(t *testing.T) {
	for strict, want := range map[bool]string{true: "strict", false: "relaxed"} {
		s := openStore(t, Options{Name: freshName(), Strict: strict})
		tx, err := s.begin(inAll, true)
		require.NoError(t, err)
		require.Equal(t, want, tx.Get("durability").String())
		require.Equal(t, "readwrite", tx.Get("mode").String())
	}
}

// Short arrays are read through a scratch buffer: its edges.
func TestStoreKeepsEverySizeOfBytes(t *testing.T) {
	b := rigOf(t, openStore(t, Options{Name: freshName()}))
	for _, size := range []int{0, 1, len(scratch) - 1, len(scratch), len(scratch) + 1, 3_000_000} {
		body := bytes.Repeat([]byte{0xff, 0, 'x'}, size/3+1)[:size]
		seq := b.stored(outbox.Change{Append: []outbox.Segment{{Head: body[:size/2], Body: body}}})[0]
		got := b.segments(seq, seq)[0]
		require.True(t, bytes.Equal(body, got.Body), size)
		require.True(t, bytes.Equal(body[:size/2], got.Head), size)
	}
}

func TestStoreADamagedRecordIsNamed(t *testing.T) {
	for name, value := range map[string]any{
		"text":       "text",
		"no head":    map[string]any{"b": 1},
		"null":       nil,
		"plain list": map[string]any{"h": []any{1, 2}, "b": []any{}},
		"odd length": map[string]any{"h": map[string]any{"length": -1}},
	} {
		s := openStore(t, Options{Name: freshName()})
		tx, err := s.begin(inSegments|inState, true)
		require.NoError(t, err)
		in(tx, "segments").Call("put", js.ValueOf(value))
		in(tx, "state").Call("put", js.ValueOf(value), stateKey)
		await(t, tx, "complete")
		_, err = answered(rigOf(t, s), func(done func([]outbox.Segment, error)) { s.Scan(0, 9, done) })
		require.ErrorIs(t, err, outbox.ErrDamaged, name)
		_, err = rigOf(t, s).load()
		require.ErrorIs(t, err, outbox.ErrDamaged, name)
	}
}

func TestStoreADamagedKeyRowIsNamed(t *testing.T) {
	for name, value := range map[string]any{
		"no hash":    map[string]any{"v": 1, "at": 1},
		"no version": map[string]any{"at": 1, "h": "00112233445566ff"},
	} {
		s := openStore(t, Options{Name: freshName()})
		tx, err := s.begin(inKeys, true)
		require.NoError(t, err)
		in(tx, "keys").Call("put", js.ValueOf(value), "k")
		await(t, tx, "complete")
		_, err = answered(rigOf(t, s), func(done func([]outbox.KeyRow, error)) { s.ReadKeys([]string{"k"}, done) })
		require.ErrorIs(t, err, outbox.ErrDamaged, name)
	}
}

// A transaction holds back whoever wants the same object stores: it names only those that it uses.
func TestStoreACommitLocksOnlyWhatItUses(t *testing.T) {
	for _, row := range []struct {
		name string
		c    outbox.Change
		want scope
	}{
		{"append", outbox.Change{Append: open("a")}, inSegments},
		{"settle", outbox.Change{DropBatches: []uint64{1}, Ledger: []outbox.LedgerRow{attempt(1, 1)}}, inSegments | inBatches | inLedger},
		{"archive put", outbox.Change{Archive: []outbox.ArchiveRecord{delivered(1, 1, "x")}}, inSegments | inArchive},
		{"archive cleared", outbox.Change{ArchiveBefore: 1}, inSegments | inArchive},
		{"fenced", outbox.Change{Fence: 1, Append: open("a")}, inSegments | inState},
		{"ledger cleared", outbox.Change{LedgerBefore: 1}, inSegments | inLedger},
	} {
		require.Equal(t, row.want, touched(row.c), row.name)
	}
}
