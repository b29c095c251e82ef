// liff-keep: a durable outbox for LINE Mini-Apps, called by the page's own JavaScript (C9). Importing this file does nothing: no wasm, no IndexedDB, no globals.
import { KeepError, wrong } from './errors.js'
import { openOutbox, part } from './outbox.js'
import { evernote, googleChat, secure } from './services.js'

export { KeepError, evernote, googleChat }

/**
 * LINE Keep as a destination. No public Keep write API answers today: the service is emulated per the guide, and baseURL
 * has no default but your own sandbox.
 * @param {{channelId?: string, baseURL?: string, tier?: 'miniapp'|'server', maxNoteBytes?: number}} options
 */
export function lineKeep({ channelId = '', baseURL, tier = 'miniapp', maxNoteBytes = 0 } = {}) {
  oneOf('tier', tier, ['miniapp', 'server'])
  return { service: 'line', channelId: String(channelId), baseURL: secure('lineKeep', 'baseURL', baseURL), tier, maxNoteBytes }
}

/**
 * Opens the outbox; resolves when it is open on disk. See index.d.ts for the options.
 * A failed start rejects with a KeepError and can be tried again.
 */
export async function openKeep(options = {}) {
  const { destination } = options
  if (!['line', 'chat', 'evernote'].includes(destination?.service)) {
    throw wrong('no destination: pass openKeep({destination: lineKeep({channelId, baseURL}), token})')
  }
  if (typeof options.token !== 'function') {
    throw wrong('no token function: pass token: () => liff.getAccessToken()')
  }
  for (const [name, low] of [['flushEvery', 1000], ['flushAt', 1], ['debounce', 0], ['maxQueueBytes', 1]]) {
    const v = options[name]
    if (v !== undefined && !(Number.isFinite(v) && v >= low)) throw wrong(`${name} must be a number of at least ${low}`)
  }
  oneOf('mode', options.mode, ['batch', 'stream'])
  oneOf('durability', options.durability, ['strict', 'relaxed'])
  const seal = options.encrypt === undefined ? null : (await part(import('./encrypt.js'))).sealer(options.encrypt)
  return openOutbox(options, seal)
}

/** A copy of a note with the fields that the option encrypt has encrypted back in the clear; rejects with INVALID_EVENT. */
export async function decryptEvent(event, key) {
  if (!event || typeof event !== 'object') throw wrong('decryptEvent takes a note as an object: JSON.parse a line of text first')
  return (await part(import('./encrypt.js'))).decryptEvent(event, key)
}

function oneOf(name, value, words) {
  if (value !== undefined && !words.includes(value)) throw wrong(`${name} is ${words.map((w) => `'${w}'`).join(' or ')}, not ${JSON.stringify(value)}`)
}
