import { oneOf, wrong } from './errors.js'

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
 * A space of Google Chat as a destination. The token is the user's own OAuth token with the scope chat.messages.create.
 * @param {{space: string, baseURL?: string, maxBackoff?: 32|64, maxNoteBytes?: number}} options
 */
export function googleChat({ space, baseURL = 'https://chat.googleapis.com', maxBackoff = 64, maxNoteBytes = 0 } = {}) {
  const id = String(space ?? '').replace(/^spaces\//, '')
  if (!/^[\w-]+$/.test(id)) throw wrong("googleChat needs space, the id of a space such as 'spaces/AAAA'")
  if (maxBackoff !== 32 && maxBackoff !== 64) throw wrong('maxBackoff is 32 or 64 seconds')
  return { service: 'chat', channelId: id, space: id, baseURL: secure('googleChat', 'baseURL', baseURL), maxBackoff, maxNoteBytes }
}

/**
 * Evernote, or 印象笔记, as a destination. It sends no CORS headers: noteStoreURL is an address on the page's own origin,
 * where the relay passes the calls through.
 * @param {{noteStoreURL: string, notebookGuid?: string, title?: string, sandbox?: boolean, callsPerHour?: number,
 *   maxNoteBytes?: number}} options
 */
export function evernote({ noteStoreURL, notebookGuid = '', title = '', sandbox = false, callsPerHour = 0, maxNoteBytes = 0 } = {}) {
  const url = secure('evernote', 'noteStoreURL', noteStoreURL ?? '//', globalThis.location?.href)
  if (!/^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/.test(notebookGuid)) throw wrong(`notebookGuid is no GUID: ${JSON.stringify(notebookGuid)}`)
  if (!Number.isInteger(callsPerHour) || callsPerHour < 0) throw wrong('callsPerHour is a whole number: what your API key may do for one user in an hour')
  return { service: 'evernote', channelId: notebookGuid || new URL(url).pathname, noteStoreURL: url, notebookGuid, title: String(title),
    sandbox: !!sandbox, callsPerHour, maxNoteBytes }
}

/**
 * Checks an address that credentials go to: https, or a loopback address for the sandbox. Which host serves Keep has changed
 * before (L10.4), so all addresses are configuration.
 */
export function secure(factory, option, given, base) {
  let url
  try {
    url = new URL(given, base)
  } catch {
    throw wrong(`${factory} needs ${option}, an address: https://…, or http://127.0.0.1:8787 for the sandbox`)
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw wrong(`${option} ${url.origin} is not https: access tokens would travel in the clear`)
  }
  if (url.username || url.password || url.search || url.hash) throw wrong(`${option} may hold no credentials, query or fragment`)
  return url.href.replace(/\/+$/, '')
}
