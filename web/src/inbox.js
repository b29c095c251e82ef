import { KeepError } from './errors.js'

// One small database of its own, one object store, so that an append is durable before the module is there:
//
//	'row <mark>'          {mark, key, version, noteId, text, media?, bytes, at, session, user?, guessed?, refused?}; media as
//	                      media.js prepared them, their blobs in them
//	'key <user> <key>'    keyed.js
//	'last'                {user, database}: who was logged in last, and the outbox that is theirs
//
// A row is deleted only after the outbox has committed it (rows.js, behind.js). Its mark is its name for good, and the noteId
// of an event without a key.
const PATIENCE_MS = 10000
const encoder = new TextEncoder()
let tab // session() of this page

/** What a row counts towards maxQueueBytes. */
export const size = ({ bytes, media = [] }) => media.reduce((sum, item) => sum + item.bytes, bytes)

/** Appends made before the module is there. Its promises resolve on the transaction's complete event, never before. */
export class Inbox {
  #name
  #db = null // promise of the connection
  #jobs = [] // of the next transaction: {work, resolve, reject}
  #prefix = null
  #n = 0
  /** Appends under way. */
  busy = 0
  /** What is known to be kept here: notes and bytes that wait, rows that the outbox refused. */
  kept = { pending: 0, bytes: 0, refused: [] }

  constructor(name, { debounce = 200, flushEvery = 300000, maxQueueBytes = 64 << 20, durability = 'strict', now = Date.now }) {
    this.#name = name
    // the session is read while the database opens, not before: it takes a while itself
    this.options = { debounce, flushEvery, maxQueueBytes, durability, now, get session() { return (tab ??= session()) } }
  }

  /** Keeps an event's text and its media, or null; `owner` is {user, database}, or null for not known yet. Resolves with the receipt. */
  async append(text, key, media, owner) {
    const { maxQueueBytes, now } = this.options
    const row = { mark: this.#mark(), key, version: 1, noteId: key, text, bytes: encoder.encode(text).length, at: Math.floor(now()), session: this.options.session }
    if (media) row.media = media
    if (this.kept.bytes + size(row) > maxQueueBytes) {
      throw new KeepError('STORAGE_FULL', `the queue holds ${this.kept.bytes} bytes, maxQueueBytes is ${maxQueueBytes}: it drains when the service can be reached`)
    }
    if (owner) row.user = owner.user
    this.busy++
    try {
      if (key) {
        const { appendKeyed } = await import('./keyed.js')
        await appendKeyed(this, row, owner)
      } else {
        row.key = row.noteId = row.mark
        await this.write((store) => this.put(store, row))
      }
      return { id: row.noteId, noteId: row.noteId, bytes: row.bytes, at: row.at }
    } catch (e) {
      if (row.written) this.count(-1, row)
      throw e
    } finally {
      this.busy--
    }
  }

  put(store, row) {
    this.named(row)
    store.put(row, `row ${row.mark}`)
    row.written = true
    this.count(1, row)
  }

  /** The row has its noteId: its bytes become the note's. */
  named(row) {
    row.bytes += encoder.encode(row.noteId).length + 12 // {"noteId":"…",
  }

  count(n, row) {
    this.kept.pending += n
    this.kept.bytes += n * size(row)
  }

  // 100 random bits a page, then a number: a noteId is unique over all phones of the channel (L7.2).
  #mark() {
    this.#prefix ??= [...crypto.getRandomValues(new Uint8Array(20))].map((b) => '0123456789abcdefghjkmnpqrstvwxyz'[b & 31]).join('')
    return `${this.#prefix}-${(++this.#n).toString(36)}`
  }

  /** Opens the database, ahead of the first append. */
  open() {
    return (this.#db ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1)
      request.onupgradeneeded = () => request.result.createObjectStore('inbox')
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        const db = request.result
        db.onversionchange = db.onclose = () => this.close()
        resolve(db)
      }
    }).catch((e) => {
      this.#db = null
      throw e
    }))
  }

  /** Lets go of the connection; the next call opens it again. */
  close() {
    this.#db?.then((db) => db.close(), () => {})
    this.#db = null
  }

  /** Does work(store) in one transaction with all that is asked for in the same turn; resolves when it is complete. */
  write(work) {
    return new Promise((resolve, reject) => {
      if (this.#jobs.push({ work, resolve, reject }) === 1) this.#run(true).catch((e) => this.#fail(this.#jobs.splice(0), e))
    })
  }

  async #run(again) {
    const db = await inTime(this.open())
    let tx
    try {
      tx = db.transaction('inbox', 'readwrite', { durability: this.options.durability })
    } catch (e) { // the connection is dead, and nobody said so
      this.close()
      if (again) return this.#run(false)
      throw e
    }
    const jobs = this.#jobs.splice(0)
    try {
      const complete = new Promise((resolve, reject) => {
        tx.oncomplete = resolve
        tx.onabort = () => reject(tx.error)
      })
      for (const { work } of jobs) work(tx.objectStore('inbox'))
      await inTime(complete)
      for (const { resolve } of jobs) resolve()
    } catch (e) {
      try {
        tx.abort() // not told as kept, so not kept
      } catch {} // it is over
      this.#fail(jobs, e)
    }
  }

  #fail(jobs, e) {
    if (e === late) this.close()
    const error = e?.name === 'QuotaExceededError'
      ? new KeepError('STORAGE_FULL', 'the device has no room for the event; it was not taken: free some space and try again')
      : new KeepError('STORAGE_UNAVAILABLE', `the event could not be written (${e?.message ?? 'aborted'}); it was not taken: try again (private window, Lockdown Mode?)`)
    for (const { reject } of jobs) reject(error)
  }
}

const late = new Error('no answer in time')

// An operation of IndexedDB may hang for good (a page in the background on iOS).
function inTime(promise) {
  let timer
  return Promise.race([promise, new Promise((_, reject) => { timer = setTimeout(reject, PATIENCE_MS, late) })]).finally(() => clearTimeout(timer))
}

// The tab's session lives over reloads, and over the way to the login page and back. Without sessionStorage the page is the session.
function session() {
  const fresh = `${Math.random()}`
  try {
    return (sessionStorage['liff-keep session'] ??= fresh)
  } catch {
    return fresh
  }
}
