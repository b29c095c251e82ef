import localforage from '/peers/localforage.js'

// setItem resolves in transaction.oncomplete.
export const localForage = {
  async open() {
    const store = localforage.createInstance({ name: 'bench localforage', driver: localforage.INDEXEDDB })
    await store.ready()
    let n = 0
    return { append: (event) => store.setItem(String(n++), JSON.stringify(event)), clear: () => store.clear(), close() {} }
  },
}
