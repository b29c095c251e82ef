import { part } from './errors.js'

/** Keeps appends in order while one of them reads its blobs, which takes a while: what is appended meanwhile stays behind it. */
export class Order {
  #slow = null // the last append that does

  /**
   * A promise of [text, media] for an append whose text is a string, or a promise of one while it is being encrypted; media is
   * event.media of the page, and then as media.js prepares them, or null. Null when there is nothing to wait for.
   */
  next(text, media, service) {
    if (typeof text === 'string' && !media && !this.#slow) return null
    const reading = media && part(import('./media.js')).then(({ prepare }) => prepare(media, service))
    const ready = Promise.all([text, reading, this.#slow])
    if (media) {
      const slow = ready.catch(() => {}).then(() => { if (this.#slow === slow) this.#slow = null })
      this.#slow = slow
    }
    return ready.then(([sealed, kept]) => [sealed, kept || null])
  }
}
