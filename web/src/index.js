// liff-keep: a durable outbox for LINE Mini-Apps, called by the page's own JavaScript (C9). Importing this file does nothing: no wasm, no IndexedDB, no globals.
// Its static imports are all that a page loads before it can append; the module, and what runs it, come later by import().
import './check.js'
import './front.js'
import './inbox.js'
import './listeners.js'
import { evernote, googleChat, lineKeep } from './destinations.js'
import { KeepError, part, wrong } from './errors.js'
import { checkOptions } from './options.js'
import { KeepPlugin } from './plugin.js'

export { KeepError, KeepPlugin, evernote, googleChat, lineKeep }

/**
 * Opens the outbox; resolves when it is open on disk. See index.d.ts for the options.
 * A failed start rejects with a KeepError and can be tried again.
 */
export async function openKeep(options = {}) {
  checkOptions(options, 'openKeep')
  if (typeof options.token !== 'function') throw wrong('no token function: pass token: () => liff.getAccessToken()')
  const encrypting = options.encrypt === undefined ? null : part(import('./encrypt.js'))
  const { openOutbox } = await part(import('./outbox.js'))
  return openOutbox(options, encrypting && (await encrypting).sealer(options.encrypt))
}

/** A copy of a note with the fields that the option encrypt has encrypted back in the clear; rejects with INVALID_EVENT. */
export async function decryptEvent(event, key) {
  if (!event || typeof event !== 'object') throw wrong('decryptEvent takes a note as an object: JSON.parse a line of text first')
  return (await part(import('./encrypt.js'))).decryptEvent(event, key)
}
