//go:build js && wasm

package main

import (
	"syscall/js"
)

// Calls into JavaScript here are plain syscall/js: an exception is a panic, and the driver's guard, which every entry
// from JavaScript runs under, makes it a typed error (safejs at each call would be 30 kB of the module).

// str returns a property as text, or "" where it is absent or no string.
func str(v js.Value, name string) string {
	if p := v.Get(name); p.Type() == js.TypeString {
		return p.String()
	}
	return ""
}

// num returns a property as a number, or def where it is absent or no number.
func num(v js.Value, name string, def float64) float64 {
	if p := v.Get(name); p.Type() == js.TypeNumber {
		return p.Float()
	}
	return def
}

// list returns a property that is an array of strings.
func list(v js.Value, name string) (out []string) {
	p := v.Get(name)
	if p.Type() != js.TypeObject {
		return nil
	}
	for i := range p.Length() {
		if item := p.Index(i); item.Type() == js.TypeString {
			out = append(out, item.String())
		}
	}
	return out
}

var uint8Array = js.Global().Get("Uint8Array")

// bytesOf copies a Uint8Array.
func bytesOf(v js.Value) []byte {
	out := make([]byte, v.Length())
	js.CopyBytesToGo(out, v)
	return out
}

// arrayOf copies b into a new Uint8Array.
func arrayOf(b []byte) js.Value {
	a := uint8Array.New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}

// then calls done once with what a promise brings: its value, or its reason with ok false. The two listeners are released
// by whichever comes. Both run under the guard.
func (d *driver) then(promise js.Value, done func(v js.Value, ok bool)) {
	var listeners [2]js.Func
	for i := range listeners {
		listeners[i] = js.FuncOf(func(_ js.Value, args []js.Value) any {
			listeners[0].Release()
			listeners[1].Release()
			d.guarded(func() { done(args[0], i == 0) })
			return nil
		})
	}
	promise.Call("then", listeners[0], listeners[1])
}
