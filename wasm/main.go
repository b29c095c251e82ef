//go:build js && wasm

// Command wasm is the module that a page loads: the edges around the pure core. It holds wiring and no rules.
//
//	main    hands `open` to the loader and stays
//	bridge  what JavaScript may call, and the answers (one call a burst)
//	driver  the one loop and the one timer around outbox.Core
//	fetch   one request with a deadline
//	jsval   the few typed ways into JavaScript
package main

import (
	"syscall/js"

	"github.com/hack-pad/safejs"
)

// ABI is compared with the loader's number: a page must never run a module of another release.
const ABI = 4

// slotName is where the loader waits. It stands there only while main runs, which nothing on the page's one thread can
// interrupt. An argument of the program would bring package os, 12 kB of the module.
const slotName = "liff-keep module"

// main finds the slot that the loader made and answers with {abi, open}.
func main() {
	slot, err := safejs.Global().Get(slotName)
	if err != nil || slot.Type() != safejs.TypeObject {
		return
	}
	open := js.FuncOf(func(_ js.Value, args []js.Value) any { return openBridge(args[0]) })
	if _, err := slot.Call("ready", map[string]any{"abi": ABI, "open": safejs.Safe(open.Value)}); err != nil {
		return
	}
	select {} // the exported functions live as long as the page
}
