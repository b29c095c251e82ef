// Moments at which a test program kills the browser. A window is "WHAT:WHEN": WHAT is a write of the outbox or the
// request, told by what it touches, WHEN is before its commit, during it, or after it and before the outbox is told.
//
//	append  a segment is added            seal    a batch is put
//	mark    only the state is put         settle  a batch is deleted
//	answer  the service's answer is here, and the outbox has not seen it
//
// Nothing of the outbox is changed: the browser's own functions are wrapped from outside, and at the armed moment the
// page waits in a synchronous request (before, after) until it is killed, or tells and goes on (during).

const STATE = 'core' // the key of the outbox's state; beside it lies the lease

/** Wraps IndexedDB and fetch; `at(window, wait)` is called at each moment. */
export const watch = (at) => {
  const writes = new WeakMap() // transaction → what it has touched
  const note = (store, method, key) => {
    const seen = writes.get(store.transaction)
    if (!seen || store.name === 'state' && key !== STATE) return
    seen.add(`${store.name}.${method}`)
    if (store.name === 'state') ready(store.transaction) // the last request of a write that has one
  }
  const ready = (transaction) => {
    const seen = writes.get(transaction)
    const what = seen && kind(seen)
    if (!what || seen.has('ready')) return
    seen.add('ready')
    at(`${what}:before`, true)
    queueMicrotask(() => at(`${what}:during`, false))
  }

  wrap(IDBDatabase.prototype, 'transaction', (original) => function (...args) {
    const transaction = original.apply(this, args)
    if (args[1] !== 'readwrite') return transaction
    const seen = new Set()
    writes.set(transaction, seen)
    transaction.addEventListener('complete', () => { // comes before the outbox's own listener
      const what = kind(seen)
      if (what) at(`${what}:after`, true)
    })
    return transaction
  })
  for (const method of ['put', 'add', 'delete']) {
    wrap(IDBObjectStore.prototype, method, (original) => function (...args) {
      const request = original.apply(this, args)
      note(this, method, method === 'delete' ? args[0] : args[1])
      return request
    })
  }
  wrap(IDBTransaction.prototype, 'commit', (original) => original && function () {
    ready(this)
    return original.call(this)
  })
  wrap(globalThis, 'fetch', (original) => async function (address, init) {
    const response = await original.call(globalThis, address, init)
    if (init?.method === 'POST' && new URL(address, location.href).pathname === '/v1/keep/note') at('answer:after', true)
    return response
  })
}

/** What a transaction is, by what it touched. */
const kind = (seen) =>
  seen.has('batches.delete') ? 'settle'
    : seen.has('batches.put') ? 'seal'
      : seen.has('segments.add') ? 'append'
        : seen.has('state.put') ? 'mark' : undefined

const wrap = (owner, name, make) => {
  const made = make(owner[name])
  if (made) owner[name] = made
}
