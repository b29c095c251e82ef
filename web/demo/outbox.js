// Opens the real module on the sandbox that serves this page.
import * as liffKeep from '/dist/index.js'

let asked = 0
const page = Math.random().toString(36).slice(2)
const sinceLoaded = performance.now.bind(performance) // a test may set the page's own clocks, see trouble.js

/** A token that was never used before; a Mini-App would return liff.getAccessToken(). */
export const freshToken = () => `demo-${page}-${++asked}`

/**
 * The sandbox's clock: now() for openKeep, sync() to read it again after it was
 * moved, differs when it is not the time of this machine. It can run fast, or be
 * set to an evening, so that a night takes no night. `base` is the sandbox's address
 * when it is not the one that serves this page.
 */
export const sandboxClock = async (base = '') => {
  let now, factor, at
  const sync = async () => {
    const asked = sinceLoaded()
    const response = await fetch(`${base}/ops/clock`)
    if (!response.ok) throw new Error(`/ops/clock: ${response.status}`)
    ;({ now, factor } = await response.json())
    at = (asked + sinceLoaded()) / 2
  }
  await sync()
  return {
    now: () => now + (sinceLoaded() - at) * factor,
    sync,
    differs: factor !== 1 || Math.abs(now - Date.now()) > 60_000,
  }
}

/** What goes to each service's function; the rest of the options goes to openKeep. */
const services = {
  line: { make: 'lineKeep', takes: ['channelId', 'baseURL', 'tier', 'maxNoteBytes'] },
  chat: { make: 'googleChat', takes: ['space', 'baseURL', 'maxBackoff', 'maxNoteBytes'] },
  evernote: { make: 'evernote', takes: ['noteStoreURL', 'notebookGuid', 'title', 'sandbox', 'callsPerHour'] },
}

/** Options as the page's address has them: ?channel= for LINE, else ?destination=, for Evernote with ?store=, its path on this origin. */
export const byAddress = (wanted) => ({
  line: { channelId: wanted.get('channel') ?? undefined },
  chat: { destination: 'chat', space: wanted.get('space') ?? 'demo', baseURL: location.origin },
  evernote: { destination: 'evernote', noteStoreURL: wanted.get('store') ?? undefined, sandbox: true, callsPerHour: 900 },
}[wanted.get('destination') ?? 'line'])

/**
 * Opens the outbox. All options are optional: `destination` is the service's name, line unless it is given; what it takes
 * goes to lineKeep, googleChat or evernote, the rest to openKeep.
 */
export const open = async ({ destination: service = 'line', ...given } = {}) => {
  const { make, takes } = services[service]
  const options = service === 'line' ? { channelId: '1650000001', baseURL: location.origin, ...given } : { user: given.channelId, ...given }
  const own = {}
  for (const name of takes) {
    if (options[name] !== undefined) own[name] = options[name]
    delete options[name]
  }
  delete options.channelId
  return liffKeep.openKeep({ destination: liffKeep[make](own), token: freshToken, ...options })
}

/**
 * Archives conversations, one append each, `wave` of them in flight, and flushes
 * after each wave if `flush` is given.
 * Calls `answered({index, receipt | error, ms})` for each as it settles, ms being
 * the time from the call of append to its answer.
 */
export const archive = async (keep, conversations, { wave = 50, flush = false, keyOf, answered }) => {
  for (let from = 0; from < conversations.length; from += wave) {
    await Promise.all(conversations.slice(from, from + wave).map(async (conversation, i) => {
      const index = from + i
      const began = performance.now()
      try {
        const key = keyOf?.(conversation, index)
        const receipt = await keep.append(conversation, ...(key === undefined ? [] : [{ key }]))
        answered({ index, receipt, ms: performance.now() - began })
      } catch (error) {
        answered({ index, error, ms: performance.now() - began })
      }
    }))
    if (flush) await keep.flush()
  }
}
