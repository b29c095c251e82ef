// The page's end of a run: the test program asks for one row of one variant at a time, and only its own part is timed.
import { obey } from '/control.js'
import { event, events } from '/bench/page/events.js'
import { backlog } from '/bench/page/backlog.js'
import { click } from '/bench/page/click.js'
import { refused } from '/bench/page/refused.js'
import { load } from '/bench/page/variants.js'

const open = new Map()

async function opened({ variant, strict = false }) {
  const key = `${variant} ${strict}`
  if (!open.has(key)) open.set(key, await (await load(variant)).open({ strict }))
  return open.get(key)
}

/** One after the other, each awaited → {ms: total, each: [ms]}. */
async function sequential(outbox, count) {
  const each = []
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    const at = performance.now()
    await outbox.append(event(i))
    each.push(performance.now() - at)
  }
  return { ms: performance.now() - began, each }
}

/** Waves of `size`, each awaited as a whole → {ms}. */
async function waves(outbox, count, size) {
  const began = performance.now()
  for (let i = 0; i < count; i += size) await Promise.all(events(i, i + size).map((e) => outbox.append(e)))
  return { ms: performance.now() - began }
}

// The longest time in which the page could do nothing else, seen by a message that it sends itself again and again.
function heartbeat() {
  const { port1, port2 } = new MessageChannel()
  let last = performance.now()
  let longest = 0
  let beating = true
  port1.onmessage = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (beating) port2.postMessage(0)
    else port1.close()
  }
  port2.postMessage(0)
  return () => {
    beating = false
    return Math.max(longest, performance.now() - last)
  }
}

const rows = {
  sequential: (outbox, { count }) => sequential(outbox, count),
  burst: (outbox, { count }) => waves(outbox, count, count),
  waves: (outbox, { count, size }) => waves(outbox, count, size),
  async block(outbox, { count }) {
    const end = heartbeat()
    await new Promise((r) => { setTimeout(r, 5) })
    await waves(outbox, count, count)
    return { ms: end() }
  },
}

obey(new URLSearchParams(location.search).get('control'), () => {}, {
  more: () => ({
    /** {row, variant, strict, count, size} → {ms, each?} */
    async measure({ row, ...how }) {
      const outbox = await opened(how)
      await outbox.clear()
      const got = await rows[row](outbox, how)
      await outbox.clear()
      return got
    },
    ...backlog,
    ...click,
    ...refused,
  }),
})
