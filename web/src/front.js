import { isPlain, toText } from './check.js'
import { KeepError, part } from './errors.js'
import { Inbox } from './inbox.js'
import { Listeners, onAuth } from './listeners.js'
import { Order } from './order.js'

/**
 * liff.$keep: the object of api.md from the first moment on. Until the module runs and the user is known, appends go to the
 * inbox. All else is done behind it (behind.js), which comes when the page has loaded, or at the first call. `who()` says
 * whose rows these are: {user, liffId, database}, 'init' while that is not known yet, 'login' when nobody is logged in, 'module' when the SDK lacks one.
 */
export class Front {
  #loading = null
  #behind = null
  #inbox = null
  #sealing = null
  #order = new Order()
  closed = false
  listeners = new Listeners(() => this.#status())

  constructor(options, who) {
    this.options = options
    this.who = who
  }

  get inbox() {
    const { service, channelId } = this.options.destination
    return (this.#inbox ??= new Inbox(`liff-keep inbox:${service}:${channelId || 'generic'}`, this.options))
  }

  /** Opens the inbox now, and starts the rest when the page has nothing better to do. */
  idle() {
    const page = globalThis.document
    if (!page?.addEventListener) return
    this.inbox.open().catch(() => {}) // told to the append that needs it
    const soon = () => (globalThis.requestIdleCallback ?? setTimeout)(() => this.#wake())
    if (page.readyState === 'complete') soon()
    else globalThis.addEventListener('load', soon, { once: true })
  }

  /** liff.init may be over. */
  hint() {
    this.#behind?.hint()
    this.listeners.changed()
  }

  #load() {
    return (this.#loading ??= part(import('./behind.js')).then(({ Behind }) => (this.#behind ??= new Behind(this)), (e) => {
      this.#loading = null
      throw e
    }))
  }

  #wake() {
    this.#load().then((behind) => behind.wake(), () => {}) // told to the call that needs it
  }

  #seal(text, key) {
    const { encrypt } = this.options
    this.#sealing ??= part(import('./encrypt.js')).then(({ sealer }) => sealer(encrypt))
    this.#sealing.catch(() => { this.#sealing = null })
    return this.#sealing.then((seal) => seal(text, key))
  }

  async #append(event, { key = '' } = {}) {
    if (this.closed) throw closed()
    const plain = toText(event, key)
    const messages = this.options.encrypt ? 0 : this.#behind?.plain(event, key) ?? 0 // now: the page may change the event afterwards
    const [text, media] = await this.#order.next(this.options.encrypt ? this.#seal(plain, key) : plain, event.media, this.options.destination.service) ?? [plain, null]
    if (this.closed) throw closed()
    if (this.#behind?.drained) return this.#behind.put(text, key, media, messages)
    if (!isPlain(text, key, new Blob([text]).size, this.options, media)) return (await this.#load()).judged(text, key, media)
    const owner = this.who()
    try {
      return await this.inbox.append(text, key, media, typeof owner === 'string' ? null : owner)
    } finally {
      this.#wake()
      this.listeners.changed()
    }
  }

  #status() {
    return this.#behind?.status() ?? { ...nothing(this.options), pending: this.#inbox?.kept.pending ?? 0, queueBytes: this.#inbox?.kept.bytes ?? 0 }
  }

  #close() {
    this.closed = true
    this.listeners.close()
    this.#behind?.close()
    this.#inbox?.close()
  }

  /** What the page gets. */
  face() {
    const call = (name) => async (...args) => {
      if (this.closed) throw closed()
      return (await this.#load()).call(name, args)
    }
    const subscribe = (fn) => this.listeners.add(fn)
    return Object.freeze({
      append: (event, options) => this.#append(event, options),
      flush: call('flush'),
      status: () => this.#status(),
      subscribe,
      onAuth: onAuth(subscribe),
      hide: call('hide'),
      dead: Object.freeze({
        list: call('listDead'),
        retry: call('retry'),
        discard: call('discard'),
      }),
      ledger: Object.freeze({
        export: call('export'),
        audit: call('audit'),
      }),
      reconcile: call('reconcile'),
      realtime: call('realtime'),
      purge: call('purge'),
      close: () => this.#close(),
    })
  }
}

/** The status while no module runs; `own` is what an outbox that is not open says all the same. */
export const nothing = ({ now = Date.now, relay }, own) => ({
  now: now(),
  pending: 0, sealed: 0, uncertain: 0, parked: 0, dead: 0, delivered: 0, relayed: 0, discarded: 0, queueBytes: 0,
  quota: { remaining: 0, limit: 0, resetsAt: null, readable: false, own: 0 },
  breaker: { state: 'closed', consecutive429: 0, until: null },
  recent: { minutes: 5, answers: 0, throttled: 0, throttledPct: 0, history: [] },
  nextFlush: null, until: null, waitsFor: 'module', says: 'starting', way: relay ? 'relay' : 'direct', token: 'ok', leader: false, realtime: true, gone: false,
  alarms: [], ...own, storage: { reopened: 0, crashes: 0, ...own?.storage },
})

export const closed = () => new KeepError('CLOSED', 'the outbox was closed: reload the page to open it again')
