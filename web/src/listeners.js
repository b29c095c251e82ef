const STATUS_MS = 100 // at most ten a second

/** Who wants to hear of a change of the status, told at most ten times a second. `read` gives the status, or null for not now. */
export class Listeners {
  #read
  #all = new Set()
  #at = 0
  #timer = 0

  constructor(read) {
    this.#read = read
  }

  /** Calls fn on change and once soon; returns the function that ends it. */
  add(fn) {
    this.#all.add(fn)
    this.changed()
    return () => this.#all.delete(fn)
  }

  changed() {
    if (this.#timer) return
    const wait = Math.max(0, this.#at + STATUS_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = 0
      this.#at = performance.now()
      const status = this.#read()
      if (!status) return
      for (const fn of [...this.#all]) {
        try {
          fn(status)
        } catch (e) {
          setTimeout(() => { throw e }) // the listener's own error is the page's to see
        }
      }
    }, wait)
  }

  close() {
    clearTimeout(this.#timer)
    this.#all.clear()
  }
}

/**
 * Makes $keep.onAuth: fn(KeepError) whenever a person is needed before anything can be sent, AUTH_REQUIRED or SCOPE_REQUIRED;
 * the message says what the page should call. Answers the function that ends it.
 */
export const onAuth = (subscribe) => (fn) => {
  let last = 'ok'
  return subscribe(({ token = last }) => {
    if (token === last) return
    last = token
    if (token !== 'ok') import('./auth.js').then(({ authError }) => fn(authError(token)))
  })
}
