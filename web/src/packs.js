const SHOT = 64 << 10 // of the newest texts stay: a page that is left may send them once more (outbox/leave.go)
const encoder = new TextEncoder()

/**
 * The texts of plain events that the module knows as packs (outbox/pack.go) by the ticket of their first event. What it has
 * decided on them, their names and the moment, comes back here, and their segments are written here: the text of an event
 * crosses over to Go only when it is sent.
 */
export class Packs {
  #packs = new Map() // ticket → {items: [{text, messages, bytes, resolve, reject, noteId}], open, bytes, at}
  #newest = [] // tickets of what is written and still here
  session = '' // the module's; its names begin with it
  fast = null // written of store(), as the module itself exports it

  /** How many events are not answered yet. */
  get size() {
    let n = 0
    for (const { open } of this.#packs.values()) n += open
    return n
  }

  /** Keeps a run of events; `bytes` is all their text's. */
  add(ticket, items, bytes) {
    this.#packs.set(ticket, { items, bytes, open: items.length, at: 0 })
  }

  /** The record of a segment, as outbox.encodeSegment makes it: event i is named session-(first + i), to base 36. */
  record(ticket, first, at) {
    const pack = this.#packs.get(ticket)
    const { items } = pack
    const head = []
    const body = []
    pack.at = at
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      const noteId = (item.noteId = `${this.session}-${(first + i).toString(36)}`)
      item.size = item.bytes + noteId.length + 12
      head.push(`0\t${i}\tn\t${item.messages}\t${at}\t${item.size}\t0\t${noteId}\t\n`)
      body.push('{"noteId":"', noteId, '",', item.text.slice(1))
    }
    return { h: head.join(''), b: body.join('') }
  }

  /** Event i as bytes, or null when it is not here any more. */
  text(ticket, i) {
    const item = this.#packs.get(ticket)?.items[i]
    return item ? encoder.encode(item.text) : null
  }

  messages(ticket, i) {
    return this.#packs.get(ticket)?.items[i].messages ?? 0
  }

  /**
   * What writes packs into one database: {write(id, ticket, first, at, …) → null, or what was thrown: [error, begun]; stop(id)}.
   * One call makes the whole transaction; its end is told to written(id, first seq, how many), or to aborted, whose `this` it is and which
   * finds the id under `property`.
   */
  store(db, options, commits, property, written, aborted) {
    const live = new Map()
    const begin = () => db.transaction(['segments'], 'readwrite', options)
    return {
      write: (id, ...packs) => {
        let tx
        try {
          try {
            tx = begin()
          } catch (e) {
            if (e.name !== 'InvalidStateError') throw e
            tx = begin() // Firefox throws once after a quota abort
          }
          const segments = tx.objectStore('segments')
          const made = []
          tx[property] = id
          tx.oncomplete = () => {
            live.delete(id)
            ;(this.fast ?? written)(id, made[0].result, made.length)
          }
          tx.onabort = () => {
            live.delete(id)
            aborted.call(tx)
          }
          for (let i = 0; i < packs.length; i += 3) made.push(segments.add(this.record(packs[i], packs[i + 1], packs[i + 2])))
          if (commits) tx.commit()
          live.set(id, tx)
          return null
        } catch (e) {
          if (tx) {
            tx.oncomplete = tx.onabort = null
            tx.abort()
          }
          return [e, !!tx]
        }
      },
      stop: (id) => live.get(id).abort(),
    }
  }

  /** On disk, as segment seq: everyone is told. */
  written(ticket, seq) {
    const pack = this.#packs.get(ticket)
    if (!pack) return
    const { items, at } = pack
    for (let i = 0; i < items.length; i++) {
      const { resolve, noteId, size } = items[i]
      resolve({ id: `${seq}.${i}`, noteId, bytes: size, at })
    }
    this.#answered(ticket, pack, items.length)
  }

  /** Who waits under this ticket, which is answered with that: {resolve, reject}; undefined when nobody does. */
  take(ticket) {
    for (const [first, pack] of this.#packs) {
      const item = pack.items[ticket - first]
      if (!item) continue
      this.#answered(first, pack, 1)
      return item
    }
    return undefined
  }

  #answered(ticket, pack, n) {
    pack.open -= n
    if (pack.open > 0) return
    let bytes = 0
    this.#newest.push(ticket)
    for (let i = this.#newest.length - 1; i >= 0; i--) {
      if (bytes >= SHOT) {
        for (const old of this.#newest.splice(0, i + 1)) this.#packs.delete(old)
        return
      }
      bytes += this.#packs.get(this.#newest[i]).bytes
    }
  }

  /** The module is gone: everyone who waits is told. */
  fail(error) {
    for (const { items, open } of this.#packs.values()) if (open > 0) for (const { reject } of items) reject(error)
    this.#packs.clear()
    this.#newest = []
  }
}
