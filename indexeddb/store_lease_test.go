//go:build js && wasm

package indexeddb

import (
	"errors"
	"syscall/js"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// What the browser adds to the contract of the lease: transactions that end by themselves, time-outs, foreign records.

func init() {
	storeTab = func(b rig) outbox.Store {
		s, err := openResult(Options{Name: unwrap(b.s.(*Store).db).Get("name").String()})
		require.NoError(b.t, err)
		b.t.(*testing.T).Cleanup(s.Close)
		return s
	}
}

// ask is one Lead, whatever comes.
func (b rig) ask(owner string, now, until int64) (uint64, error) {
	b.t.Helper()
	return answered(b, func(done func(uint64, error)) {
		b.s.Lead(outbox.Lease{Owner: owner, Now: now, Until: until}, done)
	})
}

func TestStoreTheLeaseSurvivesReopening(t *testing.T) {
	name := freshName()
	first := openStore(t, Options{Name: name})
	require.Equal(t, uint64(1), rigOf(t, first).lead(outbox.Lease{Owner: "a", Until: 100}))
	first.Close()
	b := rigOf(t, openStore(t, Options{Name: name}))
	require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: 99, Until: 199}))
	require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Now: 99, Until: 199}))
	b.stored(outbox.Change{Fence: 1, Append: open("a")})
}

// commit() before the decision would shut it out; a Change without a Fence still ends with it (WebKit before 15 has none).
func TestStoreOnlyAChangeWithoutAFenceCallsCommit(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	b := rigOf(t, s)
	require.True(t, s.hasCommit)
	javaScript(`globalThis.realCommit = IDBTransaction.prototype.commit, globalThis.commits = 0`)
	defer javaScript(`() => { IDBTransaction.prototype.commit = globalThis.realCommit }`).Invoke()
	javaScript(`IDBTransaction.prototype.commit = function () { globalThis.commits++; return globalThis.realCommit.call(this) }`)
	for i, row := range []struct {
		name string
		call func()
		want int
	}{
		{"append", func() { b.stored(outbox.Change{Append: open("a")}) }, 1},
		{"Lead", func() { require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Until: 100})) }, 0},
		{"refused Lead", func() { require.Zero(t, b.lead(outbox.Lease{Owner: "b", Until: 100})) }, 0},
		{"fenced append", func() { b.stored(outbox.Change{Fence: 1, Append: open("b")}) }, 0},
	} {
		before := js.Global().Get("commits").Int()
		row.call()
		require.Equal(t, row.want, js.Global().Get("commits").Int()-before, "%d: %s", i, row.name)
	}
	withoutCommit(s)
	require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Until: 100}))
	b.stored(outbox.Change{Fence: 1, Append: open("c")})
	require.Equal(t, "abc", letters(b.scan(0, 9)))
}

func TestStoreLeadsAndFencedCommitsRegisterNoFunction(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	before, under := nextFunc(), len(page.ops)
	granted, stored, fenced := 0, 0, 0
	rigOf(t, s).wait(600, func(ok func()) {
		commit := func(fence int) {
			s.Commit(outbox.Change{Fence: uint64(fence), Append: open("a")}, func(_ []uint64, err error) {
				if err == nil {
					stored++
				} else if errors.Is(err, outbox.ErrFenced) {
					fenced++
				}
				ok()
			})
		}
		for i := range 200 {
			l := outbox.Lease{Owner: string(rune('a' + i%2)), Now: int64(i), Until: int64(i)}
			s.Lead(l, func(fence uint64, _ error) {
				if fence == uint64(i+1) {
					granted++
				}
				ok()
			})
			commit(i + 1)
			commit(i + 2) // the next owner's
		}
	})
	require.Equal(t, []int{200, 200, 200}, []int{granted, stored, fenced})
	require.Len(t, page.ops, under)
	require.Equal(t, uint64(1), nextFunc()-before, "only the counter's own")
}

// A time-out before the decision aborts: it is certain that nothing is stored, and that nobody has the lease.
func TestTrapATimeOutBeforeTheDecisionStoresNothing(t *testing.T) {
	name := freshName()
	require.Equal(t, uint64(1), rigOf(t, openStore(t, Options{Name: name})).lead(outbox.Lease{Owner: "a", Until: 100}))
	s := hasty(openStore(t, Options{Name: name}))
	release := occupy(t, name)
	defer release()
	var lead, commit error
	rigOf(t, s).wait(2, func(ok func()) {
		s.Lead(outbox.Lease{Owner: "b", Now: 100, Until: 200}, func(_ uint64, err error) { lead = err; ok() })
		s.Commit(outbox.Change{Fence: 1, Append: open("a")}, func(_ []uint64, err error) { commit = err; ok() })
	})
	for _, err := range []error{lead, commit} {
		require.ErrorIs(t, err, outbox.ErrUnavailable)
		require.ErrorContains(t, err, "TimeoutError")
		require.False(t, Unknown(err))
	}
	release()
	b := rigOf(t, openStore(t, Options{Name: name}))
	require.Empty(t, b.scan(0, 9))
	require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Now: 100, Until: 200}), "the aborted Lead took it")
}

// After Close nobody is there to decide: the late success event finds no operation and writes nothing.
func TestTrapACloseBeforeTheDecisionWritesNothing(t *testing.T) {
	name := freshName()
	require.Equal(t, uint64(1), rigOf(t, openStore(t, Options{Name: name})).lead(outbox.Lease{Owner: "a", Until: 100}))
	s := openStore(t, Options{Name: name})
	release := occupy(t, name)
	defer release()
	var lead, commit error
	rigOf(t, s).wait(2, func(ok func()) {
		s.Lead(outbox.Lease{Owner: "b", Now: 100, Until: 200}, func(_ uint64, err error) { lead = err; ok() })
		s.Commit(outbox.Change{Fence: 1, Append: open("a")}, func(_ []uint64, err error) { commit = err; ok() })
		s.Close()
	})
	require.ErrorIs(t, lead, outbox.ErrClosed)
	require.ErrorIs(t, commit, outbox.ErrClosed)
	release()
	b := rigOf(t, openStore(t, Options{Name: name}))
	require.Empty(t, b.scan(0, 9)) // behind the closed store's transactions
	require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Now: 100, Until: 200}))
}

// What throws in the decision stores nothing, and the store goes on.
func TestTrapAThrowInTheDecisionStoresNothing(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	b := rigOf(t, s)
	b.lead(outbox.Lease{Owner: "a", Until: 100})
	_, err := b.commit(outbox.Change{Fence: 1, Append: open("a"), PutOpen: []outbox.Segment{{Seq: 5, Head: []byte("head b")}}})
	require.NoError(t, err)
	b.wait(1, func(ok func()) {
		o := &op{verb: "commit", object: "change", write: true, done: func(e error) { err = e; ok() }}
		s.run(o, inSegments|inState, func(tx js.Value) func() error {
			o.afterLease(tx, func(lease) error {
				in(tx, "segments").Call("put", record([]byte("head x"), nil))
				in(tx, "segments").Call("put", record(nil, nil), js.Global().Get("NaN")) // no key
				return nil
			})
			return nil
		})
	})
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "DataError")
	require.Equal(t, "ba", letters(b.scan(0, 9)))
	require.Empty(t, page.ops)
}

// A damaged record is nobody's: the next page to ask makes it anew, under a token above every one that was given.
func TestStoreADamagedLeaseIsMadeAnew(t *testing.T) {
	for _, row := range []struct {
		name  string
		value any
		want  uint64 // the token that a page gets at 1,000, which knows of 7
	}{
		{"text", "text", 1001},
		{"null", nil, 1001},
		{"no owner", map[string]any{"until": 1, "fence": 1}, 1001},
		{"no owner, a high token", map[string]any{"until": 1, "fence": 5000}, 5001},
		{"no end", map[string]any{"owner": "a", "fence": 1}, 1001},
		{"an end that is no number", map[string]any{"owner": "a", "fence": 5000, "until": "soon"}, 5001},
		{"no token", map[string]any{"owner": "a", "until": 1}, 1001},
		{"token 0", map[string]any{"owner": "a", "until": 1, "fence": 0}, 1001},
		{"half a token", map[string]any{"owner": "a", "until": 1, "fence": 1.5}, 1001},
		{"a token too large to count", map[string]any{"owner": "a", "until": 1, "fence": 1e300}, 1001},
		{"no number a token", map[string]any{"owner": "a", "until": 1, "fence": js.Global().Get("NaN")}, 1001},
	} {
		s := openStore(t, Options{Name: freshName()})
		b := rigOf(t, s)
		tx, err := s.begin(inState, true)
		require.NoError(t, err)
		in(tx, "state").Call("put", js.ValueOf(row.value), leaseKey)
		await(t, tx, "complete")
		_, err = b.commit(outbox.Change{Fence: 1, Append: open("a")})
		require.ErrorIs(t, err, outbox.ErrDamaged, row.name)
		b.stored(outbox.Change{Append: open("b")})
		require.Equal(t, row.want, b.lead(outbox.Lease{Owner: "a", Now: 1000, Until: 1100, Known: 7}), row.name)
		_, err = b.commit(outbox.Change{Fence: 1, Append: open("a")})
		require.ErrorIs(t, err, outbox.ErrFenced, "%s: an old holder", row.name)
		b.stored(outbox.Change{Fence: row.want, Append: open("c")})
		require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: 1099, Until: 1200}), "%s: it is a lease as any", row.name)
		require.Equal(t, row.want+1, b.lead(outbox.Lease{Owner: "b", Now: 1100, Until: 1200}), row.name)
		require.Equal(t, "bc", letters(b.scan(0, 9)), row.name)
	}
}
