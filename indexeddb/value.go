//go:build js && wasm

package indexeddb

import (
	"math"
	"syscall/js"
	"unsafe"

	"github.com/liff-keep/liff-keep/outbox"
)

// The constructors are undefined where the engine lacks them (Lockdown Mode); they are used only with an open database.
var (
	object       = js.Global().Get("Object")
	uint8Array   = js.Global().Get("Uint8Array")
	float64Array = js.Global().Get("Float64Array")
	keyRange     = js.Global().Get("IDBKeyRange")
)

// bytesOf copies b into a new Uint8Array.
func bytesOf(b []byte) js.Value {
	a := uint8Array.New(len(b))
	if len(b) > 0 {
		js.CopyBytesToJS(a, b)
	}
	return a
}

// scratch takes small arrays, so that their length need not be asked: each question to JavaScript costs about 1 µs.
var scratch [4096]byte

// goBytes copies a Uint8Array into Go; an empty one is nil. Anything else panics, and the reader's guard makes that
// ErrDamaged.
func goBytes(a js.Value) []byte {
	n := js.CopyBytesToGo(scratch[:], a)
	if n < len(scratch) {
		return copied(scratch[:n])
	}
	b := make([]byte, a.Length())
	js.CopyBytesToGo(b, a)
	return b
}

// record is {h: head, b: body}, of bytes; of a pack it is of text.
func record(head, body []byte) js.Value {
	r := object.New()
	r.Set("h", bytesOf(head))
	r.Set("b", bytesOf(body))
	return r
}

// readRecord takes a record apart; the body is copied only when it is wanted.
func readRecord(r js.Value, withBody bool) (b blob) {
	b.head = field(r, "h")
	if withBody {
		b.body = field(r, "b")
	}
	return b
}

func field(r js.Value, name string) []byte {
	v := r.Get(name)
	if v.Type() == js.TypeString {
		s := v.String()
		return unsafe.Slice(unsafe.StringData(s), len(s)) // fresh, and nobody else's: a copy would be the third
	}
	return goBytes(v)
}

// rows walks through what a getAllKeys and a getAll with the same range brought.
func rows(keys, values js.Value, each func(key, value js.Value)) {
	keys, values = keys.Get("result"), values.Get("result")
	for i, n := 0, keys.Length(); i < n; i++ {
		each(keys.Index(i), values.Index(i))
	}
}

// numbers is the array of numbers that a getAllKeys brought, taken over in one copy.
func numbers(keys js.Value) []uint64 {
	floats := float64Array.New(keys.Get("result"))
	raw := make([]byte, floats.Get("byteLength").Int())
	js.CopyBytesToGo(raw, uint8Array.New(floats.Get("buffer")))
	out := make([]uint64, len(raw)/8)
	for i := range out {
		var bits uint64
		for j := 7; j >= 0; j-- { // little-endian on every platform with a browser
			bits = bits<<8 | uint64(raw[8*i+j])
		}
		out[i] = uint64(math.Float64frombits(bits))
	}
	return out
}

// between is the range from ≤ key ≤ to; the caller has made sure that it is not inverted.
func between(from, to uint64) js.Value { return keyRange.Call("bound", from, to) }

// position is the key of a ledger row or an archived batch as an array: it sorts by time, then by counter or ID.
func position(p outbox.LedgerPos) js.Value { return js.ValueOf([]any{p.At, p.N}) }

// before is the position that sorts before all rows of that moment.
func before(at int64) js.Value { return js.ValueOf([]any{at}) }
