// An append under a key of the page's own, before the module is there. Loaded when the first one comes.
//
//	'key <user> <key>'    {version, hash, at, firstAt, mark, session}: the last version that was given in the inbox, also when
//	                      its row is gone; user is '' while nobody is known
import { read } from './rows.js'

const peeked = new WeakMap() // inbox → slot → what the outbox on disk knew

/**
 * Names the row by the module's rule (outbox/append.go) and keeps it: the same content again is no change, within the debounce
 * the row before is replaced, later it is the next version. What the outbox gave before stands in its own database.
 */
export async function appendKeyed(inbox, row, owner) {
  const { key, at, session, text, media } = row
  const { debounce, flushEvery } = inbox.options
  const sum = hash(new TextEncoder().encode(media ? listed(media) + text : text))
  const whose = owner ?? await read(inbox, (store) => store.get('last'))
  const slot = `key ${whose?.user ?? ''} ${key}`
  const known = peeked.get(inbox) ?? new Map()
  peeked.set(inbox, known)
  if (whose && !known.has(slot)) known.set(slot, await peek(whose.database, key))
  const theirs = known.get(slot)
  let replaced
  await inbox.write((store) => {
    const save = (firstAt) => {
      row.noteId = versioned(key, row.version)
      store.put({ version: row.version, hash: sum, at, firstAt, session, mark: row.mark }, slot)
      inbox.put(store, row)
    }
    store.get(slot).onsuccess = ({ target: { result: ours } }) => {
      const last = (ours?.version ?? 0) >= (theirs?.version ?? 0) ? ours : theirs
      if (last?.hash === sum && (media ?? []).every((item) => item.sum)) {
        row.noteId = versioned(key, last.version)
        inbox.named(row)
        return
      }
      row.version = (last?.version ?? 0) + 1
      const since = at - ours?.at
      if (last !== ours || !ours || ours.session !== session || !(since >= 0 && since < debounce) || at - ours.firstAt >= flushEvery) return save(at)
      store.get(`row ${ours.mark}`).onsuccess = ({ target: { result: before } }) => {
        if (!before || before.refused) return save(at)
        Object.assign(row, { mark: ours.mark, version: ours.version })
        save(ours.firstAt)
        replaced = before
      }
    }
  })
  if (replaced) inbox.count(-1, replaced)
}

// The list as the module hashes it (outbox/media.go).
const listed = (media) => JSON.stringify(media.map(({ name, type, bytes, sum }) => (
  { mediaId: '', name, type, bytes, [sum.length === 32 ? 'md5' : 'sha256']: sum || undefined })))

/** Names version v of a key: the key itself, then key.v2, key.v3, … (L7.2). */
export const versioned = (key, v) => (v <= 1 ? key : `${key}.v${v}`)

/** 64-bit FNV-1a of an event's bytes in 16 hex digits, as the outbox keeps it; in two halves, as a number holds 53 bits. */
export function hash(utf8) {
  let hi = 0xcbf29ce4
  let lo = 0x84222325
  for (const b of utf8) {
    lo = (lo ^ b) >>> 0
    const low = lo * 0x1b3 // the prime is 2^40 + 0x1b3
    hi = (hi * 0x1b3 + Math.floor(low / 0x100000000) + lo * 256) % 0x100000000
    lo = low % 0x100000000
  }
  return [hi, lo].map((half) => half.toString(16).padStart(8, '0')).join('')
}

// What an outbox on disk remembers of a key: {version, hash}, or undefined; never rejects, and makes no database.
function peek(database, key) {
  return new Promise((resolve) => {
    setTimeout(resolve, 3000) // held up by another tab: then the outbox finds a name
    const opening = indexedDB.open(database)
    opening.onupgradeneeded = () => opening.transaction.abort()
    opening.onerror = () => resolve()
    opening.onsuccess = () => {
      const db = opening.result
      try {
        const asked = db.transaction('keys').objectStore('keys').get(key)
        asked.onsuccess = () => resolve(asked.result && { version: asked.result.v, hash: asked.result.h })
        asked.onerror = () => resolve()
      } catch {
        resolve()
      }
      db.close()
    }
  }).catch(() => {})
}
