import { createCollection, localOnlyCollectionOptions, startOfflineExecutor } from '/peers/tanstack.js'

// The caller's promise is of the delivery, not of the disk: there is none for "it is kept". So the acknowledgement is taken where
// its storage adapter says so: IndexedDBAdapter.set resolves at the request's success, before the transaction is complete.
let made = 0

export const tanstack = {
  async open({ address = '/bench/sink' }) {
    const collection = createCollection(localOnlyCollectionOptions({ id: `events ${++made}`, getKey: (row) => row.key }))
    let online = false
    const heard = new Set()
    const executor = startOfflineExecutor({
      collections: { events: collection },
      mutationFns: {
        async send({ transaction }) {
          const response = await fetch(address, { method: 'POST', body: JSON.stringify(transaction.mutations.map((m) => m.modified)) })
          if (!response.ok) throw new Error(`status ${response.status}`)
        },
      },
      onlineDetector: {
        subscribe(f) { heard.add(f); return () => heard.delete(f) }, isOnline: () => online,
        notifyOnline() { for (const f of heard) f() }, dispose() {},
      },
    })
    await executor.waitForInit()
    if (!executor.isOfflineEnabled) throw new Error(`offline mode is off: ${executor.storageDiagnostic.message}`)
    const { storage } = executor
    const kept = new Map() // id → resolve
    const set = storage.set.bind(storage)
    storage.set = async (key, value) => {
      await set(key, value)
      kept.get(key.slice(3))?.()
      kept.delete(key.slice(3))
    }
    let n = 0
    return {
      append: (event) => new Promise((resolve, reject) => {
        const tx = executor.createOfflineTransaction({ mutationFnName: 'send', autoCommit: false })
        kept.set(tx.id ?? tx.offlineId, resolve)
        tx.mutate(() => collection.insert({ key: n++, event }))
        tx.commit().catch(reject)
      }),
      clear: () => executor.clearOutbox(),
      close: () => executor.dispose(),
      send() {
        online = true
        for (const f of heard) f()
      },
      left: async () => (await executor.peekOutbox()).length,
    }
  },
}
