import { openDB } from '/peers/idb.js'

// db.add resolves after tx.done, the complete event. It takes no durability: the browser's default.
export const idb = {
  async open() {
    const db = await openDB('bench idb', 1, { upgrade: (made) => made.createObjectStore('events', { autoIncrement: true }) })
    return { append: (event) => db.add('events', JSON.stringify(event)), clear: () => db.clear('events'), close: () => db.close() }
  },
}
