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
	"os"
	"syscall/js"

	"github.com/hack-pad/safejs"
)

// ABI is compared with the loader's number: a page must never run a module of another release.
const ABI = 1

// main finds the slot that the loader made, takes it out of the global object and answers with {abi, open}.
func main() {
	if len(os.Args) < 2 {
		return
	}
	slot, err := safejs.Global().Get(os.Args[1])
	if err != nil || slot.Type() != safejs.TypeObject {
		return
	}
	open := js.FuncOf(func(_ js.Value, args []js.Value) any { return openBridge(args[0]) })
	if _, err := slot.Call("ready", map[string]any{"abi": ABI, "open": safejs.Safe(open.Value)}); err != nil {
		return
	}
	select {} // the exported functions live as long as the page
}
