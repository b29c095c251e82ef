import { toText } from './check.js'
import { KeepError, part } from './errors.js'
import { bytes, deadline } from './host.js'
import { Listeners, onAuth } from './listeners.js'
import { startModule } from './loader.js'
import { outboxName, relayOf } from './options.js'
import { Order } from './order.js'
import { Tickets } from './tickets.js'
import { Tokens } from './tokens.js'

const MAX_HEALS = 3 // openings anew in a row without a success between them
const ALL = Number.MAX_SAFE_INTEGER
const encoder = new TextEncoder()

/** Opens an outbox and resolves with the object of api.md. */
export async function openOutbox(options, seal) {
  return (await startOutbox(options, seal)).face()
}

/** The same, for the front of the package, which seals and checks events itself. */
export async function startOutbox(options, seal) {
  const outbox = new Outbox(options, seal)
  await outbox.start()
  return outbox
}

/** One open outbox: tickets out, answers in. All rules are the module's; this is the JavaScript end of its bridge. */
class Outbox {
  #options
  #seal // (text, key) → promise of the text with its fields encrypted; null without the option
  #module = null // {open, exited}
  #api = null
  #tokens
  #tickets = new Tickets()
  #burst = [] // appends of this turn: {text, key, media, messages, resolve, reject}
  #packs = null // of together.js
  #order = new Order()
  #listeners = new Listeners(() => {
    if (this.#closed) return null
    const status = this.#status()
    if (this.#leader?.leading) this.#tabs.tell('status', status)
    return status
  })
  #crashes = 0
  #reopened = 0
  #heals = 0
  #open = false // the database is; else the module keeps what waits
  #opened = null // what hears that it was opened, or why not
  #gaveUp = '' // why nothing is open any more; ends with the next call that opens it
  #storage = {}
  #told = null // the sender's status, as this page last heard it
  #starting = null
  #closed = false
  #release = []
  #unwatch = null
  #leader = null
  #tabs = null
  #name
  #parts

  constructor(options, seal) {
    this.#options = options
    this.#seal = seal
    this.#tokens = new Tokens(options.token)
    this.#name = outboxName(options)
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
        return await (this.#api ? this.#reopen() : this.#start())
      } catch (e) {
        if (e.code !== 'STORAGE_UNAVAILABLE' || !ms || !globalThis.indexedDB || this.#closed) {
          if (this.#api) this.#giveUp(e)
          throw e
        }
        await new Promise((r) => { setTimeout(r, ms) })
      }
    }
  }

  // The database again, under the module that lives on: an append that waits is answered when the disk was asked.
  async #reopen() {
    await this.#hearOpened(() => this.#api.reopen())
    this.#join()
    await this.#leader.start()
  }

  #hearOpened(open) {
    return new Promise((resolve, reject) => {
      this.#opened = (code, message) => {
        if (code === undefined) {
          this.#open = true
          this.#gaveUp = ''
          resolve()
        } else {
          reject(new KeepError(code, `the outbox's database could not be opened: ${message} (private window, Lockdown Mode, a full device, or another tab with an older version)`))
        }
      }
      open(reject)
    })
  }

  async #start() {
    const o = this.#options
    const together = part(import('./together.js')) // fetched while the module is
    together.catch(() => {}) // told below, if the module comes
    this.#module ??= await startModule(o.wasm, o.integrity)
    this.#parts = await together
    this.#packs ??= new this.#parts.Packs()
    const ended = () => { this.#module = null }
    this.#module.exited.then(ended, ended)
    await this.#hearOpened((reject) => {
      const host = {
        config: {
          database: this.#name, user: o.user ?? 'default', destination: o.destination,
          flushEvery: o.flushEvery, flushAt: o.flushAt, debounce: o.debounce, mode: o.mode,
          fleet: o.fleet, seat: o.seat, campaign: !!o.campaign, dayCurve: o.dayCurve, relay: o.relay && relayOf(o),
          durability: o.durability, maxQueueBytes: o.maxQueueBytes, healthFields: o.healthFields, ownClock: !!o.now,
        },
        now: o.now ?? Date.now,
        random: () => bytes(o.random),
        token: (fresh) => this.#tokens.read(fresh),
        deadline,
        packs: this.#packs,
        packed: (ticket, seq) => {
          this.#packs.written(ticket, seq)
          this.#stored()
        },
        answers: (text) => {
          if (this.#tickets.settle(text, (ticket) => this.#packs.take(ticket))) this.#stored()
        },
        changed: () => this.#listeners.changed(),
        opened: (code, message) => this.#opened(code, message),
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
    if (this.#closed) return this.#api?.close()
    this.#unwatch ??= this.#parts.watchPage({
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
        if (this.#open) this.#leader.start()
        else this.start().catch(() => {})
      },
    })
    this.#join()
    this.#look()
    await this.#leader.start()
  }

  // In line for the lead, and in talk with the other pages of this outbox.
  #join() {
    const { Leader, Tabs } = this.#parts
    this.#leader = new Leader(this.#name, (force) => this.#tickets.issue((t) => this.#api.lead(t, force)), () => this.#api?.resign(), () => this.#tabs.leads())
    this.#tabs = new Tabs(this.#name, {
      leading: () => this.#leader.leading,
      answer: (method, args) => this.#do(method, args),
      hear: (word, value) => {
        if (word === 'appended') this.#api?.nudge()
        if (word === 'status' && !this.#leader.leading) {
          this.#told = value
          this.#listeners.changed()
        }
      },
    })
    this.#release.push(() => this.#leader.stop(), () => this.#tabs.close())
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

  // Runs a call once the outbox is open (again).
  async #call(send) {
    await this.#ready()
    return this.#tickets.issue(send)
  }

  async #ready() {
    if (this.#closed) throw new KeepError('CLOSED', 'the outbox was closed; call openKeep again')
    if (!this.#open) await this.start()
  }

  append(event, { key = '' } = {}) {
    try {
      const text = toText(event, key)
      const ready = this.#order.next(this.#seal ? this.#seal(text, key) : text, event.media, this.#options.destination.service)
      return ready ? ready.then(([sealed, media]) => this.put(sealed, key, media)) : this.put(text, key, null, this.plain(event, key))
    } catch (e) {
      return Promise.reject(e)
    }
  }

  /** How many messages the event has, if it may go as a pack (plain.js); else 0. */
  plain(event, key) {
    return key ? 0 : this.#parts?.plainMessages(event) ?? 0
  }

  /** Appends an event's text, and its media as media.js prepared them; `messages` is what plain said of the event. */
  put(text, key, media = null, messages = 0) {
    if (this.#closed || !this.#open) return this.#ready().then(() => this.#put(text, key, media, messages))
    return this.#put(text, key, media, messages)
  }

  #put(text, key, media, messages) {
    return new Promise((resolve, reject) => {
      const item = { text, key, media, messages, resolve, reject, bytes: 0, size: 0, noteId: '' } // the last three are a pack's; an object that grows later is moved
      if (this.#burst.push(item) === 1) queueMicrotask(() => this.#sendBurst())
    })
  }

  /** Takes over a row of the inbox; resolves when it is on disk here, so that it may go there. */
  take({ text, key, version, at, mark, media }) {
    return this.#call((t) => this.#api.take(encoder.encode(text), `${key} ${version} ${at} ${mark}`, t, media ? [media] : null))
  }

  // Go is entered once a burst: what is plain crosses over as the sums of its packs, all else of this turn as bytes.
  #sendBurst() {
    const runs = this.#parts.runs(this.#burst.splice(0), this.#options)
    for (const run of runs) {
      run.ticket = this.#tickets.take(run.items.length)
      if (run.plain) this.#packs.add(run.ticket, run.items, run.bytes)
      else run.items.forEach((item, i) => this.#tickets.wait(run.ticket + i, item))
    }
    for (const [i, { plain, ticket, items, messages, bytes }] of runs.entries()) {
      if (plain) this.#api?.pack(ticket, items.length, messages, bytes, runs[i + 1]?.plain ? 1 : 0)
      else {
        this.#api?.append(encoder.encode(items.map(({ text }) => text).join('\n')), items.map(({ key }) => key).join('\n'), ticket,
          items.some(({ media }) => media) ? items.map(({ media }) => media) : null)
      }
    }
  }

  #stored() {
    this.#heals = 0
    if (!this.#leader?.leading) this.#tabs?.tell('appended') // not before: the sender looks at once
  }

  // A panic in the module: everyone who waits is told, and the outbox is opened anew from what is on disk.
  #crashed(message) {
    this.#crashes++
    this.#stop(new KeepError('INTERNAL', `the outbox stopped (${message}); what was acknowledged is on disk, an event that was not may be: the next call opens the outbox again`))
    this.#heal(message)
  }

  // The database connection died, or a newer page wants it. What waits goes on waiting: the module asks the disk whether it
  // is there once it is open again.
  #lost(reason) {
    this.#reopened++
    this.#leave()
    this.#heal(`the connection to the database was lost (${reason})`, reason === 'versionchange' && this.#tickets.size + this.#packs.size === 0)
  }

  // Opens again, soon by itself or at the next call, at most three times in a row without a success between them.
  #heal(reason, later) {
    this.#listeners.changed()
    if (++this.#heals > MAX_HEALS) this.#giveUp(new KeepError('STORAGE_UNAVAILABLE', reason))
    else if (!later) setTimeout(() => { if (!this.#closed && !this.#open) this.start().catch(() => {}) }, 250 * this.#heals)
  }

  // Nothing is tried any more by itself; the next call tries once.
  #giveUp({ code, message }) {
    this.#gaveUp = `${message}: nothing is sent from this page until a call opens the outbox again`
    this.#stop(new KeepError(code, `${message}; what was acknowledged is on disk, an event that was not may be: a later call opens the outbox again`))
    this.#listeners.changed()
  }

  // A frozen page may hold no lock and no transaction: it would stop the others. Not even one to resign: the lease runs out.
  #suspend() {
    this.#api?.suspend()
    this.#leave()
  }

  #leave() {
    this.#open = false
    for (const f of this.#release.splice(0)) f()
  }

  #stop(error) {
    this.#leave()
    const api = this.#api
    this.#api = null
    api?.close()
    this.#opened?.(error.code, error.message)
    for (const { reject } of this.#burst.splice(0)) reject(error)
    this.#packs?.fail(error)
    this.#tickets.fail(error)
  }

  #status() {
    const text = this.#api?.status()
    const own = text ? JSON.parse(text) : {}
    const status = this.#told && this.#leader && !this.#leader.leading ? { ...this.#told, leader: false } : own
    status.now = (this.#options.now ?? Date.now)()
    status.storage = { ...this.#storage, reopened: this.#reopened, crashes: this.#crashes }
    const mend = this.#gaveUp || this.#leader?.failure?.message
    if (mend && !this.#closed) status.alarms = [...status.alarms ?? [], { code: 'STORAGE_FAILED', message: mend }]
    return status
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
    this.#unwatch?.()
    this.#listeners.close()
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
    if (!this.#open || this.#starting) await this.start()
    if (this.#leader.failure) await this.#leader.start() // perhaps there is room now
    if (!this.#leader.leading && this.#leader.failure) throw this.#leader.failure
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
    const subscribe = (fn) => this.#listeners.add(fn)
    return Object.freeze({
      append: (event, options) => this.append(event, options),
      flush: () => this.#sender('flush'),
      status: () => this.#status(),
      subscribe,
      onAuth: onAuth(subscribe),
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
