// A page with <keep-status> that a test program drives: on a real outbox, or on snapshots of status() that say every
// thing it can say, because what is drawn depends on nothing else.
import { obey } from '/control.js'
import '/dist/status.js'

const NOW = Date.UTC(2026, 10, 25, 3, 0, 0)
const minutes = (n) => NOW + n * 60_000
const history = (throttled) => Array.from({ length: 20 }, (_, i) => ({ at: minutes(-9.5 + i * 0.45), remaining: i % 7 === 3 ? -1 : 95 - 4 * i, answers: 1 + i % 4, throttled: i > 15 ? throttled : 0 }))

const base = {
  now: NOW, pending: 0, sealed: 0, uncertain: 0, parked: 0, dead: 0, delivered: 0, relayed: 0, discarded: 0, queueBytes: 0,
  quota: { remaining: 61, limit: 100, resetsAt: NOW + 20_000, readable: true, own: 57 },
  recent: { minutes: 5, answers: 0, throttled: 0, throttledPct: 0, history: [] },
  breaker: { state: 'closed', consecutive429: 0, until: null },
  nextFlush: null, waitsFor: '', says: '', until: null, way: 'direct', token: 'ok', leader: true, realtime: true, gone: false, alarms: [],
  storage: { usage: 1_234_567, quota: 9_000_000_000, persisted: true, reopened: 0, crashes: 0 },
}
const alarm = (code) => ({ code, message: 'in English' })
const letter = (id, code, status) => ({ id, noteId: `${id}-a-rather-long-note-id-without-any-space-in-it-0123456789`, code, message: 'the service answered so', status, requestId: status ? `req-${id}` : '', at: minutes(-3), bytes: 1_900_000 })
const waiting = { pending: 1234, sealed: 500, queueBytes: 4_500_000, delivered: 98_765 }

/** Every sentence at the top, every alarm, and every reason of a dead letter. */
const states = {
  empty: {},
  collecting: { pending: 1, queueBytes: 900, nextFlush: minutes(4.5), waitsFor: 'flush' },
  delivered: { delivered: 12, recent: { minutes: 5, answers: 30, throttled: 0, throttledPct: 0, history: history(0) } },
  handed: { delivered: 12, relayed: 10, way: 'relay' },
  sending: { ...waiting, uncertain: 500 },
  moment: { ...waiting, nextFlush: minutes(3), waitsFor: 'moment' },
  limiter: { ...waiting, nextFlush: NOW + 12_000, waitsFor: 'limiter' },
  pause: { ...waiting, nextFlush: NOW + 60_000, waitsFor: 'pause', recent: { minutes: 5, answers: 30, throttled: 2, throttledPct: 6, history: history(1) }, alarms: [alarm('RATE_429'), alarm('QUOTA_LOW')] },
  breaker: { ...waiting, nextFlush: minutes(700), waitsFor: 'breaker', breaker: { state: 'open', consecutive429: 3, until: minutes(700) }, recent: { minutes: 5, answers: 30, throttled: 9, throttledPct: 30, history: history(2) }, alarms: [alarm('RATE_429'), alarm('RETRY_AFTER_LONG'), alarm('QUOTA_MEAN_LOW')] },
  'half-open': { ...waiting, nextFlush: NOW, waitsFor: 'limiter', breaker: { state: 'half-open', consecutive429: 3, until: NOW - 1000 } },
  login: { ...waiting, token: 'needed', nextFlush: minutes(1), waitsFor: 'token' },
  scope: { ...waiting, token: 'scope', nextFlush: minutes(1), waitsFor: 'token' },
  stopped: { ...waiting, realtime: false },
  parked: { parked: 7, delivered: 3, nextFlush: minutes(9), waitsFor: 'parked' },
  refused: { dead: 5, delivered: 3, discarded: 1, letters: ['INVALID_EVENT', 'TOO_LARGE', 'UNFIT_CONTENT', 'GONE', 'INTERNAL'].map((code, i) => letter(`d${i}`, code, i === 4 ? 0 : 400 + i)) },
  gone: { ...waiting, gone: true, alarms: [alarm('RELAY_SILENT'), alarm('GONE'), alarm('EXPORT_DUE'), alarm('SHA256_DIFFERS'), alarm('STORAGE_DAMAGED'), alarm('TELEMETRY')] },
  follower: { ...waiting, leader: false, quota: { ...base.quota, readable: false }, recent: { minutes: 5, answers: 3, throttled: 0, throttledPct: 0, history: history(0) }, storage: { reopened: 2, crashes: 1 } },
  closed: null, // status() of a closed outbox
}

/** An outbox that says one thing for ever. */
const standing = (name) => {
  const { letters = [], ...given } = states[name] ?? {}
  const status = states[name] ? { ...base, ...given } : { now: NOW, storage: { reopened: 0, crashes: 0 } }
  return { status: () => status, subscribe: () => () => {}, dead: { list: async () => letters } }
}

let element
const put = (keep, { lang, theme } = {}) => {
  element?.remove()
  element = document.createElement('keep-status')
  if (lang) element.lang = lang
  if (theme) element.setAttribute('theme', theme)
  element.keep = keep
  document.querySelector('main').append(element)
}
const frames = async (n) => { for (; n > 0; n--) await new Promise(requestAnimationFrame) }
const open = (yes) => { for (const details of element.shadowRoot.querySelectorAll('details')) details.open = yes }

// What the browser was handed as a download.
const downloads = []
const makeURL = URL.createObjectURL
URL.createObjectURL = (blob) => {
  downloads.push(blob)
  return makeURL.call(URL, blob)
}

const shape = (value) => (value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]).sort()) : 0)
const { alarms: _, storage: __, ...compared } = base

const more = (keep) => ({
  states: () => Object.keys(states),
  /** The names in the made-up snapshots, and in the real one; alarms and storage depend on the browser. */
  shapes() {
    const { alarms, storage, ...real } = keep().status()
    return { made: JSON.stringify(shape(compared)), real: JSON.stringify(shape(real)) }
  },
  /** {state, lang, theme, details}: shows it → {text, plotted} */
  async scene({ state, lang, theme, details }) {
    put(standing(state), { lang, theme })
    open(details)
    await frames(3)
    return { text: element.shadowRoot.querySelector('.card').innerText, plotted: element.shadowRoot.querySelectorAll('canvas').length }
  },
  /** What axe-core finds on the page, all its rules → ["rule: where", …] */
  async axe() {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any }) => `${id}: ${target.flat().join(' ')} ${any.map(({ message }) => message).join('; ')}`))
  },
  /** What sticks out of the window to the right → ["tag.class", …] */
  tooWide() {
    const width = document.documentElement.clientWidth
    const out = [...element.shadowRoot.querySelectorAll('.card *')].filter((one) => one.checkVisibility() && !one.closest('.scroll') && one.tagName !== 'CAPTION' && one.getBoundingClientRect().right > width + 0.5)
    if (document.documentElement.scrollWidth > width) out.push(document.documentElement)
    return out.map((one) => `${one.tagName}.${one.className}`)
  },
  background: () => getComputedStyle(element.shadowRoot.querySelector('.card')).backgroundColor,
  /** {lang}: the real outbox's view */
  show({ lang }) { put(keep(), { lang }) },
  remove: () => element.remove(),
  language({ lang }) { element.lang = lang },
  append: ({ id }) => keep().append({ conversationId: id, messages: [{ from: 'customer', text: id }] }),
  text: () => element.shadowRoot.querySelector('.card').innerText,
  /** Where the keyboard's focus is, in words → text */
  focus() {
    const at = element.shadowRoot.activeElement
    return at ? at.getAttribute('aria-label') ?? at.innerText : ''
  },
  async downloads() { return Promise.all(downloads.map((blob) => blob.text())) },
})

obey(new URLSearchParams(location.search).get('control'), () => {}, { more })
