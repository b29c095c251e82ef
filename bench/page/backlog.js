// A backlog and how it goes: through the real module to the sandbox; beside it the same with the browser's own calls.
import { lineKeep, openKeep } from '/dist/index.js'
import { events } from '/bench/page/events.js'
import { load } from '/bench/page/variants.js'
import { freshToken, sandboxClock } from '/outbox.js'

// The module's memory: the only way to it is the instance that the loader makes.
let memory
for (const name of ['instantiate', 'instantiateStreaming']) {
  const real = WebAssembly[name]
  WebAssembly[name] = async (...args) => {
    const made = await real.apply(WebAssembly, args)
    memory = (made.instance ?? made).exports?.mem ?? memory
    return made
  }
}

// What the page does between the answer to one batch and the request of the next: settle it, read and seal the next, read that.
const between = []
let answered
let tellWire

/** Resolves with the time at which the next batch's request is made. */
export const wire = () => new Promise((r) => { tellWire = r })

const realFetch = globalThis.fetch
globalThis.fetch = async (...args) => {
  if (!String(args[0]).endsWith('/v1/keep/note')) return realFetch(...args)
  tellWire?.(performance.now())
  if (answered) between.push(performance.now() - answered)
  const response = await realFetch(...args)
  const buffer = response.arrayBuffer.bind(response)
  response.arrayBuffer = async () => {
    const bytes = await buffer()
    answered = performance.now()
    return bytes
  }
  return response
}

async function fill(append, count, wave) {
  for (let i = 0; i < count; i += wave) await Promise.all(events(i, Math.min(i + wave, count)).map(append))
}

let keep
let total
export const backlog = {
  /** {count, wave, durability}: opens a fresh outbox on the sandbox's clock, not sending yet, and appends → {ms, memory} */
  async fillKeep({ count, wave, channelId, durability = 'relaxed' }) {
    keep?.close()
    const clock = await sandboxClock(location.origin)
    keep = await openKeep({
      destination: lineKeep({ channelId, baseURL: location.origin }), token: freshToken, durability, maxQueueBytes: 1e9, fleet: false,
      ...(clock ? { now: () => clock.now() } : {}),
    })
    await keep.realtime(false)
    total = count
    const began = performance.now()
    await fill((e) => keep.append(e), count, wave)
    return { ms: performance.now() - began, memory: memory.buffer.byteLength }
  },
  /** Sends until all is delivered → {ms, between: [ms], memory} */
  async drainKeep() {
    between.length = 0
    answered = undefined
    const began = performance.now()
    await keep.realtime(true)
    await new Promise((resolve, reject) => {
      const end = keep.subscribe((s) => {
        if (s.dead > 0 || s.token !== 'ok') reject(new Error(`dead ${s.dead}, token ${s.token}`))
        if (s.delivered >= total) resolve(end?.())
      })
      keep.flush().catch(reject)
    })
    const ms = performance.now() - began
    keep.close()
    return { ms, between: [...between], memory: memory.buffer.byteLength }
  },
  /** {count, wave, times}: the raw backlog, and `times` reads and deletes of 400 → {each: [ms]} */
  async settleRaw({ count, times }) {
    const raw = await (await load('raw group commit')).open({ strict: false })
    await raw.clear()
    await fill((e) => raw.append(e), count, 1000)
    const each = []
    for (let i = 0; i < times; i++) each.push(await raw.settle(400))
    await raw.clear()
    raw.close()
    return { each }
  },
}
