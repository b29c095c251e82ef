import { wrong } from './errors.js'

/** The event as JSON text, read now; its media are kept as they are (media.js). Throws INVALID_EVENT. */
export function toText(event, key) {
  let text
  try {
    text = JSON.stringify(event?.media ? { ...event, media: undefined } : event)
  } catch (e) {
    throw wrong(`the event cannot be written as JSON: ${e.message}`)
  }
  if (typeof text !== 'string') throw wrong('an event is an object')
  if (typeof key !== 'string') throw wrong('key is a string')
  if (key.includes('\n')) throw wrong('key may hold no white space')
  return text
}

/**
 * Whether the module will take the event for certain (outbox/entry.go, outbox/media.go), so that the inbox may say that it is kept. What looks
 * like a card number or may be health data (L8.2), and whatever else is out of the ordinary, is judge.js's and the module's to judge.
 */
export function isPlain(text, key, bytes, { destination, healthFields = [] }, media = null) {
  const event = JSON.parse(text)
  const record = (v) => !!v && typeof v === 'object' && !Array.isArray(v)
  return record(event) && !('noteId' in event) && Array.isArray(event.messages) && event.messages.length > 0
    && event.messages.every(record) && (!media || fit(media, destination.service)) && depth(event) < 200 && bytes <= noteBytes(destination)
    && /^[!#-[\]-~]{0,200}$/.test(key) && !/\\ud[89a-f]/.test(text) && !cardLike(text)
    && !healthFields.some((field) => text.includes(field.split('.').filter((step) => step !== '*').pop()))
}

/** The largest event that the module takes, in bytes. */
export const noteBytes = ({ service, maxNoteBytes }) => (service === 'evernote' ? Math.min(maxNoteBytes || 8e5, 8e5) : maxNoteBytes || 2e6)

const MOST = { line: [8e6, Infinity], chat: [2e8, Infinity], evernote: [20971520, 20971520] } // bytes of one, and of all, as each service's limits.go has them

const fit = (media, service) => media.every(({ bytes }) => bytes > 0 && bytes <= MOST[service][0])
  && media.reduce((sum, { bytes }) => sum + bytes, 0) <= MOST[service][1]

// Digits in a row, or in groups as people type them, no fewer than the shortest card number has. An unbroken run that begins
// as no card number does is a time or an id.
export const cardLike = (text) => text.match(/[0-9０-９](?:[-\s‐-―−－\u3000\u00a0]?[0-9０-９]){12,}/g)?.some((run) => !/^[017]\d*$/.test(run)) ?? false

const depth = (value) => (value && typeof value === 'object' ? 1 + Object.values(value).reduce((most, v) => Math.max(most, depth(v)), 0) : 0)
