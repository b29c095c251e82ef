import { KeepError } from './errors.js'

/** The calls that the module has not answered yet. Each has a number, and is answered once. */
export class Tickets {
  #waiting = new Map() // number → {resolve, reject}
  #next = 1

  get size() {
    return this.#waiting.size
  }

  /** The first of n numbers in a row. */
  take(n) {
    const first = this.#next
    this.#next += n
    return first
  }

  /** Gives `send` the next number; resolves or rejects with the module's answer to it. */
  issue(send) {
    return new Promise((resolve, reject) => {
      const t = this.take(1)
      this.wait(t, { resolve, reject })
      send(t)
    })
  }

  wait(t, { resolve, reject }) {
    this.#waiting.set(t, { resolve, reject })
  }

  /**
   * Passes on what the module says (wasm/answers.go); answers whether a receipt was among it: something is on disk. `packed`
   * says who waits under a ticket of a pack.
   */
  settle(text, packed) {
    let onDisk = false
    for (const [ticket, kind, a, b, bytes, at] of JSON.parse(text)) {
      const waiting = this.#waiting.get(ticket) ?? packed(ticket)
      if (!waiting) continue
      this.#waiting.delete(ticket)
      if (kind === 0) {
        onDisk = true
        waiting.resolve({ id: a, noteId: b, bytes, at })
      }
      if (kind === 1) waiting.reject(new KeepError(a, b))
      if (kind === 2) waiting.resolve(a)
    }
    return onDisk
  }

  /** The module is gone: everyone who waits is told. */
  fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
