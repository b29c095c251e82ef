/**
 * One page sends, all append (invariant 8): holds the Web Lock `name` for as long as the page lives. `lead(on)` is told
 * at once whether this page is the sender, and again when it becomes it because the other one has gone. Where the browser
 * has no locks, this page sends. Returns the function that lets go.
 */
export function elect(name, lead) {
  const locks = globalThis.navigator?.locks
  if (!locks) {
    lead(true)
    return () => {}
  }
  const waiting = new AbortController()
  let release
  const hold = () => {
    lead(true)
    return new Promise((resolve) => { release = resolve })
  }
  locks.request(name, { ifAvailable: true }, (lock) => {
    if (waiting.signal.aborted) return undefined
    if (lock) return hold()
    lead(false)
    locks.request(name, { signal: waiting.signal }, hold).catch(() => {}) // AbortError: this page let go
    return undefined
  }).catch(() => lead(true)) // locks are there but refused (opaque origin): nobody else can hold it
  return () => {
    waiting.abort()
    release?.()
  }
}

/** Tells the other pages of this outbox what happened; `hear` gets their words. */
export function channel(name, hear) {
  if (typeof BroadcastChannel !== 'function') return { say() {}, close() {} }
  const bc = new BroadcastChannel(name)
  bc.onmessage = (e) => hear(e.data)
  return { say: (word) => bc.postMessage(word), close: () => bc.close() }
}
