//go:build js && wasm

package main

import (
	"syscall/js"

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

// packOf reads the arguments of pack: ticket, notes, messages, bytes.
func (d *driver) packOf(args []js.Value) outbox.Pack {
	t := ticket(args[0])
	return outbox.Pack{Texts: texts{d.packs, t}, Ticket: t, Notes: args[1].Int(), Messages: args[2].Int(), Bytes: int64(args[3].Float())}
}
