// The browser's own calls, three ways. Each acknowledges after the transaction's complete event.
function open(name, strict) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(`bench raw ${name} ${strict}`, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('events', { autoIncrement: true })
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => resolve(opening.result)
  })
}

const begin = (db, strict) => db.transaction('events', 'readwrite', { durability: strict ? 'strict' : 'relaxed' })

const done = (tx) => new Promise((resolve, reject) => {
  tx.oncomplete = resolve
  tx.onabort = () => reject(tx.error)
})

async function clear(db) {
  const tx = begin(db, false)
  tx.objectStore('events').clear()
  await done(tx)
}

/** One transaction an event; with `early` it is committed at once instead of when the browser finds no more requests. */
const single = (name, early) => ({
  async open({ strict }) {
    const db = await open(name, strict)
    return {
      append(event) {
        const tx = begin(db, strict)
        tx.objectStore('events').add(JSON.stringify(event))
        if (early) tx.commit()
        return done(tx)
      },
      clear: () => clear(db),
      close: () => db.close(),
    }
  },
})

export const transaction = single('transaction', false)
export const committed = single('committed', true)

/** All that came while a transaction was in flight goes into the next, one record an event. */
export const group = {
  async open({ strict }) {
    const db = await open('group', strict)
    let waiting = []
    let writing = false
    const write = async () => {
      writing = true
      await null // the events of this turn
      while (waiting.length > 0) {
        const now = waiting
        waiting = []
        const tx = begin(db, strict)
        const store = tx.objectStore('events')
        for (const { text } of now) store.add(text)
        tx.commit()
        try {
          await done(tx)
          for (const { resolve } of now) resolve()
        } catch (e) {
          for (const { reject } of now) reject(e)
        }
      }
      writing = false
    }
    return {
      append: (event) => new Promise((resolve, reject) => {
        waiting.push({ text: JSON.stringify(event), resolve, reject })
        if (!writing) write()
      }),
      clear: () => clear(db),
      close: () => db.close(),
      /** The oldest 400 read at once and deleted as a range: what a flush costs at the least. → ms */
      async settle(count) {
        const began = performance.now()
        const tx = db.transaction('events')
        const store = tx.objectStore('events')
        const keys = store.getAllKeys(null, count)
        const values = store.getAll(null, count)
        await done(tx)
        if (values.result.length !== count) throw new Error(`${values.result.length} rows`)
        const drop = begin(db, strict)
        drop.objectStore('events').delete(IDBKeyRange.bound(keys.result[0], keys.result.at(-1)))
        drop.commit()
        await done(drop)
        return performance.now() - began
      },
    }
  },
}
