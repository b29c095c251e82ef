//go:build js && wasm

package indexeddb

import (
	"context"
	"errors"
	"syscall/js"
	"testing"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// Each test shows a trap, in the library where it is cheap, and then that Store does not have it.

// libraryDB is a database as a direct user of the library would have it.
func libraryDB(t *testing.T) *idb.Database {
	t.Helper()
	req, err := idb.Global().Open(context.Background(), freshName(), 1, func(db *idb.Database, _, _ uint) error {
		_, err := db.CreateObjectStore("rows", idb.ObjectStoreOptions{AutoIncrement: true})
		return err
	})
	require.NoError(t, err)
	db, err := req.Await(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func libraryTx(t *testing.T, db *idb.Database) (*idb.Transaction, *idb.ObjectStore) {
	t.Helper()
	tx, err := db.Transaction(idb.TransactionReadWrite, "rows")
	require.NoError(t, err)
	rows, err := tx.ObjectStore("rows")
	require.NoError(t, err)
	return tx, rows
}

// withoutCommit leaves transactions to end by themselves, as engines without commit() do, so that a test can abort one.
func withoutCommit(s *Store) *Store {
	s.hasCommit = false
	return s
}

// only is the one operation under way of s.
func only(t *testing.T, s *Store) *op {
	t.Helper()
	var found *op
	for _, o := range page.ops {
		if o.store == s {
			require.Nil(t, found)
			found = o
		}
	}
	require.NotNil(t, found)
	return found
}

// The library answers nil although the row is gone; tx.error is null, as WebKit's is on a full disk.
func TestTrapAnAbortIsAnError(t *testing.T) {
	db := libraryDB(t)
	tx, rows := libraryTx(t, db)
	put, err := rows.Put(js.ValueOf("a"))
	require.NoError(t, err)
	_, err = put.Await(context.Background())
	require.NoError(t, err)
	require.NoError(t, tx.Abort())
	require.NoError(t, tx.Await(context.Background()), "the trap is gone from the library")

	lost := false
	s := withoutCommit(openStore(t, Options{Name: freshName(), OnLost: func(string) { lost = true }}))
	b := rigOf(t, s)
	b.wait(1, func(ok func()) {
		s.Commit(outbox.Change{Append: open("a")}, func(seqs []uint64, err error) {
			require.ErrorIs(t, err, outbox.ErrFull, "what WebKit means by it")
			require.EqualError(t, err, "indexeddb: commit change: storage full: aborted by the browser")
			require.False(t, Unknown(err))
			require.Nil(t, seqs)
			ok()
		})
		o := only(t, s)
		o.tx.Call("abort")
		require.True(t, o.tx.Get("error").IsNull())
	})
	require.Empty(t, b.scan(0, 9))
	require.False(t, lost, "one abort is no dead connection")
	require.Len(t, b.stored(outbox.Change{Append: open("b")}), 1)
}

// The library's tx.Await never returns when it is called after completion.
func TestTrapCompletionIsNeverMissed(t *testing.T) {
	tx, rows := libraryTx(t, libraryDB(t))
	_, err := rows.Put(js.ValueOf("a"))
	require.NoError(t, err)
	require.NoError(t, tx.Await(context.Background()))
	returned := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = tx.Await(ctx); close(returned) }()
	select {
	case <-returned:
		require.Fail(t, "the trap is gone from the library")
	case <-time.After(20 * time.Millisecond):
	}

	s := openStore(t, Options{Name: freshName()})
	count := 0
	s.Commit(outbox.Change{Append: open("a")}, func(_ []uint64, err error) {
		require.NoError(t, err)
		count++
	})
	o := only(t, s)
	until(t, func() bool { return count > 0 })
	o.tx.Call("dispatchEvent", js.Global().Get("Event").New("complete")) // a second event for the same transaction
	o.tx.Call("dispatchEvent", js.Global().Get("Event").New("abort"))
	require.Equal(t, 1, count)
}

// A put after the goroutine slept fails in the library: the transaction has ended by itself.
func TestTrapAPauseEndsATransaction(t *testing.T) {
	_, rows := libraryTx(t, libraryDB(t))
	_, err := rows.Put(js.ValueOf("a"))
	require.NoError(t, err)
	time.Sleep(20 * time.Millisecond)
	_, err = rows.Put(js.ValueOf("b"))
	require.Error(t, err, "the trap is gone from the library")
	require.False(t, errors.Is(err, idb.NewDOMException("TransactionInactiveError")), "the library hides the name")

	b := rigOf(t, openStore(t, Options{Name: freshName()}))
	for _, letter := range []string{"a", "b"} {
		b.stored(outbox.Change{Append: open(letter)})
		time.Sleep(20 * time.Millisecond)
	}
	require.Equal(t, "ab", letters(b.scan(0, 9)))
}

// A synchronous throw inside the library is no DOMException for errors.Is; ours has its name.
func TestTrapASynchronousThrowHasItsName(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	_, err := s.db.Call("transaction", "nothing")
	require.Error(t, err)
	require.False(t, errors.Is(err, idb.NewDOMException("NotFoundError")), "the trap is gone from the library")
	require.Equal(t, "NotFoundError", failure("open", "transaction", err).Name)
}

// What throws in the middle of a Commit stores nothing, and the store goes on.
func TestTrapAThrowInTheMiddleStoresNothing(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	b := rigOf(t, s)
	b.wait(1, func(ok func()) {
		s.run(&op{verb: "commit", object: "change", write: true, done: func(err error) {
			require.ErrorIs(t, err, outbox.ErrUnavailable)
			require.ErrorContains(t, err, "DataError")
			ok()
		}}, inSegments, func(tx js.Value) func() error {
			in(tx, "segments").Call("put", record([]byte("head a"), nil))
			in(tx, "segments").Call("put", record(nil, nil), js.Global().Get("NaN")) // no key
			return nil
		})
	})
	require.Empty(t, b.scan(0, 9))
	require.Empty(t, page.ops)
}

// The library closes on versionchange without a word.
func TestTrapVersionChangeIsTold(t *testing.T) {
	name := freshName()
	var lost []string
	s := openStore(t, Options{Name: name, OnLost: func(reason string) { lost = append(lost, reason) }})
	rigOf(t, s).stored(outbox.Change{Append: open("a")})

	req := js.Global().Get("indexedDB").Call("open", name, schemaVersion+1) // the next version of the page
	await(t, req, "success")
	until(t, func() bool { return len(lost) > 0 })
	_, err := rigOf(t, s).commit(outbox.Change{Append: open("b")})
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "versionchange")
	require.Equal(t, []string{"versionchange"}, lost)
	require.NotContains(t, page.stores, s.id)

	_, err = openResult(Options{Name: name})
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "VersionError")
	req.Get("result").Call("close")

	s.Close()
	_, err = rigOf(t, s).commit(outbox.Change{})
	require.ErrorIs(t, err, outbox.ErrClosed)
}

func TestTrapAfterALostConnectionTheDatabaseOpensAgain(t *testing.T) {
	name := freshName()
	for _, reason := range []string{"versionchange", "close"} {
		var lost []string
		s := openStore(t, Options{Name: name, OnLost: func(r string) { lost = append(lost, r) }})
		unwrap(s.db).Call("dispatchEvent", js.Global().Get("Event").New(reason))
		until(t, func() bool { return len(lost) > 0 })
		require.Equal(t, []string{reason}, lost)
		rigOf(t, openStore(t, Options{Name: name})).stored(outbox.Change{Append: open("a")})
	}
}

// A connection that the browser has dropped throws InvalidStateError at every transaction.
func TestTrapADeadConnectionIsToldOnce(t *testing.T) {
	var lost []string
	s := openStore(t, Options{Name: freshName(), OnLost: func(r string) { lost = append(lost, r) }})
	unwrap(s.db).Call("close") // behind the store's back
	for range 2 {
		_, err := rigOf(t, s).commit(outbox.Change{Append: open("a")})
		require.ErrorIs(t, err, outbox.ErrUnavailable)
		require.False(t, Unknown(err))
	}
	require.Equal(t, []string{"connection"}, lost)
}
