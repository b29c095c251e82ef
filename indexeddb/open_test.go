//go:build js && wasm

package indexeddb

import (
	"syscall/js"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// javaScript evaluates an expression: only JavaScript can throw what these tests need.
func javaScript(expression string) js.Value {
	return js.Global().Get("eval").Invoke("(" + expression + ")")
}

// Lockdown Mode has no IndexedDB, and the library panics there. Others refuse it by throwing.
func TestTrapNoIndexedDBIsAnError(t *testing.T) {
	for _, row := range []struct {
		name, property, want string
	}{
		{"missing", `{value: undefined}`, "no IndexedDB"},
		{"the getter throws", `{get() { throw new DOMException('denied', 'SecurityError') }}`, "SecurityError: denied"},
		{"open throws", `{value: {open() { throw new DOMException('denied', 'SecurityError') }}}`, "SecurityError: denied"},
		{"open gives no request", `{value: {open() { return {} }}}`, "Invalid JS request type"},
		{"no open at all", `{value: {}}`, "property open is not a function"},
	} {
		t.Run(row.name, func(t *testing.T) {
			real := javaScript(`Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')`)
			javaScript(`Object.defineProperty(globalThis, 'indexedDB', Object.defineProperty(` + row.property + `, 'configurable', {value: true}))`)
			defer javaScript(`d => Object.defineProperty(globalThis, 'indexedDB', d)`).Invoke(real)
			s, err := openResult(Options{Name: freshName()})
			require.Nil(t, s)
			require.ErrorIs(t, err, outbox.ErrUnavailable)
			require.ErrorContains(t, err, row.want)
			require.Empty(t, page.ops)
		})
	}
}

// The browser may undo the upgrade while we are in it (quota, a page that is closing).
func TestTrapAnUpgradeThatTheBrowserAbortsIsAnError(t *testing.T) {
	name := freshName()
	javaScript(`globalThis.realOpen = IDBFactory.prototype.open`)
	javaScript(`IDBFactory.prototype.open = function (...args) {
		const request = globalThis.realOpen.apply(this, args)
		request.addEventListener('upgradeneeded', () => request.transaction.abort())
		return request
	}`)
	s, err := openResult(Options{Name: name})
	javaScript(`IDBFactory.prototype.open = globalThis.realOpen`)
	require.Nil(t, s)
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "open "+name+": storage unavailable")
	rigOf(t, openStore(t, Options{Name: name})).stored(outbox.Change{Append: open("a")})
}

// In the library an error of the upgrade is a panic, which ends the Go program.
func TestTrapAFailedUpgradeIsUndone(t *testing.T) {
	name := freshName()
	javaScript(`globalThis.realCreate = IDBDatabase.prototype.createObjectStore`)
	restore := func() { javaScript(`IDBDatabase.prototype.createObjectStore = globalThis.realCreate`) }
	defer restore()
	javaScript(`IDBDatabase.prototype.createObjectStore = function (name, options) {
		if (name === 'ledger') throw new DOMException('fake', 'ConstraintError')
		return globalThis.realCreate.call(this, name, options)
	}`)
	s, err := openResult(Options{Name: name})
	require.Nil(t, s)
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "ConstraintError: fake")

	restore()
	rigOf(t, openStore(t, Options{Name: name})).stored(outbox.Change{Append: open("a")})
}

func TestTrapAForeignDatabaseIsRefused(t *testing.T) {
	name := freshName()
	req := js.Global().Get("indexedDB").Call("open", name, schemaVersion) // our version without our object stores
	await(t, req, "success")
	req.Get("result").Call("close")
	_, err := openResult(Options{Name: name})
	require.ErrorIs(t, err, outbox.ErrUnavailable)
	require.ErrorContains(t, err, "NotFoundError")
}
