//go:build js && wasm

package indexeddb

import (
	"errors"
	"runtime"
	"syscall/js"
)

// guard runs f and returns as an error what JavaScript threw, or what syscall/js refused, inside it: here js.Error
// becomes an error. safejs does the same for one call; guard does it for the hundreds of calls of one transaction.
// A bug of ours (nil, index) stays a panic.
func guard(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			panic(r)
		case error: // js.Error, *js.ValueError
			err = r
		case string: // "syscall/js: Value.Call: property put is not a function"
			err = errors.New(r)
		default:
			panic(r)
		}
	}()
	return f()
}

// failure is err, thrown by JavaScript or by safejs, with verb and object, by the DOM exception's name.
func failure(verb, object string, err error) *Error {
	for e := err; e != nil; e = errors.Unwrap(e) { // errors.As would bring 20 kB of reflection
		switch e := e.(type) {
		case *Error:
			return e
		case js.Error:
			return exception(verb, object, e.Value)
		}
	}
	return &Error{Verb: verb, Object: object, Detail: err.Error(), Kind: kindOf("")}
}

// exception is the DOMException e, as an event's target.error holds it; e may be null (WebKit on a full disk).
func exception(verb, object string, e js.Value) *Error {
	out := &Error{Verb: verb, Object: object}
	if e.Type() == js.TypeObject {
		out.Name, out.Detail = text(e, "name"), text(e, "message")
	}
	out.Kind = kindOf(out.Name)
	return out
}

func text(o js.Value, property string) string {
	if v := o.Get(property); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}
