// Media of an event: read once, named by their hash, and handed to the module as they are. Loaded only for such an event.
import { part, wrong } from './errors.js'

const HASHED_BYTES = 256 << 20 // no service takes more: the module refuses it, whatever its hash

/**
 * Checks event.media and resolves with what the module takes: [{name, type, bytes, sum, blob}]. Rejects with INVALID_EVENT.
 * sum is hex: MD5 for Evernote, else sha256, or '' where the page cannot hash. The blob that is kept is the one that was
 * hashed: a File on the device may change until it is sent.
 */
export async function prepare(media, service) {
  const usage = 'event.media is a list of {name, type, blob}, each blob a Blob or a File'
  if (!Array.isArray(media)) throw wrong(usage)
  const out = []
  for (const [i, item] of media.entries()) {
    const { name, type, blob } = item ?? {}
    if (!(blob instanceof Blob)) throw wrong(usage)
    const kept = { name: String(name ?? blob.name ?? `media-${i + 1}`), type: String(type ?? blob.type), bytes: blob.size, sum: '', blob }
    if (/[^\x20-\x7e]/.test(kept.type)) throw wrong(`event.media[${i}].type is no media type: ${JSON.stringify(kept.type)}`)
    if (blob.size <= HASHED_BYTES) {
      let bytes
      try {
        bytes = await blob.arrayBuffer()
      } catch (e) {
        throw wrong(`event.media[${i}] cannot be read (${e?.message ?? e}): the file was moved or changed, pick it again`)
      }
      kept.sum = await sum(bytes, service)
      if (typeof File === 'function' && blob instanceof File) kept.blob = new Blob([bytes], { type: kept.type })
    }
    out.push(kept)
  }
  return out.length ? out : null
}

async function sum(bytes, service) {
  if (service === 'evernote') return (await part(import('./md5.js'))).md5(new Uint8Array(bytes))
  if (!globalThis.crypto?.subtle) return ''
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
