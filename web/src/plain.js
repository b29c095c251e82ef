import { cardLike, noteBytes } from './check.js'

const MOST = 500 // events of a pack, as a segment has them (outbox/append.go)
const BYTES = 1 << 20
const DEPTH = 8
const encoder = new TextEncoder()
let scratch

/**
 * How many messages an event has that the module would take for certain (outbox/entry.go), as far as that shows on the object;
 * 0 where it does not. Judged during the append, as the page may change it afterwards; what is 0 the module judges itself.
 */
export function plainMessages(event) {
  if (!record(event) || 'noteId' in event || !Array.isArray(event.messages) || event.messages.toJSON !== undefined) return 0
  for (const name in event) if (name !== 'messages' && !simple(event[name], DEPTH)) return 0
  for (const message of event.messages) if (!record(message) || !simple(message, DEPTH)) return 0
  return event.messages.length
}

// An object that JSON.stringify writes as one.
const record = (v) => typeof v === 'object' && v !== null && Object.getPrototypeOf(v) === Object.prototype && v.toJSON === undefined

function simple(v, depth) {
  if (typeof v !== 'object') return typeof v !== 'function'
  if (v === null) return true
  if (depth === 0 || v.toJSON !== undefined) return false
  for (const name in v) if (!simple(v[name], depth - 1)) return false
  return true
}

/**
 * Cuts a burst of {text, key, media, messages, bytes} into runs, in order: {plain, items, bytes, messages}. The events of a plain run
 * are a pack's; the size of each, in bytes, is set here.
 */
export function runs(burst, { destination, healthFields = [] }) {
  const limit = noteBytes(destination)
  const health = healthFields.map(lastStep)
  const out = []
  let last = null
  for (const item of burst) {
    const plain = item.messages > 0 && plainText(item.text, health) && (item.bytes = bytesOf(item.text)) <= limit
    if (!last || last.plain !== plain || plain && (last.items.length === MOST || last.bytes + item.bytes > BYTES)) {
      out.push(last = { plain, items: [], bytes: 0, messages: 0 })
    }
    last.items.push(item)
    if (plain) {
      last.bytes += item.bytes
      last.messages += item.messages
    }
  }
  return out
}

// Whether nothing in this text is the module's to judge, card numbers and health data among it (L8.2). Text by text: one string
// of all of them would have to be made first, which costs more than it saves.
const plainText = (text, health) => !text.includes('\\ud') && !holdsCard(text) && !health.some((name) => text.includes(name))

const FEWEST = 13 // digits of a card number, see cardLike

/** The same as cardLike, for long texts: a run of 13 digits covers 13 characters, so every 13th is looked at, and what stands around it. */
export function holdsCard(text) {
  for (let i = FEWEST - 1; i < text.length; i += FEWEST) {
    const c = text.charCodeAt(i)
    if (!isDigit(c) && !(isGap(c) && isDigit(text.charCodeAt(i + 1)))) continue
    let from = i
    let to = i + 1
    while (from > 0 && (isDigit(text.charCodeAt(from - 1)) || isGap(text.charCodeAt(from - 1)) && isDigit(text.charCodeAt(from - 2)))) from--
    while (isDigit(text.charCodeAt(to)) || isGap(text.charCodeAt(to)) && isDigit(text.charCodeAt(to + 1))) to++
    if (to - from >= FEWEST && cardLike(text.slice(from, to))) return true
  }
  return false
}

const isDigit = (c) => c >= 48 && c <= 57 || c >= 0xff10 && c <= 0xff19

const isGap = (c) => (c < 128 ? c === 32 || c === 45 || c >= 9 && c <= 13 : /[\s‐-―−－]/.test(String.fromCharCode(c)))

const lastStep = (field) => field.split('.').filter((step) => step !== '*').pop()

// Without making the bytes, where they fit into what is at hand.
function bytesOf(text) {
  if (!/[\u0080-\uffff]/.test(text)) return text.length
  const { read, written } = encoder.encodeInto(text, (scratch ??= new Uint8Array(1 << 18)))
  return read === text.length ? written : encoder.encode(text).length
}
