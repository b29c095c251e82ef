// How long a page waits in line for the lock before it looks whether the holder still lives, how often a page without
// locks asks, and how often the sender says that it lives (its lease is 150 s, kept by the module in the database).
const PATIENCE_MS = 30000
const ASK_MS = 5000
const RENEW_MS = 20000

/**
 * One page sends, all append (invariant 8). Two things decide it: the Web Lock `name`, where the browser has locks, and a
 * lease in the database with a fencing token, so that a page that was frozen with the lock in hand neither blocks the
 * others for ever nor writes once another has taken over.
 *
 * `claim(force)` takes or renews the lease and resolves with whether this page sends; `resign()` gives it up. `led()` is
 * called whenever this page becomes the one that sends.
 */
export class Leader {
  #name
  #claim
  #resign
  #led
  #life = null // ends with stop()
  #leading = false
  #failure = null
  #renewal = 0

  constructor(name, claim, resign, led = () => {}) {
    this.#name = name
    this.#claim = async (force) => {
      try {
        const held = await claim(force)
        this.#failure = null
        return held
      } catch (e) {
        this.#failure = e // the outbox is closing, its database is being opened again, or the disk takes no lease
        return false
      }
    }
    this.#resign = resign
    this.#led = led
  }

  /** Why the last claim could not be written; null when it was decided. Nobody leads by it. */
  get failure() {
    return this.#failure
  }

  get leading() {
    return this.#leading
  }

  /** Resolves when it is decided whether this page sends; goes on deciding until stop(). */
  start() {
    this.stop()
    this.#life = new AbortController()
    const { signal } = this.#life
    const locks = globalThis.navigator?.locks
    return new Promise((decided) => {
      const run = locks ? this.#withLocks(locks, signal, decided) : this.#withoutLocks(signal, decided)
      run.catch(() => {}).finally(() => {
        decided()
        if (!this.#life) this.#resign() // a claim that was under way at stop() may have been granted
      })
    })
  }

  /** Lets go of lock and lease: the page is closing, or goes to the back-forward cache. */
  stop() {
    const leading = this.#leading
    this.#lead(false)
    this.#life?.abort()
    this.#life = null
    if (leading) this.#resign()
  }

  #lead(on) {
    this.#leading = on
    clearInterval(this.#renewal)
    if (!on) return
    const life = this.#life
    this.#renewal = setInterval(async () => {
      if (!await this.#claim(false) && this.#leading && this.#life === life) this.start() // lost: into the line again
    }, RENEW_MS)
    this.#led()
  }

  async #withLocks(locks, signal, decided) {
    let turn = null // of holding the lock; ends when it is stolen
    const hold = async (lock) => {
      if (!lock || signal.aborted) return false
      const mine = turn = new AbortController()
      const held = await this.#claim(true)
      if (signal.aborted || mine.signal.aborted) return true
      this.#lead(held)
      decided()
      if (held) await Promise.race([ended(mine.signal), ended(signal)])
      else await pause(signal) // the database did not answer: let others try, and ask again
      return held
    }
    let steal = false
    try {
      if (await locks.request(this.#name, { ifAvailable: true }, hold)) return
    } catch { // locks are there but refused (an opaque origin)
      return this.#withoutLocks(signal, decided)
    }
    this.#resign()
    decided()
    while (!signal.aborted) {
      const waited = patience(signal)
      try {
        const options = steal ? { steal } : { signal: waited }
        if (await locks.request(this.#name, options, hold)) return
      } catch {
        turn?.abort()
        if (!this.#leading && !waited.aborted) await pause(signal) // the browser refused, or ours was stolen before it was decided
        if (this.#leading) { // stolen from us: another page saw our lease run out
          this.#lead(false)
          this.#resign()
        }
        steal = !signal.aborted && await this.#claim(false) // the holder's lease has run out: it is frozen or gone
      }
    }
  }

  async #withoutLocks(signal, decided) {
    while (!signal.aborted) {
      const held = await this.#claim(false)
      if (signal.aborted) return
      if (held !== this.#leading) this.#lead(held)
      decided()
      await pause(signal)
    }
  }
}

const ended = (signal) => new Promise((r) => {
  if (signal.aborted) r()
  else signal.addEventListener('abort', r, { once: true })
})

// The listener goes with the pause: a page without locks pauses every 5 s for hours.
const pause = (signal) => new Promise((r) => {
  if (signal.aborted) return r()
  const end = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    r()
  }
  const timer = setTimeout(end, ASK_MS)
  signal.addEventListener('abort', end)
})

// A signal that ends with `signal`, or when patience does; engines before 2024 lack AbortSignal.any.
function patience(signal) {
  const c = new AbortController()
  const end = () => {
    clearTimeout(timer)
    c.abort()
  }
  const timer = setTimeout(end, PATIENCE_MS)
  signal.addEventListener('abort', end, { once: true, signal: c.signal })
  return c.signal
}
