//go:build js && wasm

package indexeddb

import (
	"strings"
	"syscall/js"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

func init() {
	browserBlob = func(text string) any { return js.Global().Get("Blob").New([]any{text}) }
	browserText = func(blob any) string { return awaited(blob.(js.Value).Call("text")).String() }
}

// awaited is what a promise resolves with.
func awaited(promise js.Value) js.Value {
	got := make(chan js.Value, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any { got <- args[0]; return nil })
	defer then.Release()
	promise.Call("then", then)
	return <-got
}

// A megabyte and more is on disk when Commit answers, and comes back as it was through another connection.
func TestMediaOfMegabytesOutliveTheConnection(t *testing.T) {
	name, text := freshName(), strings.Repeat("0123456789abcdef", 1<<16)
	first := openStore(t, Options{Name: name, Strict: true})
	rigOf(t, first).stored(outbox.Change{Append: open("a"), PutMedia: []outbox.MediaRow{{ID: "n.1", Blob: browserBlob(text)}}})
	first.Close()
	got, err := rigOf(t, openStore(t, Options{Name: name})).media("n.1")
	require.NoError(t, err)
	require.Equal(t, text, got[0])
}

// A database of version 1 gets the object store that it lacks; what is in it stays, and its numbers go on.
func TestTheSchemaOfVersion1IsUpgraded(t *testing.T) {
	name := freshName()
	old := awaited(javaScript(`(name) => new Promise((resolve, reject) => {
		const request = indexedDB.open(name, 1)
		request.onerror = () => reject(request.error)
		request.onupgradeneeded = () => {
			for (const store of ['segments', 'batches', 'dead', 'keys', 'ledger', 'archive', 'state']) {
				request.result.createObjectStore(store, { autoIncrement: store === 'segments' })
			}
		}
		request.onsuccess = () => {
			const db = request.result
			const tx = db.transaction(['segments', 'batches', 'state'], 'readwrite')
			const text = (s) => new TextEncoder().encode(s)
			for (const letter of 'ab') tx.objectStore('segments').add({ h: text('head ' + letter), b: text('body ' + letter) })
			tx.objectStore('batches').put({ h: text('sealed'), b: text('bytes') }, 7)
			tx.objectStore('state').put(text('books'), 'core')
			tx.objectStore('state').put({ owner: 'me', until: 5, fence: 3 }, 'lease')
			tx.oncomplete = () => { db.close(); resolve(true) }
		}
	})`).Invoke(name))
	require.True(t, old.Bool())

	b := rigOf(t, openStore(t, Options{Name: name}))
	require.Equal(t, "ab", letters(b.segments(0, 99)))
	loaded, err := b.load()
	require.NoError(t, err)
	require.Equal(t, outbox.Loaded{State: []byte("books"), Batches: []outbox.BatchRecord{{ID: 7, Head: []byte("sealed")}}}, loaded)
	require.Equal(t, []uint64{3}, b.stored(outbox.Change{Append: open("c"), PutMedia: []outbox.MediaRow{{ID: "n.1", Blob: browserBlob("voice")}}}))
	got, err := b.media("n.1")
	require.NoError(t, err)
	require.Equal(t, []string{"voice"}, got)
	require.Equal(t, uint64(4), b.lead(outbox.Lease{Owner: "you", Now: 10, Until: 20}), "the token goes on")
}
