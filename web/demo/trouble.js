// What goes wrong in the page itself, for a test program: a device without network,
// a name that does not resolve, a clock that is wrong. A script is a list of entries;
// those of the network and the clock count the calls to the service, the first in the
// list decides, as in the sandbox's scripts (e2e/faults/ has them all):
//
//   {kind: 'clock', seconds, skip}        the device's clock jumps by so many seconds; without skip it is wrong from the start
//   {kind: 'offline', times, skip}        the device is offline for so many calls
//   {kind: 'no-dns', times, skip}         so many calls go to a name that does not exist
//   {kind: 'patience', ms}                no answer is waited for longer than this
//   {kind: 'same-token'}                  the page has one token and never another
//
// skip: n lets n calls pass first; times is 1 unless it is given.

/** Starts a script; returns shift(), ms by which the device's clock is wrong, left(), entries to come, and token. */
export const makeTrouble = (script, token) => {
  let shift = 0
  const jump = (entry) => { shift += entry.seconds * 1000 }
  const standing = {
    patience({ ms }) {
      const timeout = AbortSignal.timeout.bind(AbortSignal)
      AbortSignal.timeout = (wanted) => timeout(Math.min(ms, wanted))
    },
    'same-token': () => { token = () => 'demo-the-one-token' },
  }
  const queue = []
  for (const entry of script) {
    if (standing[entry.kind]) standing[entry.kind](entry)
    else if (entry.kind === 'clock' && !entry.skip) jump(entry)
    else queue.push({ skip: 0, times: 1, ...entry })
  }

  /** The entry that spoils the next call, or undefined. */
  const next = () => {
    while (queue.length > 0) {
      const entry = queue[0]
      if (entry.skip > 0) {
        entry.skip--
        return undefined
      }
      if (entry.kind === 'clock') {
        jump(queue.shift())
        continue
      }
      if (--entry.times === 0) queue.shift()
      return entry
    }
    return undefined
  }

  const network = globalThis.fetch.bind(globalThis)
  let online = true
  const setOnline = (now) => {
    if (now === online) return
    online = now
    dispatchEvent(new Event(now ? 'online' : 'offline'))
  }
  const spoiled = {
    async offline() {
      setOnline(false)
      throw new TypeError('Failed to fetch')
    },
    'no-dns': (url, init) => network(`https://keep.invalid${url.pathname}`, init),
  }
  if (queue.length > 0) {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => online })
    globalThis.fetch = (input, init) => {
      const url = new URL(typeof input === 'string' ? input : input.url, location.href)
      if (!url.pathname.startsWith('/v1/keep')) return network(input, init)
      const entry = next()
      if (entry) return spoiled[entry.kind](url, init)
      setOnline(true)
      return network(input, init)
    }
  }
  return { shift: () => shift, left: () => queue.length, token }
}

/**
 * Sets the device's clocks: Date, which a person or a network may set, and performance.now, which nobody can. The outbox
 * takes the difference of the two for a clock that was set. `now` and `steady` return ms; steady may be left out.
 */
export const setDeviceClocks = ({ now, steady }) => {
  const set = () => Math.floor(now())
  globalThis.Date = class extends Date { // whole: the module asks new Date(), as Go does
    constructor(...at) {
      super(...(at.length > 0 ? at : [set()]))
    }

    static now() {
      return set()
    }
  }
  if (!steady) return
  let last = performance.now()
  const offset = last - steady()
  performance.now = () => (last = Math.max(last, steady() + offset)) // it never goes back, whatever the network says
}
