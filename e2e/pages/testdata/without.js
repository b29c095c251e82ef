// Takes away what ?without=a,b names, before any other script runs: a browser that lacks it, or denies it.
for (const name of new URLSearchParams(location.search).get('without')?.split(',') ?? []) {
  const gone = (holder, property) => Object.defineProperty(holder, property, { value: undefined, configurable: true })
  const take = {
    indexedDB: () => gone(globalThis, 'indexedDB'),
    WebAssembly: () => gone(globalThis, 'WebAssembly'),
    BroadcastChannel: () => gone(globalThis, 'BroadcastChannel'),
    locks: () => gone(navigator, 'locks'),
    storage: () => gone(navigator, 'storage'),
    subtle: () => gone(Crypto.prototype, 'subtle'),
    // a browser that has the name and refuses the use of it
    'indexedDB.open': () => { IDBFactory.prototype.open = () => { throw new DOMException('denied', 'SecurityError') } },
    'locks.request': () => { LockManager.prototype.request = () => Promise.reject(new DOMException('denied', 'SecurityError')) },
  }
  take[name]()
}
