import { Dexie } from '/peers/dexie.js'

// table.add outside a transaction resolves after its own transaction's completion.
export const dexie = {
  async open({ strict }) {
    const db = new Dexie(`bench dexie ${strict}`, { chromeTransactionDurability: strict ? 'strict' : 'relaxed' })
    db.version(1).stores({ events: '++' })
    await db.open()
    return { append: (event) => db.events.add(JSON.stringify(event)), clear: () => db.events.clear(), close: () => db.close() }
  },
}
