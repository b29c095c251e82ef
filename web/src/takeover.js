import { KeepError } from './errors.js'
import { drop, refuse, rowsOf } from './rows.js'

const PAGE = 200 // rows handed over at once
const AGAIN_MS = 5000
const TAKEN_MS = 100 // another page takes over: look again
const forGood = ['INVALID_EVENT', 'TOO_LARGE', 'UNFIT_CONTENT'] // asking again changes nothing

/** Hands what the inbox keeps for one user over to the outbox, which knows by its mark what it has taken already. */
// On WebKit a blob that was read from one database and put into another never got there (seen after a kill, each time; why is
// not known), so its bytes are copied.
const own = async (item) => ({ ...item, blob: new Blob([await item.blob.arrayBuffer()], { type: item.type }) })

export class TakeOver {
  #outbox
  #options
  #changed
  #running = null
  #again = 0
  #closed = false
  /** Nothing is left in the inbox. */
  drained = false

  constructor(inbox, outbox, options, changed) {
    this.inbox = inbox
    this.#outbox = outbox
    this.#options = options
    this.#changed = changed
  }

  /** Resolves when nothing is left; rejects when the outbox cannot take it now, and tries again by itself. */
  run() {
    return (this.#running ??= this.#all().catch((e) => {
      clearTimeout(this.#again)
      if (!this.#closed) this.#again = setTimeout(() => this.run().catch(() => {}), AGAIN_MS)
      throw e
    }).finally(() => {
      this.#running = null
      this.#changed()
    }))
  }

  close() {
    this.#closed = true
    clearTimeout(this.#again)
  }

  count() { return rowsOf(this.inbox, this.#options.user) }

  // One page of the origin at a time. A page that holds the lock and does not move (it was frozen) is not waited for long.
  async #all() {
    const locks = globalThis.navigator?.locks
    const name = `take over ${this.#options.destination.channelId}:${this.#options.user}`
    for (let tries = 0; ; tries++) {
      if (this.#closed) throw new KeepError('CLOSED', 'the outbox was closed')
      const alone = locks && tries < 50
      let done
      try {
        done = alone ? await locks.request(name, { ifAvailable: true }, (lock) => !!lock && this.#rows()) : await this.#rows()
      } catch (e) {
        if (!alone || e instanceof KeepError) throw e
        done = await this.#rows() // locks are there but refused (an opaque origin)
      }
      if (done) return
      await pause(TAKEN_MS)
    }
  }

  async #rows() {
    const { debounce = 200, now = Date.now } = this.#options
    const done = new Set()
    for (;;) {
      const rows = await this.count()
      if (rows.length === 0 && this.inbox.busy === 0) {
        this.drained = true
        return true
      }
      // what may still be replaced under its key stays until it may not
      const ripe = rows.filter((row) => row.key === row.mark || !(Math.abs(now() - row.at) < debounce)).slice(0, PAGE)
      const failed = (await Promise.allSettled(ripe.map((row) => this.#take(row)))).find(({ status }) => status === 'rejected')
      if (failed) throw failed.reason
      if (ripe.length === 0) await pause(Math.min(debounce, 50) + 1)
      if (ripe.some(({ mark, at }) => done.has(`${mark} ${at}`))) await pause(AGAIN_MS) // it would not go: no reason to spin
      for (const { mark, at } of ripe) done.add(`${mark} ${at}`)
    }
  }

  async #take(row) {
    try {
      await this.#outbox.take(row.media ? { ...row, media: await Promise.all(row.media.map(own)) } : row)
    } catch (e) {
      if (!forGood.includes(e.code)) throw e
      return refuse(this.inbox, row, { code: e.code, message: e.message, at: row.at })
    }
    return drop(this.inbox, row)
  }

  #refused() { return rowsOf(this.inbox, this.#options.user, true) }

  /** What the outbox would not take: dead letters too, until the page retries or discards them. */
  async listDead() {
    return (await this.#refused()).map(({ noteId, bytes, refused: { code, message, at } }) => (
      { id: noteId, noteId, code, message, status: 0, requestId: '', at, bytes }))
  }

  /** Offers the outbox a refused row again; undefined when there is none of this noteId. */
  async retry(id) {
    const find = async () => (await this.#refused()).find((row) => row.noteId === id)
    const row = await find()
    if (!row) return undefined
    await refuse(this.inbox, row)
    await this.run()
    const { refused } = await find() ?? {}
    if (refused) throw new KeepError(refused.code, refused.message)
    return { id, noteId: id, bytes: row.bytes, at: row.at }
  }

  /** Deletes a refused row; undefined when there is none of this noteId. */
  async discard(id) {
    const row = (await this.#refused()).find(({ noteId }) => noteId === id)
    if (!row) return undefined
    await drop(this.inbox, row)
    await this.count()
    this.#changed()
    return { id, noteId: id, bytes: row.bytes, at: row.at }
  }
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms) })
