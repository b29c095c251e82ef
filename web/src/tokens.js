// How long a token fetched on a click may be used without asking again, and how long the page's function may take.
const FRESH_MS = 3000
const PATIENCE_MS = 10000

/**
 * The page's token function, asked ahead of time on a click (C7, L3.3) and again for every attempt. A token lives in memory,
 * for one attempt; one fetched ahead is used once, if it is not older than 3 s.
 */
export class Tokens {
  #ask
  #ahead = null

  constructor(ask) {
    this.#ask = ask
  }

  /** Fetches ahead; resolves with the token or null, never rejects. */
  prefetch() {
    const ahead = { at: performance.now(), token: this.#fetch() }
    this.#ahead = ahead
    return ahead.token
  }

  /** The token for one attempt, or null. */
  read(fresh) {
    const ahead = this.#ahead
    this.#ahead = null
    if (!fresh && ahead && performance.now() - ahead.at < FRESH_MS) {
      return ahead.token.then((t) => t ?? this.#fetch())
    }
    return this.#fetch()
  }

  async #fetch() {
    let timer
    try {
      const late = new Promise((resolve) => { timer = setTimeout(resolve, PATIENCE_MS, null) })
      const token = await Promise.race([this.#ask(), late])
      return typeof token === 'string' && token !== '' ? token : null
    } catch {
      return null // logged out, or before liff.init: the outbox waits and asks again
    } finally {
      clearTimeout(timer)
    }
  }
}
