//go:build js && wasm

package indexeddb

import (
	"syscall/js"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// throwing lets the next calls of transaction throw, one for each name, before it works again.
func throwing(s *Store, names ...any) {
	javaScript(`(db, names) => {
		db.transaction = function (...args) {
			const name = names.shift()
			if (name) throw new DOMException('fake', name)
			return IDBDatabase.prototype.transaction.apply(db, args)
		}
	}`).Invoke(unwrap(s.db), names)
}

// Firefox: after a quota abort one transaction throws InvalidStateError, the next works.
func TestTrapInvalidStateIsTriedOnceMore(t *testing.T) {
	for _, row := range []struct {
		name   string
		throws []any
		stored bool
	}{
		{"once", []any{"InvalidStateError"}, true},
		{"twice", []any{"InvalidStateError", "InvalidStateError"}, false},
		{"another error", []any{"NotFoundError"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			lost := 0
			s := openStore(t, Options{Name: freshName(), OnLost: func(string) { lost++ }})
			throwing(s, row.throws...)
			seqs, err := rigOf(t, s).commit(outbox.Change{Append: open("a")})
			if row.stored {
				require.NoError(t, err)
				require.Len(t, seqs, 1)
				require.Zero(t, lost)
				return
			}
			require.ErrorIs(t, err, outbox.ErrUnavailable)
			require.ErrorContains(t, err, row.throws[0].(string))
			until(t, func() bool { return lost == 1 })
		})
	}
}

func TestTrapAbortsAreReadByTheirName(t *testing.T) {
	for _, row := range []struct {
		name string
		want error
		lost int
	}{
		{"QuotaExceededError", outbox.ErrFull, 0},
		{"ConstraintError", outbox.ErrUnavailable, 0},
		{"UnknownError", outbox.ErrUnavailable, 1}, // WebKit: "Connection to Indexed Database server lost"
	} {
		t.Run(row.name, func(t *testing.T) {
			lost := 0
			s := withoutCommit(openStore(t, Options{Name: freshName(), OnLost: func(string) { lost++ }}))
			var err error
			rigOf(t, s).wait(1, func(ok func()) {
				s.Commit(outbox.Change{Append: open("a")}, func(_ []uint64, e error) { err = e; ok() })
				o := only(t, s)
				js.Global().Get("Object").Call("defineProperty", o.tx, "error", map[string]any{
					"value": js.Global().Get("DOMException").New("fake", row.name),
				})
				o.tx.Call("abort")
			})
			require.ErrorIs(t, err, row.want)
			require.ErrorContains(t, err, row.name+": fake")
			time.Sleep(time.Millisecond) // OnLost is posted after the answer
			require.Equal(t, row.lost, lost)
		})
	}
}

// A done that panics takes its operation with it and leaves the others their turn.
func TestTrapAPanickingAnswerLeavesNothingBehind(t *testing.T) {
	s := openStore(t, Options{Name: freshName()})
	s.Commit(outbox.Change{Append: open("a")}, func([]uint64, error) { panic("the driver's bug") })
	o := only(t, s)
	o.read = nil // a result that is not there yet cannot be read
	require.Panics(t, func() { page.take(o.id).complete(o.tx) })
	require.Empty(t, page.ops)

	second := false
	page.queue = append(page.queue, func() { panic("the driver's bug") }, func() { second = true })
	require.Panics(t, page.drain)
	until(t, func() bool { return second })
}
