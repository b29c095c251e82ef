import { KeepError } from './errors.js'
import { startModule } from './loader.js'
import { Tokens } from './tokens.js'

const MAX_HEALS = 3 // openings anew in a row without a success between them
const ALL = Number.MAX_SAFE_INTEGER
const STATUS_MS = 100 // at most ten a second
const encoder = new TextEncoder()

/** A file of this package that is fetched only when it is needed. */
export const part = (loading) => loading.catch((e) => {
  throw new KeepError('INTERNAL', `a file of liff-keep could not be loaded (${e?.message ?? e}): deploy all files of one release together`)
})

/** Opens an outbox and resolves with the object of api.md. */
export async function openOutbox(options, seal) {
  const keep = new Outbox(options, seal)
  await keep.start()
  return keep.face()
}

/** One open outbox: tickets out, answers in. All rules are the module's; this is the JavaScript end of its bridge. */
class Outbox {
  #options
  #seal // (text, key) → promise of the text with its fields encrypted; null without the option
  #module = null // {open, exited}
  #api = null
  #tokens
  #tickets = new Map() // number → {resolve, reject}
  #next = 1
  #burst = [] // appends of this turn: {text, key, ticket, media}
  #slow = null // the last append whose media are being read
  #listeners = new Set()
  #statusAt = 0
  #statusTimer = 0
  #crashes = 0
  #reopened = 0
  #heals = 0
  #storage = {}
  #told = null // the sender's status, as this page last heard it
  #starting = null
  #closed = false
  #release = []
  #unwatch = null
  #leader = null
  #tabs = null
  #name

  constructor(options, seal) {
    this.#options = options
    this.#seal = seal
    this.#tokens = new Tokens(options.token)
    const { destination, user = 'default' } = options
    const service = destination.service === 'line' ? '' : `${destination.service}:`
    this.#name = `liff-keep:${service}${destination.channelId || 'generic'}:${user}`
  }

  /** Starts the module and opens the database; a failed start leaves nothing behind and may be tried again. */
  start() {
    this.#starting ??= this.#openPatiently().finally(() => { this.#starting = null })
    return this.#starting
  }

  // A browser that was killed may need a moment to open its own files again (seen on WebKit): asked three times.
  async #openPatiently() {
    for (const ms of [200, 1000, 0]) {
      try {
        return await this.#open()
      } catch (e) {
        if (e.code !== 'STORAGE_UNAVAILABLE' || !ms || !globalThis.indexedDB || this.#closed) throw e
        await new Promise((r) => { setTimeout(r, ms) })
      }
    }
  }

  async #open() {
    const o = this.#options
    const together = part(import('./together.js')) // fetched while the module is
    together.catch(() => {}) // told below, if the module comes
    this.#module ??= await startModule(o.wasm, o.integrity)
    const { Leader, Tabs, watchPage } = await together
    const ended = () => { this.#module = null }
    this.#module.exited.then(ended, ended)
    await new Promise((resolve, reject) => {
      const host = {
        config: {
          database: this.#name, user: o.user ?? 'default', destination: o.destination,
          flushEvery: o.flushEvery, flushAt: o.flushAt, debounce: o.debounce, mode: o.mode,
          durability: o.durability, maxQueueBytes: o.maxQueueBytes, healthFields: o.healthFields, ownClock: !!o.now,
        },
        now: o.now ?? Date.now,
        random: () => bytes(o.random),
        token: (fresh) => this.#tokens.read(fresh),
        deadline,
        answers: (text) => this.#answer(text),
        changed: () => this.#changed(),
        opened: (error) => (error === undefined ? resolve() : reject(new KeepError('STORAGE_UNAVAILABLE',
          `the outbox's database could not be opened: ${error} (private window, Lockdown Mode, or another tab with an older version)`))),
        lost: (reason) => this.#lost(reason),
        crashed: (message) => this.#crashed(message),
        dethroned: () => this.#leader?.start(),
      }
      this.#api = this.#module.open(host)
      if (!this.#api) reject(new KeepError('INTERNAL', 'the module could not be opened'))
    }).catch((e) => {
      this.#api?.close()
      this.#api = null
      throw e
    })
    if (this.#closed) return this.#api.close()
    this.#leader = new Leader(this.#name, (force) => this.#ticket((t) => this.#api.lead(t, force)), () => this.#api?.resign(), () => this.#tabs.leads())
    this.#tabs = new Tabs(this.#name, {
      leading: () => this.#leader.leading,
      answer: (method, args) => this.#do(method, args),
      hear: (word, value) => {
        if (word === 'appended') this.#api?.nudge()
        if (word === 'status' && !this.#leader.leading) {
          this.#told = value
          this.#changed()
        }
      },
    })
    this.#unwatch ??= watchPage({
      clicked: async () => {
        const token = await this.#tokens.prefetch()
        if (token) this.#api?.offered(token)
      },
      shown: (on) => this.#api?.shown(on),
      left: () => this.#api?.left(),
      hid: () => this.#leader.stop(),
      froze: () => this.#suspend(),
      thawed: () => {
        if (this.#closed) return
        if (this.#api) this.#leader.start()
        else this.start().catch(() => {})
      },
    })
    this.#release.push(() => this.#leader.stop(), () => this.#tabs.close())
    this.#look()
    await this.#leader.start()
  }

  // What the browser says of its storage; WebKit's older ones say nothing.
  async #look() {
    try {
      const { usage, quota } = await navigator.storage.estimate()
      this.#storage = { usage, quota, persisted: await navigator.storage.persisted() }
    } catch {
      this.#storage = {}
    }
  }

  #ticket(send) {
    return new Promise((resolve, reject) => {
      const t = this.#next++
      this.#tickets.set(t, { resolve, reject })
      send(t)
    })
  }

  // Runs a call once the outbox is open (again).
  async #call(send) {
    if (this.#closed) throw new KeepError('CLOSED', 'the outbox was closed; call openKeep again')
    if (!this.#api) await this.start()
    return this.#ticket(send)
  }

  append(event, { key = '' } = {}) {
    const media = event?.media ?? null // kept as they are; the rest is text
    let text
    try {
      text = JSON.stringify(media ? { ...event, media: undefined } : event)
    } catch (e) {
      return Promise.reject(new KeepError('INVALID_EVENT', `the event cannot be written as JSON: ${e.message}`))
    }
    if (typeof text !== 'string') return Promise.reject(new KeepError('INVALID_EVENT', 'an event is an object'))
    if (typeof key !== 'string') return Promise.reject(new KeepError('INVALID_EVENT', 'key is a string'))
    if (key.includes('\n')) return Promise.reject(new KeepError('INVALID_EVENT', 'key may hold no white space'))
    const take = ([sealed, kept]) => this.#call((ticket) => {
      if (this.#burst.push({ text: sealed, key, ticket, media: kept }) === 1) queueMicrotask(() => this.#sendBurst())
    })
    if (!media && !this.#seal && !this.#slow) return take([text, null])
    const ready = Promise.all([this.#seal ? this.#seal(text, key) : text, media && this.#prepare(media), this.#slow])
    if (media) { // reading blobs takes a while: what is appended meanwhile stays behind it
      const slow = ready.catch(() => {}).then(() => { if (this.#slow === slow) this.#slow = null })
      this.#slow = slow
    }
    return ready.then(take)
  }

  async #prepare(media) {
    return (await part(import('./media.js'))).prepare(media, this.#options.destination.service)
  }

  // Go is entered once a burst: all appends of this turn cross over as one array.
  #sendBurst() {
    const burst = this.#burst
    this.#burst = []
    if (burst.length === 0 || !this.#api) return
    const consecutive = burst.every((b, i) => b.ticket === burst[0].ticket + i)
    for (const part of consecutive ? [burst] : burst.map((b) => [b])) {
      this.#api?.append(encoder.encode(part.map((b) => b.text).join('\n')), part.map((b) => b.key).join('\n'), part[0].ticket,
        part.some((b) => b.media) ? part.map((b) => b.media) : null)
    }
  }

  #answer(text) {
    let onDisk = false
    for (const [ticket, kind, a, b, bytes, at] of JSON.parse(text)) {
      const waiting = this.#tickets.get(ticket)
      if (!waiting) continue
      this.#tickets.delete(ticket)
      if (kind === 0) {
        this.#heals = 0
        onDisk = true
        waiting.resolve({ id: a, noteId: b, bytes, at })
      }
      if (kind === 1) waiting.reject(new KeepError(a, b))
      if (kind === 2) waiting.resolve(a)
    }
    if (onDisk && !this.#leader?.leading) this.#tabs?.tell('appended') // not before: the sender looks at once
  }

  // A panic in the module: everyone who waits is told, and the outbox is opened anew from what is on disk.
  #crashed(message) {
    this.#crashes++
    this.#heal(new KeepError('INTERNAL', `the outbox stopped (${message}); what was accepted is on disk, the next call opens it again`))
  }

  // The database connection died, or a newer page wants it.
  #lost(reason) {
    this.#reopened++
    this.#heal(new KeepError('STORAGE_UNAVAILABLE', `the connection to the database was lost (${reason}); if the event is not acknowledged, it was not taken: try again`), reason === 'versionchange')
  }

  // Opens again, soon by itself or at the next call, at most three times in a row without a success between them.
  #heal(error, later) {
    this.#stop(error)
    if (++this.#heals > MAX_HEALS) {
      this.#closed = true
      return
    }
    if (!later) setTimeout(() => { if (!this.#closed && !this.#api) this.start().catch(() => {}) }, 250 * this.#heals)
  }

  // A frozen page may hold no lock and no transaction: it would stop the others. Not even one to resign: the lease runs out.
  #suspend() {
    const api = this.#api
    this.#api = null
    this.#stop(new KeepError('INTERNAL', 'the page was frozen before the event was on disk; it is not taken: append it again when the page is back'))
    api?.close()
  }

  #stop(error) {
    for (const f of this.#release.splice(0)) f()
    const api = this.#api
    this.#api = null
    api?.close()
    for (const { reject } of this.#tickets.values()) reject(error)
    this.#tickets.clear()
  }

  #status() {
    const text = this.#api?.status()
    const own = text ? JSON.parse(text) : {}
    const status = this.#told && this.#leader && !this.#leader.leading ? { ...this.#told, leader: false } : own
    status.storage = { ...this.#storage, reopened: this.#reopened, crashes: this.#crashes }
    return status
  }

  #changed() {
    if (this.#statusTimer) return
    const wait = Math.max(0, this.#statusAt + STATUS_MS - performance.now())
    this.#statusTimer = setTimeout(() => {
      this.#statusTimer = 0
      this.#statusAt = performance.now()
      if (!this.#api) return
      const status = this.#status()
      if (this.#leader?.leading) this.#tabs.tell('status', status)
      for (const fn of [...this.#listeners]) {
        try {
          fn(status)
        } catch (e) {
          setTimeout(() => { throw e }) // the listener's own error is the page's to see
        }
      }
    }, wait)
  }

  async #exportLedger({ from = 0, to = ALL, format = 'json' } = {}) {
    const lines = await this.#call((t) => this.#api.ledger(t, +from, +to))
    if (format === 'ndjson') return new Blob([lines], { type: 'application/x-ndjson' })
    if (format === 'json') return new Blob(['[', lines.trimEnd().replaceAll('\n', ',\n'), ']'], { type: 'application/json' })
    if (format === 'csv') return new Blob([(await part(import('./ledger.js'))).toCSV(lines)], { type: 'text/csv;charset=utf-8' })
    throw new KeepError('INVALID_EVENT', `ledger.export knows json, ndjson and csv, not ${format}`)
  }

  #close() {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#statusTimer)
    this.#unwatch?.()
    this.#listeners.clear()
    this.#stop(new KeepError('CLOSED', 'the outbox was closed'))
  }

  // What only the page that sends can do; the others pass it on to that one.
  #do(method, args) {
    switch (method) {
      case 'flush': return this.#call((t) => this.#api.flush(t))
      case 'retry': return this.#call((t) => this.#api.revive(t, ...args))
      case 'discard': return this.#call((t) => this.#api.discard(t, ...args))
      case 'reconcile': return this.#call((t) => this.#api.reconcile(t, ...args))
      case 'purge': return this.#call((t) => this.#api.purge(t))
      case 'realtime': return this.#api?.realtime(...args)
    }
    throw new KeepError('INTERNAL', `${method} is no call of this release: reload all pages`)
  }

  async #sender(method, ...args) {
    if (this.#closed) throw new KeepError('CLOSED', 'the outbox was closed; call openKeep again')
    if (!this.#api) await this.start()
    return this.#leader.leading ? this.#do(method, args) : this.#tabs.ask(method, args)
  }

  async #audit({ from = 0, to = ALL } = {}) {
    const { audit } = await part(import('./audit.js'))
    const holdings = await this.#call((t) => this.#api.holdings(t)) // first: what is settled meanwhile is in the ledger then
    return audit(await this.#call((t) => this.#api.rows(t, 0, ALL)), holdings, this.#status(), { from: +from, to: +to })
  }

  /** What the page gets. */
  face() {
    const call = (send) => this.#call(send)
    return Object.freeze({
      append: (event, options) => this.append(event, options),
      flush: () => this.#sender('flush'),
      status: () => this.#status(),
      subscribe: (fn) => {
        this.#listeners.add(fn)
        this.#changed()
        return () => this.#listeners.delete(fn)
      },
      hide: (noteId) => call((t) => this.#api.hide(t, String(noteId))),
      dead: Object.freeze({
        list: () => call((t) => this.#api.dead(t)),
        retry: (id) => this.#sender('retry', String(id)),
        discard: (id) => this.#sender('discard', String(id)),
      }),
      ledger: Object.freeze({
        export: (options) => this.#exportLedger(options),
        audit: (options) => this.#audit(options),
      }),
      reconcile: ({ from = 0, to = ALL } = {}) => this.#sender('reconcile', +from, +to),
      realtime: (on) => this.#sender('realtime', !!on),
      purge: () => this.#sender('purge'),
      close: () => this.#close(),
    })
  }
}

// 16 random bytes; a page's own source (tests) gives numbers in [0, 1).
function bytes(random) {
  if (!random) return crypto.getRandomValues(new Uint8Array(16))
  return Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256))
}

// A signal that ends a request after ms; engines before 2022 lack AbortSignal.timeout.
function deadline(ms) {
  if (AbortSignal.timeout) return AbortSignal.timeout(ms)
  const c = new AbortController()
  setTimeout(() => c.abort(new DOMException('no answer in time', 'TimeoutError')), ms)
  return c.signal
}
