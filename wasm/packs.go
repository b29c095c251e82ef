//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
)

// texts are the events of one pack, in the page's hands (web/src/packs.js).
type texts struct {
	page   js.Value // host.packs
	ticket uint32
}

// Text implements outbox.Texts.
func (t texts) Text(i int) ([]byte, int) {
	text := t.page.Call("text", t.ticket, i)
	if text.IsNull() {
		return nil, 0
	}
	return bytesOf(text), t.page.Call("messages", t.ticket, i).Int()
}

// pack takes a run of plain events that host.packs holds under this ticket; bytes are those of its texts. With more, the next call
// brings the next run of the same turn: they go to disk in one transaction.
func (d *driver) pack(ticket, notes, messages int, bytes float64, more bool) {
	t := uint32(ticket)
	d.held = append(d.held, outbox.Pack{Texts: texts{d.packs, t}, Ticket: t, Notes: notes, Messages: messages, Bytes: int64(bytes)})
	if more {
		return
	}
	packs := d.held
	d.held = nil
	d.post(outbox.Packed{Packs: packs})
}

// What follows are the two ways into Go that each append takes, as functions of the module itself: through js.FuncOf an entry
// costs 7 µs, and two objects that Go must watch. The loader puts them in the place of the others (web/src/loader.js).

// exported is the outbox that they are for: the last that was opened.
var exported *driver

//go:wasmexport liffkeep_pack
func exportedPack(ticket, notes, messages int32, bytes float64, more int32) {
	d := exported
	d.guarded(func() { d.pack(int(ticket), int(notes), int(messages), bytes, more != 0) })
}

//go:wasmexport liffkeep_written
func exportedWritten(id int32, seq float64, segments int32) {
	d := exported
	d.guarded(func() { indexeddb.Written(int(id), uint64(seq), int(segments)) })
}
