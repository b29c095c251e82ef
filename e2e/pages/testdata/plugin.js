// A page whose LIFF is the SDK's shape, written by hand: what it throws before init, keeps from last time, and hooks it calls.
import { obey } from '/control.js'
import { memos } from '/e2e/memos.js'
import { KeepPlugin, lineKeep } from '/dist/index.js'

let user = null // who is logged in
let started = false // init was called: the SDK has its LIFF ID, and the context of last time
let over = false
let asked = 0
let ready
const after = []
const plugins = new Set()
const needs = (value) => {
  if (!started) throw new Error('liffId is necessary for liff.init()')
  return value
}

const liff = {
  get id() { return started ? '1650000001-abcdefgh' : null },
  ready: new Promise((resolve) => { ready = resolve }),
  getContext: () => needs({ type: 'utou', userId: over ? user : localStorage.lastUser }),
  getAccessToken: () => needs(user === null ? null : `${user}~${++asked}`),
  use(plugin, options) {
    if (typeof plugin?.install !== 'function' || typeof plugin.name !== 'string') return this
    if (plugins.has(plugin.name)) return this
    this[`$${plugin.name}`] = plugin.install({ liff: this, hooks: { init: { before: () => {}, after: (fn) => after.push(fn) } } }, options)
    plugins.add(plugin.name)
    return this
  },
  async init(who) {
    started = true
    await new Promise((r) => { setTimeout(r, 20) })
    user = who
    over = true
    if (who) localStorage.lastUser = who
    await Promise.all(after.map((fn) => fn()))
    ready()
  },
}

const told = []

const more = () => ({
  /** Options of the plugin; {inUse: true} gives them to liff.use instead of the constructor. */
  async use({ inUse, channelId = '1650000001', maxNoteBytes, encrypt, ...options }) {
    if (encrypt) options.encrypt = { fields: encrypt, key: await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']) }
    const all = { destination: lineKeep({ channelId, baseURL: location.origin, maxNoteBytes }), ...options }
    liff.use(new KeepPlugin(inUse ? undefined : all), inUse ? all : undefined)
    liff.$keep.onAuth(({ code }) => told.push(code))
  },
  async init({ user }) { await liff.init(user) },
  /** {id, key, text, times = 1} → {receipts} */
  async keep({ id, key, text = '', times = 1 }) {
    const appends = Array.from({ length: times }, (_, n) => liff.$keep.append(
      { conversationId: times > 1 ? `${id}-${n}` : id, endedAt: Date.now(), messages: [{ from: 'customer', text }] }, key ? { key } : undefined))
    return { receipts: await Promise.all(appends) }
  },
  /** {count, bytes}: appends conversations with a voice memo each → {memos: [{conversationId, sha256}]}, once all are on disk */
  liffMemos: ({ count, bytes }) => memos((event) => liff.$keep.append(event), (conversationId, text) => ({ conversationId, messages: [{ from: 'customer', text }] }), count, bytes),
  liffFlush: () => liff.$keep.flush(),
  liffStatus: () => liff.$keep.status(),
  liffDead: async () => ({ list: await liff.$keep.dead.list() }),
  async liffDiscard({ id }) { await liff.$keep.dead.discard(id) },
  async liffRetry({ id }) { await liff.$keep.dead.retry(id) },
  told: () => ({ told }),
  /** Rows of the inbox stay although the outbox has them: as if the page died each time before they went. */
  neverDelete() {
    const original = IDBObjectStore.prototype.delete
    IDBObjectStore.prototype.delete = function (key) {
      return this.name === 'inbox' ? this.count() : original.call(this, key)
    }
  },
  /** What is in the inbox → {rows: [{noteId, user}]} */
  async inbox() {
    const db = await new Promise((resolve, reject) => {
      const request = indexedDB.open('liff-keep inbox:line:1650000001')
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const rows = await new Promise((resolve) => {
      db.transaction('inbox').objectStore('inbox').getAll(IDBKeyRange.bound('row ', 'row!')).onsuccess = (e) => resolve(e.target.result)
    })
    db.close()
    return { rows: rows.map(({ noteId, user }) => ({ noteId, user })) }
  },
  wasm: () => ({ asked: performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/keep.wasm')).length }),
})

obey(new URLSearchParams(location.search).get('control'), () => {}, { more })
