// What a person can have go wrong, to see what the outbox makes of it: no network, a storm of 429s, a refusal; and the
// sandbox's clock, so that a night takes no night.
import { inWords } from './words.js'

// Others use the channel's quota a hundred times over. A real 429 asks for a minute; a second shows the same sooner.
const storm = {
  true: [{ kind: 'retry-after', value: '1' }, { kind: 'load', percent: 10000, seconds: 86400 }],
  false: [{ kind: 'load', percent: 0 }, { kind: 'retry-after' }],
}

const post = async (path, value) => {
  const response = await fetch(path, { method: 'POST', body: JSON.stringify(value) })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
}

/** A device without network: calls to the service fail, and the browser says so. Answers the switch. */
const makeOffline = () => {
  let off = false
  const network = globalThis.fetch
  globalThis.fetch = (input, init) => {
    const { pathname } = new URL(typeof input === 'string' ? input : input.url ?? input, location.href)
    if (off && pathname.startsWith('/v1/keep')) return Promise.reject(new TypeError('Failed to fetch'))
    return network.call(globalThis, input, init)
  }
  return (on) => {
    if (off === on) return
    off = on
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => !off })
    dispatchEvent(new Event(off ? 'offline' : 'online'))
  }
}

/** Wires the switches, and the number on the button that opens the drawer. */
export const startSwitches = (keep, clock, complain) => {
  const element = (id) => document.querySelector(`#${id}`)
  const attempt = async (work) => {
    try {
      await work()
      complain('')
    } catch (error) {
      complain(inWords(error))
    }
  }
  const toggle = (id, set) => {
    const button = element(id)
    button.disabled = false
    button.addEventListener('click', () => attempt(async () => {
      const on = button.getAttribute('aria-checked') !== 'true'
      await set(on)
      button.setAttribute('aria-checked', String(on))
    }))
  }
  let offline
  toggle('offline', (on) => (offline ??= makeOffline())(on)) // made at the first use: a test's page keeps its own network
  toggle('storm', (on) => post('/ops/faults', { script: storm[on] }))

  const refuse = element('refuse')
  refuse.disabled = false
  refuse.addEventListener('click', () => attempt(() => post('/ops/faults', { script: [{ kind: 'status', status: 413 }] })))

  const forward = element('forward')
  forward.hidden = !clock
  forward.addEventListener('click', () => attempt(async () => {
    const { nextFlush, now } = keep.status()
    if (nextFlush > now) await post('/ops/clock', { advanceSeconds: (nextFlush - now) / 1000 + 1 })
    await clock.sync()
    keep.flush().catch(() => {}) // looks at the clock; what comes of it is in the status
  }))

  const badge = element('badge')
  keep.subscribe(({ pending = 0, parked = 0, dead = 0, nextFlush }) => {
    const waiting = pending + parked + dead
    badge.textContent = waiting
    badge.hidden = waiting === 0
    badge.classList.toggle('bad', dead > 0)
    forward.disabled = !nextFlush
  })
}
