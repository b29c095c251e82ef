//go:build js && wasm

package indexeddb

import (
	"syscall/js"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// occupy keeps a transaction of another connection open over every object store until the returned func is called:
// whatever our store begins in the meantime waits.
func occupy(t *testing.T, name string) (release func()) {
	t.Helper()
	req := js.Global().Get("indexedDB").Call("open", name)
	await(t, req, "success")
	db := req.Get("result")
	tx := db.Call("transaction", db.Get("objectStoreNames"), "readwrite")
	store := tx.Call("objectStore", "state")
	var again js.Func
	busy := true
	again = js.FuncOf(func(js.Value, []js.Value) any {
		if busy {
			store.Call("get", "x").Set("onsuccess", again)
		}
		return nil
	})
	store.Call("get", "x").Set("onsuccess", again)
	return func() {
		if busy {
			busy = false
			await(t, tx, "complete")
			db.Call("close")
			again.Release()
		}
	}
}

// hasty gives a store that is open little time for what follows: opening itself may take long on a busy machine.
func hasty(s *Store) *Store {
	s.timeout = 60 * time.Millisecond
	return s
}

// Requests of a backgrounded page on iOS may hang for good.
func TestTrapAHangingOperationEndsInATimeOut(t *testing.T) {
	name := freshName()
	var lost []string
	s := hasty(openStore(t, Options{Name: name, OnLost: func(r string) { lost = append(lost, r) }}))
	release := occupy(t, name)
	defer release()

	var commit, scan []error
	s.Commit(outbox.Change{Append: open("a")}, func(_ []uint64, err error) { commit = append(commit, err) })
	s.Scan(0, 9, func(_ []outbox.Segment, err error) { scan = append(scan, err) })
	until(t, func() bool { return len(lost) > 0 && len(commit) > 0 && len(scan) > 0 })
	require.ErrorIs(t, commit[0], outbox.ErrUnavailable)
	require.EqualError(t, commit[0], "indexeddb: commit change: storage unavailable: TimeoutError")
	require.True(t, Unknown(commit[0]), "commit() was called: it may still be stored")
	require.ErrorIs(t, scan[0], outbox.ErrUnavailable)
	require.False(t, Unknown(scan[0]), "a read leaves nothing open")
	require.Empty(t, page.ops)

	release()
	time.Sleep(20 * time.Millisecond) // the late events
	require.Len(t, commit, 1)
	require.Len(t, scan, 1)
	require.Equal(t, []string{"timeout"}, lost)

	_, err := rigOf(t, s).commit(outbox.Change{})
	require.ErrorContains(t, err, "timeout")
	again := rigOf(t, openStore(t, Options{Name: name}))
	require.Equal(t, "a", letters(again.scan(0, 9)), "and so it was stored: only a new Load knows")
}

// Without commit() the time-out aborts the transaction, and then it is certain that nothing is stored.
func TestTrapAnAbortedTimeOutStoresNothing(t *testing.T) {
	name := freshName()
	s := withoutCommit(hasty(openStore(t, Options{Name: name})))
	release := occupy(t, name)
	defer release()
	_, err := rigOf(t, s).commit(outbox.Change{Append: open("a")})
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.False(t, Unknown(err))
	release()
	require.Empty(t, rigOf(t, openStore(t, Options{Name: name})).scan(0, 9))
}

// There is no blocked hook in the library: an opening that is held back ends in the time-out, and what comes late is closed.
func TestTrapABlockedOpeningEndsInATimeOut(t *testing.T) {
	name := freshName()
	holder := js.Global().Get("indexedDB").Call("open", name, 1)
	await(t, holder, "success")
	drop := js.Global().Get("indexedDB").Call("deleteDatabase", name) // waits for the holder, and our opening for it
	answers := 0
	var err error
	Open(Options{Name: name, Timeout: 60 * time.Millisecond}, func(s *Store, e error) {
		require.Nil(t, s)
		err = e
		answers++
	})
	until(t, func() bool { return answers > 0 })
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "open "+name+": storage unavailable: TimeoutError")

	stores := len(page.stores)
	holder.Get("result").Call("close")
	await(t, drop, "success")
	time.Sleep(20 * time.Millisecond)
	require.Equal(t, 1, answers)
	require.Len(t, page.stores, stores, "the late connection became a store")
	answered := make(chan error)
	Delete(name, func(err error) { answered <- err }) // would wait for ever for a connection that was left open
	require.NoError(t, <-answered)
}

// A frozen page gets its timers before its database events: the watchdog must not take the freeze for a hanging database.
func TestTrapAPageThatSleptGetsItsTimeOnceMore(t *testing.T) {
	s := openStore(t, Options{Name: freshName(), Timeout: time.Minute})
	var answers []error
	s.Commit(outbox.Change{Append: open("a")}, func(_ []uint64, err error) { answers = append(answers, err) })
	o := only(t, s)
	wake := page.armed.Add(oversleep + time.Hour)
	page.watch(wake)
	require.Same(t, o, only(t, s), "it expired at the first late timer")
	require.Equal(t, wake.Add(time.Minute), o.deadline)
	until(t, func() bool { return len(answers) > 0 })
	require.NoError(t, answers[0])

	s.Commit(outbox.Change{Append: open("b")}, func(_ []uint64, err error) { answers = append(answers, err) })
	page.watch(page.armed.Add(oversleep + time.Hour))
	page.watch(page.armed.Add(oversleep + time.Hour)) // late again: it is not spared for ever
	until(t, func() bool { return len(answers) > 1 })
	require.ErrorContains(t, answers[1], "TimeoutError")
}
