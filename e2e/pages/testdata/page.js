// A bare page that a test program drives: the demo's control, and commands for what an ordinary page never does.
import { obey } from '/control.js'
import { decryptEvent } from '/dist/index.js'
import { memos } from '/e2e/memos.js'

const wait = (ms) => new Promise((r) => { setTimeout(r, ms) })

/** A request of IndexedDB, or the opening of a database, as a promise. */
const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

const ended = (tx) => new Promise((resolve, reject) => {
  tx.oncomplete = resolve
  tx.onabort = () => reject(tx.error ?? new Error('aborted without an error'))
})

// Bytes and texts of any value as one text: bytes become the characters of the same numbers.
const asText = (value) => {
  if (typeof value === 'string') return value
  if (value instanceof ArrayBuffer) return new TextDecoder('latin1').decode(value)
  if (ArrayBuffer.isView(value)) return new TextDecoder('latin1').decode(value)
  if (value && typeof value === 'object') return Object.values(value).map(asText).join(' ')
  return String(value)
}

const conversation = (id, text) => ({ conversationId: id, messages: [{ from: 'customer', text }] })

// Text that no engine can compress.
const noise = (bytes) => {
  let text = ''
  while (text.length < bytes) text += String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16384)).map((b) => 48 + (b & 63)))
  return text.slice(0, bytes)
}

const began = Date.now()
let asked = 0
let cipher
let shows = 0 // how often this page came out of the back-forward cache

/**
 * Options of openKeep that JSON cannot carry: {mark, secret} → tokens "mark~n secret"; {encrypt: [field, …]} → a key of this page;
 * {hurry: n} → a clock that runs n times as fast.
 */
const prepare = async ({ mark, secret, encrypt, hurry, ...options }) => {
  if (hurry) options.now = () => Date.now() * hurry - began * (hurry - 1)
  if (mark) options.token = () => `${mark}~${secret ?? ''}${++asked}`
  if (encrypt) {
    cipher ??= await crypto.subtle?.importKey('raw', new Uint8Array(32).fill(7), 'AES-GCM', false, ['encrypt', 'decrypt'])
    options.encrypt = { fields: encrypt, key: cipher ?? {} } // without crypto.subtle there is no key either
  }
  return options
}

const more = (keep) => ({
  /** {id, text, times = 1, bytes}: appends until it has done so times, or is refused → {taken, code, message} */
  async append({ id, text = '', times = 1, bytes = 0 }) {
    let taken = 0
    try {
      for (; taken < times; taken++) await keep().append(conversation(times > 1 ? `${id}-${taken}` : id, text + noise(bytes)))
    } catch (error) {
      return { taken, code: error.code ?? error.name, message: error.message }
    }
    return { taken }
  },
  /** {count, bytes}: appends conversations with a voice memo each → {memos: [{conversationId, sha256}]}, once all are on disk */
  memos: ({ count, bytes }) => memos((event) => keep().append(event), conversation, count, bytes),
  flushSoon: () => { keep().flush().catch(() => {}) },
  /** {name, version}: opens a database as another program would, with the page's own calls → {stores} */
  async openDatabase({ name, version }) {
    const db = await answer(indexedDB.open(name, version))
    const stores = [...db.objectStoreNames]
    db.close()
    return { stores }
  },
  async deleteDatabase({ name }) { await answer(indexedDB.deleteDatabase(name)) },
  /** The page's own storage beside the outbox. */
  async putOwn({ value }) {
    localStorage.setItem('own', value)
    const opening = indexedDB.open('own', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('own')
    const db = await answer(opening)
    const tx = db.transaction('own', 'readwrite')
    tx.objectStore('own').put(value, 'own')
    await ended(tx)
    db.close()
  },
  async getOwn() {
    const db = await answer(indexedDB.open('own', 1))
    const indexed = await answer(db.transaction('own').objectStore('own').get('own'))
    db.close()
    return { local: localStorage.getItem('own'), indexed }
  },
  /** {marker}: how many rows of all databases hold it, through the API → {rows, hits, databases} */
  async search({ marker }) {
    let rows = 0
    let hits = 0
    const databases = (await indexedDB.databases()).map(({ name }) => name)
    for (const name of databases) {
      const db = await answer(indexedDB.open(name))
      for (const store of db.objectStoreNames) {
        const values = await answer(db.transaction(store).objectStore(store).getAll())
        rows += values.length
        hits += values.filter((value) => asText(value).includes(marker)).length
      }
      db.close()
    }
    return { rows, hits, databases }
  },
  async decrypt({ note }) { return decryptEvent(note, cipher) },
  async purge() { return keep().purge() },
  ways: () => { const { way, relayed, delivered, pending, parked, dead, token, alarms } = keep().status(); return { way, relayed, delivered, waiting: pending + parked, dead, token, alarms: alarms.map(({ code }) => code) } },
  async reconcile() { return keep().reconcile() },
  async audit() { return keep().ledger.audit() },
  storageNow: () => keep().status().storage,
  async leaveFor({ url }) { setTimeout(() => { location.href = url }, 0) },
  async back() { setTimeout(() => history.back(), 0) },
  async closeWindow() { setTimeout(() => close(), 0) },
  async spawn({ url }) { return { opened: !!globalThis.open(url, '_blank') } },
  /** Holds the page's one thread: no timer, no message. */
  async spin({ ms }) { for (const end = performance.now() + ms; performance.now() < end;); },
  persisted: () => ({ shows }),
  wait: ({ ms }) => wait(ms),
})

addEventListener('pageshow', ({ persisted }) => { if (persisted) shows++ })
obey(new URLSearchParams(location.search).get('control'), () => {}, { prepare, more })
