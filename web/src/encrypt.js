// Fields encrypted with a key of the page's own, before anything of the event reaches the disk (L8.3). The key is used,
// never exported and never written. Loaded only when openKeep has the option encrypt, or by decryptEvent.
//
// An encrypted field stands where its value stood: {"$enc":"A256GCM","iv":"…","data":"…"}
//   plaintext   the value as JSON, in UTF-8: texts, numbers, whole objects come back as they were
//   iv          12 random bytes of its own; one key is good for 2^32 fields
//   data        ciphertext and the tag of 16 bytes
//   bound to    UTF-8 of JSON [conversationId or null, …path]: a field moved to another place or conversation is refused
//
// iv and data are base64url without padding in groups of 12 characters with a dot between them. To read them elsewhere,
// delete the dots. The dots are there for the check of L8.2: digits and hyphens of plain base64url can look like a card
// number by chance, and the shortest one has 13 digits.
import { KeepError, wrong } from './errors.js'

const ALGORITHM = 'A256GCM'
const IV_BYTES = 12
const REPEAT_CHARS = 4 << 20
const RESERVED = ['conversationId', 'noteId', 'messages'] // read by the outbox and by what binds the fields
const encoder = new TextEncoder()

/**
 * Checks the option and returns seal(text, key): a promise of the event's JSON text with every field encrypted. Promises
 * resolve in the order of the calls. Throws INVALID_EVENT; rejects with INTERNAL when the browser cannot encrypt.
 */
export function sealer(options) {
  const { fields, key } = options ?? {}
  const paths = checkFields(fields)
  checkKey(key, 'encrypt')
  return inOrder(repeating((text) => seal(text, paths, key)))
}

/**
 * A copy of a note with every encrypted field back in the clear, for the auditor who holds the key.
 * Rejects with INVALID_EVENT for another key, and for a field that was changed or moved.
 */
export async function decryptEvent(event, key) {
  checkKey(key, 'decrypt')
  const root = { event: JSON.parse(JSON.stringify(event)) }
  const conversation = root.event.conversationId
  const work = []
  const visit = (holder, name, path) => {
    const value = holder[name]
    if (!value || typeof value !== 'object') return
    if (value.$enc === ALGORITHM) work.push(unseal(value, conversation, path, key).then((plain) => { holder[name] = plain }))
    else for (const inner of Array.isArray(value) ? value.keys() : Object.keys(value)) visit(value, inner, [...path, inner])
  }
  visit(root, 'event', [])
  await Promise.all(work)
  return root.event
}

async function seal(text, paths, key) {
  const event = JSON.parse(text) // the page's own object is never touched
  const work = []
  for (const path of paths) {
    spots(event, path, [], (holder, name, place) => work.push((async () => {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
      const plain = encoder.encode(JSON.stringify(holder[name]))
      const data = await crypto.subtle.encrypt(bound(iv, event.conversationId, place), key, plain)
      holder[name] = { $enc: ALGORITHM, iv: toText(iv), data: toText(new Uint8Array(data)) }
    })()))
  }
  await Promise.all(work)
  return JSON.stringify(event)
}

async function unseal({ iv, data }, conversation, place, key) {
  try {
    const plain = await crypto.subtle.decrypt(bound(toBytes(iv), conversation, place), key, toBytes(data))
    return JSON.parse(new TextDecoder().decode(plain))
  } catch {
    throw wrong(`the field ${place.join('.')} cannot be decrypted: it was encrypted with another key, or changed or moved since`)
  }
}

const bound = (iv, conversation, place) => ({
  name: 'AES-GCM', iv, additionalData: encoder.encode(JSON.stringify([conversation ?? null, ...place])),
})

// spots calls see(holder, name, place) for every value that stands at path; * is every element of an array.
function spots(value, [step, ...rest], place, see) {
  if (!value || typeof value !== 'object') return
  const names = Array.isArray(value) ? (step === '*' ? value.keys() : []) : Object.keys(value).filter((name) => name === step)
  for (const name of names) {
    const here = [...place, name]
    if (rest.length > 0) spots(value[name], rest, here, see)
    else see(value, name, here)
  }
}

// inOrder keeps the order of appends, however long each encryption takes; all that are ready go in one burst.
function inOrder(work) {
  const line = []
  return (...args) => new Promise((resolve, reject) => {
    const place = { answer: null }
    line.push(place)
    const ready = (answer) => {
      place.answer = answer
      while (line[0]?.answer) line.shift().answer()
    }
    work(...args).then((text) => ready(() => resolve(text)), (e) => ready(() => reject(
      e instanceof KeepError ? e : new KeepError('INTERNAL', `the event was not taken, the browser could not encrypt it: ${e?.message ?? e}`))))
  })
}

// repeating gives the same bytes for the same event under the same key, as long as this page lives: a call that is
// repeated is no change of the note (L7.2), though a fresh iv would make it look like one.
function repeating(work) {
  const known = new Map() // key → {text, sealed}
  let chars = 0
  const forget = (key, entry) => {
    if (known.get(key) !== entry || !known.delete(key)) return
    chars -= entry.text.length
  }
  return (text, key) => {
    if (!key) return work(text)
    const old = known.get(key)
    if (old?.text === text) return old.sealed
    if (old) forget(key, old)
    const entry = { text, sealed: work(text) }
    known.set(key, entry)
    chars += text.length
    entry.sealed.catch(() => forget(key, entry))
    for (const [k, e] of known) {
      if (chars <= REPEAT_CHARS) break
      forget(k, e)
    }
    return entry.sealed
  }
}

function checkFields(fields) {
  if (!Array.isArray(fields) || fields.length === 0) {
    throw wrong("encrypt.fields names no field: pass encrypt: {fields: ['messages.*.text'], key}")
  }
  fields.forEach((field, i) => {
    if (typeof field !== 'string' || !/^[^.*]+(\.([^.*]+|\*))*$/.test(field)) {
      throw wrong(`encrypt.fields holds dotted paths such as 'messages.*.text', not ${JSON.stringify(field)}`)
    }
    if (RESERVED.includes(field)) throw wrong(`${field} must stay readable: encrypt the fields that hold the content, e.g. 'messages.*.text'`)
    const wider = fields.find((other, j) => j !== i && (other === field || field.startsWith(`${other}.`)))
    if (wider) throw wrong(`encrypt.fields names ${field} twice: ${wider} covers it, leave one out`)
  })
  return fields.map((field) => field.split('.'))
}

function checkKey(key, use) {
  if (!globalThis.crypto?.subtle) throw wrong('this page has no crypto.subtle: serve it over https or from localhost')
  const mend = "crypto.subtle.generateKey({name: 'AES-GCM', length: 256}, false, ['encrypt', 'decrypt']) makes one"
  if (Object.prototype.toString.call(key) !== '[object CryptoKey]') throw wrong(`encrypt needs key, a CryptoKey: ${mend}`)
  const { name, length } = key.algorithm
  if (name !== 'AES-GCM' || length !== 256) throw wrong(`the key is for ${name} with ${length ?? 'no'} bits, not AES-GCM with 256: ${mend}`)
  if (!key.usages.includes(use)) throw wrong(`the key may only ${key.usages.join(' and ')}: import it again with '${use}' among its usages`)
}

function toText(bytes) {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(binary).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_').replace(/.{12}(?=.)/g, '$&.')
}

function toBytes(text) {
  const binary = atob(text.replaceAll('.', '').replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (c) => c.charCodeAt(0))
}
