import { KeepError } from './errors.js'

const ANSWER_MS = 60000

/**
 * What the pages of one outbox say to each other: who appended, how the sender stands, and calls that only the sender can
 * do (flush and the like), which a page that does not send passes on to it.
 */
export class Tabs {
  #bc = null
  #asked = new Map() // id → {resolve, reject, timer}
  #id = `${Math.random()}`
  #n = 0
  #closed = false

  /**
   * `hear(word, value)` gets 'appended' and 'status'; `answer(method, args)` does a call, if this page is the sender,
   * and resolves with its value.
   */
  constructor(name, { hear, leading, answer }) {
    if (typeof BroadcastChannel !== 'function') return
    this.#bc = new BroadcastChannel(name)
    this.#bc.onmessage = async ({ data }) => {
      if (data.ask) {
        if (!leading()) return
        const [id, method, args] = data.ask
        try {
          this.#say({ told: [id, await answer(method, args)] })
        } catch (e) {
          this.#say({ told: [id, null, [e instanceof KeepError ? e.code : 'INTERNAL', `${e?.message ?? e}`]] })
        }
      } else if (data.told) {
        const [id, value, error] = data.told
        const waiting = this.#asked.get(id)
        if (!waiting) return
        this.#asked.delete(id)
        clearTimeout(waiting.timer)
        if (error) waiting.reject(new KeepError(...error))
        else waiting.resolve(value)
      } else {
        hear(data.word, data.value)
      }
    }
  }

  #say(message) {
    this.#bc?.postMessage(message)
  }

  tell(word, value) {
    this.#say({ word, value })
  }

  /** Passes a call on to the page that sends. */
  ask(method, args) {
    if (this.#closed) return Promise.reject(new KeepError('CLOSED', 'the outbox was closed'))
    return new Promise((resolve, reject) => {
      const id = `${this.#id} ${++this.#n}`
      const timer = setTimeout(() => {
        this.#asked.delete(id)
        reject(new KeepError('INTERNAL', `the page that sends did not answer ${method} in time: what was accepted is on disk and goes by itself`))
      }, ANSWER_MS)
      this.#asked.set(id, { resolve, reject, timer })
      this.#say({ ask: [id, method, args] })
    })
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
