import { KeepError } from './errors.js'

const ANSWER_MS = 60000
const REMEMBERED = 1000 // calls that a sender knows it has taken

// Which calls may be done by two senders in turn, when the first one died or changed before it answered:
//   flush, realtime    twice is once
//   retry, discard     the dead letter is gone after the first: the second answers INVALID_EVENT, and does nothing
//   reconcile          looks again; what it sends twice has the same noteId and bytes, a duplicate to the service
// Not purge: it would delete what was appended since. Once a sender has taken it, it is not repeated.
const ONCE = new Set(['purge'])

/**
 * What the pages of one outbox say to each other: who appended, how the sender stands, and calls that only the sender can
 * do (flush and the like), which a page that does not send passes on to it. A call is kept until it is answered: a new
 * sender says that it leads, and hears it again; a page that becomes the sender itself does its own.
 */
export class Tabs {
  #bc = null
  #asked = new Map() // id → {method, args, resolve, reject, timer, taken}
  #took = new Set() // ids of others' calls that this page has begun
  #id = `${Math.random()}`
  #n = 0
  #closed = false
  #leading
  #answer

  /**
   * `hear(word, value)` gets 'appended' and 'status'; `answer(method, args)` does a call, if this page is the sender,
   * and resolves with its value.
   */
  constructor(name, { hear, leading, answer }) {
    this.#leading = leading
    this.#answer = answer
    if (typeof BroadcastChannel !== 'function') return
    this.#bc = new BroadcastChannel(name)
    this.#bc.onmessage = ({ data }) => {
      if (data.ask) this.#do(...data.ask)
      else if (data.took) this.#taken(data.took)
      else if (data.told) this.#settle(...data.told)
      else if (data.leads) this.#repeat()
      else hear(data.word, data.value)
    }
  }

  #say(message) {
    this.#bc?.postMessage(message)
  }

  tell(word, value) {
    this.#say({ word, value })
  }

  /** Passes a call on to the page that sends. Rejects with what that one says, or INTERNAL when none answers for a minute. */
  ask(method, args) {
    if (this.#closed) return Promise.reject(new KeepError('CLOSED', 'the outbox was closed'))
    if (!this.#bc) {
      return Promise.reject(new KeepError('INTERNAL', `${method} can be done only in the page that sends, and this browser has no BroadcastChannel to reach it: call it there, or close the app's other pages (what was accepted is on disk and goes by itself)`))
    }
    return new Promise((resolve, reject) => {
      const id = `${this.#id} ${++this.#n}`
      const timer = setTimeout(() => {
        this.#asked.delete(id)
        reject(new KeepError('INTERNAL', `the page that sends did not answer ${method} in time: what was accepted is on disk and goes by itself`))
      }, ANSWER_MS)
      this.#asked.set(id, { method, args, resolve, reject, timer, taken: false })
      this.#say({ ask: [id, method, args] })
    })
  }

  /** This page has become the sender: it does its own calls that wait, and hears the others' again. */
  leads() {
    for (const [id, call] of this.#asked) {
      if (call.taken && ONCE.has(call.method)) this.#unknown(id, call.method)
      else this.#do(id, call.method, call.args)
    }
    this.#say({ leads: true })
  }

  // Does a call of this page or another, once however often it comes. A page that lost the lead meanwhile keeps a failure to
  // itself: the next sender does the call.
  async #do(id, method, args) {
    if (!this.#leading() || this.#took.has(id)) return
    this.#took.add(id)
    if (this.#took.size > REMEMBERED) this.#took.delete(this.#took.values().next().value)
    this.#say({ took: id })
    const told = await this.#run(method, args)
    if (told[1] && !this.#leading()) {
      this.#took.delete(id)
      return
    }
    if (this.#asked.has(id)) return this.#settle(id, ...told)
    try {
      this.#say({ told: [id, ...told] })
    } catch (e) { // a value that cannot be copied
      this.#say({ told: [id, null, failure(e)] })
    }
  }

  // Resolves with [value], or [null, error].
  async #run(method, args) {
    try {
      return [await this.#answer(method, args)]
    } catch (e) {
      return [null, failure(e)]
    }
  }

  #taken(id) {
    const call = this.#asked.get(id)
    if (call) call.taken = true
  }

  #settle(id, value, error) {
    const call = this.#asked.get(id)
    if (!call) return
    this.#asked.delete(id)
    clearTimeout(call.timer)
    if (error) call.reject(new KeepError(...error))
    else call.resolve(value)
  }

  #repeat() {
    for (const [id, { method, args, taken }] of this.#asked) {
      if (taken && ONCE.has(method)) this.#unknown(id, method)
      else this.#say({ ask: [id, method, args] })
    }
  }

  #unknown(id, method) {
    this.#settle(id, null, ['INTERNAL', `the page that sends changed while it did ${method}: whether it was done is not known, call it again`])
  }

  close() {
    this.#closed = true
    this.#bc?.close()
    this.#bc = null
    for (const { reject, timer } of this.#asked.values()) {
      clearTimeout(timer)
      reject(new KeepError('CLOSED', 'the outbox was closed'))
    }
    this.#asked.clear()
  }
}

const failure = (e) => [e instanceof KeepError ? e.code : 'INTERNAL', `${e?.message ?? e}`]
