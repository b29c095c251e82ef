// What stands behind the front: it waits for the user, starts the module, and answers every call but append.
import { authError } from './auth.js'
import { KeepError } from './errors.js'
import { closed, nothing } from './front.js'
import { judge } from './judge.js'
import { startOutbox } from './outbox.js'
import { bind, purge, rowsOf } from './rows.js'
import { TakeOver } from './takeover.js'

const LOGIN_MS = 20000 // how long a call waits for liff.init and a user
const AGAIN_MS = 30000 // until a start that failed is tried again

export class Behind {
  #front
  #open = null // {outbox, keep, takeOver, user} once the module runs
  #opening = null
  #failed = null // why it does not
  #again = 0
  #look = () => {} // for the user, now

  constructor(front) {
    this.#front = front
  }

  /** Nothing of this user is left in the inbox: appends may go to the outbox straight away. */
  get drained() { return !!this.#open?.takeOver.drained }

  /** Starts, and again until it works. */
  wake() {
    if (!this.#front.closed) this.#start().catch(() => {}) // kept for status(); whoever calls is told
  }

  hint() { this.#look() }

  #start() {
    return (this.#opening ??= this.#startNow().then(() => { this.#failed = null }, (e) => {
      this.#opening = null
      if (this.#front.closed) throw e
      if (this.#failed?.message !== e.message) console.error(`liff-keep: nothing is sent: ${e.message}`) // the page may never call anything that rejects
      this.#failed = e
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.wake(), AGAIN_MS)
      throw e
    }).finally(() => this.#front.listeners.changed()))
  }

  async #startNow() {
    const front = this.#front
    await rowsOf(front.inbox, front.who().user) // what is there counts towards maxQueueBytes, also while nobody is logged in
    const owner = await this.#known()
    await bind(front.inbox, owner)
    const { user, liffId } = owner
    const outbox = await startOutbox({ ...front.options, user, liffId }, null)
    const keep = outbox.face()
    if (front.closed) return keep.close()
    keep.subscribe(() => front.listeners.changed())
    const takeOver = new TakeOver(front.inbox, outbox, { ...front.options, user }, () => front.listeners.changed())
    this.#open = { outbox, keep, takeOver, user }
    takeOver.run().catch(() => {}) // it tries again by itself
  }

  // Waits for the user; looks at once when something hints at it, else now and then: under @line/liff-mock nothing does.
  async #known() {
    for (let ms = 50; ; ms = Math.min(2 * ms, 2000)) {
      if (this.#front.closed) throw closed()
      const owner = this.#front.who()
      if (owner === 'module') throw authError('module')
      if (typeof owner !== 'string') return owner
      this.#front.listeners.changed()
      await new Promise((resolve) => {
        this.#look = resolve
        setTimeout(resolve, ms)
      })
    }
  }

  // The outbox for a call of the page, which is told when there is no user or no module.
  async #ready() {
    const { who } = this.#front
    if (!this.#open && who() === 'login') throw authError('needed') // init is over: nobody logs in without leaving the page
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        if (who() === 'login') reject(authError('needed'))
        if (who() === 'init') reject(new KeepError('AUTH_REQUIRED', 'liff.init has not finished: call liff.init({liffId}) first; what was appended stays on this device'))
      }, LOGIN_MS)
    })
    await Promise.race([this.#start(), late]).finally(() => clearTimeout(timer))
    if (this.#front.closed) throw closed()
    return this.#open
  }

  // An outbox that has given up (its database was lost again and again) is opened anew, once a call.
  async #with(use) {
    const open = await this.#ready()
    try {
      return await use(open)
    } catch (e) {
      if (e.code !== 'CLOSED' || this.#front.closed) throw e
      if (this.#open === open) this.#open = this.#opening = null
      return use(await this.#ready())
    }
  }

  put(text, key, media, messages) { return this.#with(({ outbox }) => outbox.put(text, key, media, messages)) }

  /** As the outbox says it; 0 while there is none. */
  plain(event, key) { return this.#open?.outbox.plain(event, key) ?? 0 }

  /** Appends what is not plain: refused here, or by the module. */
  judged(text, key, media) {
    judge(text, key, new Blob([text]).size, this.#front.options)
    return this.put(text, key, media)
  }

  call(name, args) { return this.#with((open) => calls[name](open, ...args)) }

  status() {
    const front = this.#front
    const own = front.closed ? {} : this.#open?.keep.status() ?? {}
    const status = nothing(front.options, own)
    status.alarms = [...status.alarms] // other pages' alarms are not ours to add to
    const { pending, bytes, refused } = front.inbox.kept
    status.pending += pending
    status.dead += refused.length
    status.queueBytes += bytes
    if (!this.#open && front.who() === 'login') status.token = 'needed'
    if (!this.#open && this.#failed) status.alarms.push({ code: 'NOT_STARTED', message: `nothing is sent: ${this.#failed.message}` })
    if (refused.length > 0) status.alarms.push({ code: 'INBOX_REFUSED', message: `${refused[0].refused.message}; it was appended before the module was there: dead.list() names it` })
    return status
  }

  close() {
    this.#look()
    clearTimeout(this.#again)
    this.#open?.takeOver.close()
    this.#open?.keep.close()
  }
}

const taken = (takeOver) => takeOver.run().catch(() => {}) // what the outbox has goes all the same

const calls = {
  async flush({ keep, takeOver }) {
    await taken(takeOver)
    return keep.flush()
  },
  hide: ({ keep }, noteId) => keep.hide(noteId),
  listDead: async ({ keep, takeOver }) => [...await keep.dead.list(), ...await takeOver.listDead()],
  retry: async ({ keep, takeOver }, id) => await takeOver.retry(String(id)) ?? keep.dead.retry(id),
  discard: async ({ keep, takeOver }, id) => await takeOver.discard(String(id)) ?? keep.dead.discard(id),
  export: ({ keep }, options) => keep.ledger.export(options),
  async audit({ keep, takeOver }, span) {
    await taken(takeOver)
    return keep.ledger.audit(span)
  },
  reconcile: ({ keep }, span) => keep.reconcile(span),
  realtime: ({ keep }, on) => keep.realtime(on),
  async purge({ keep, takeOver, user }) {
    await taken(takeOver) // so that the ledger's row counts them
    const done = await keep.purge()
    await purge(takeOver.inbox, user)
    await takeOver.count()
    return done
  },
}
