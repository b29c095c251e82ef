//go:build js && wasm

package indexeddb

import (
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/web"
	"github.com/stretchr/testify/require"
)

// pagePacks is the page's end of packs, the script that ships.
var pagePacks = js.Global().Get("Function").New(strings.Replace(web.PacksJS, "export class", "return class", 1)).Invoke().New()

func init() {
	keepPack = func(p outbox.Pack, texts packTexts) {
		items := js.Global().Get("Array").New()
		for i, text := range texts {
			_, messages := texts.Text(i)
			items.Call("push", map[string]any{"text": text, "messages": messages, "bytes": len(text)})
		}
		pagePacks.Call("add", p.Ticket, items, float64(p.Bytes))
	}
}

// plain is a Change of one pack with one event.
func plain(text string) outbox.Change {
	return outbox.Change{Append: []outbox.Segment{{Pack: packOf(7, 1, `{"messages":[{"text":"`+text+`"}]}`)}}}
}

// A write of packs that the browser refuses is answered once, with nothing stored and nothing left behind.
func TestPackThatIsRefused(t *testing.T) {
	quota := func() any { return js.Global().Get("DOMException").New("fake", "QuotaExceededError") }
	throw := func(what func() any) js.Value { // a function that throws it
		return js.Global().Get("Function").New("error", "return function () { throw error }").Invoke(what())
	}
	for name, row := range map[string]struct {
		spoil func(s *Store)
		want  error
		lost  int
	}{
		"the connection is gone": {func(s *Store) { _, _ = s.db.Call("close") }, outbox.ErrUnavailable, 1},
		"a record cannot be added": {func(s *Store) {
			proto := js.Global().Get("IDBObjectStore").Get("prototype")
			add := proto.Get("add")
			proto.Set("add", throw(quota))
			page.post(func() { proto.Set("add", add) })
		}, outbox.ErrFull, 0},
	} {
		t.Run(name, func(t *testing.T) {
			lost := 0
			s := openStore(t, Options{Name: freshName(), OnLost: func(string) { lost++ }})
			row.spoil(s)
			_, err := rigOf(t, s).commit(plain("refused"))
			require.ErrorIs(t, err, row.want)
			require.False(t, Unknown(err))
			time.Sleep(time.Millisecond)
			require.Equal(t, row.lost, lost)
			require.Empty(t, page.ops)
			if row.lost == 0 {
				require.Empty(t, rigOf(t, s).scan(0, 10))
				_, err = rigOf(t, s).commit(plain("taken"))
				require.NoError(t, err, "the next one goes")
			}
		})
	}
}

// A write that takes too long is aborted, so that nothing of it is stored, and the connection is given up.
func TestPackThatTakesTooLongIsAborted(t *testing.T) {
	name := freshName()
	s := openStore(t, Options{Name: name})
	s.packs = packsOf(pagePacks, unwrap(s.db), s.writeOptions, false) // after commit() it is too late
	var err error
	rigOf(t, s).wait(1, func(ok func()) {
		s.Commit(plain("late"), func(_ []uint64, e error) { err = e; ok() })
		o := only(t, s)
		o.expire(page.take(o.id) != nil)
	})
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.False(t, Unknown(err), "it was stopped")
	require.Empty(t, rigOf(t, openStore(t, Options{Name: name})).scan(0, 10))
}
