// What the unit tests put in place of a browser. Every fake is taken back when its test ends.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { assemble } from '../assemble.mjs'

const dist = new URL('../dist/', import.meta.url)
const src = new URL('../src/', import.meta.url)

/** Whether ./build.sh build has run: only web/dist has wasm_exec.mjs and keep.wasm. */
export const built = existsSync(new URL('wasm_exec.mjs', dist))

/** The package under test: web/dist as it ships, else web/src. */
export const packageURL = built ? dist : src
export const load = (name) => import(new URL(name, packageURL))

/** The files of web/dist that are not what web/src makes; empty without a build. */
export function stale() {
  if (!built) return []
  const text = (dir, name) => (existsSync(new URL(name, dir)) ? readFileSync(new URL(name, dir), 'utf8') : undefined)
  const others = Object.fromEntries(readdirSync(src).filter((name) => !name.endsWith('.js') && name.includes('.')).map((name) => [name, text(src, name)]))
  const { 'status.js': _, ...scripts } = assemble(src)
  const made = Object.entries({ ...others, ...scripts }).filter(([name, want]) => text(dist, name) !== want).map(([name]) => name)
  // these are bundled into one file
  const bundled = ['status.js', ...readdirSync(new URL('status/', src), { recursive: true }).map((name) => `status/${name}`)]
  const at = statSync(new URL('status.js', dist), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return [...made, ...bundled.filter((name) => statSync(new URL(name, src)).mtimeMs > at)]
}

/** Sets a global for one test, or takes it away (undefined). */
export function stub(t, name, value) {
  const old = Object.getOwnPropertyDescriptor(globalThis, name)
  if (value === undefined) delete globalThis[name]
  else Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: old?.enumerable ?? true })
  t.after(() => {
    delete globalThis[name]
    if (old) Object.defineProperty(globalThis, name, old)
  })
}

/** A clock that stands still: performance.now and timers follow pass(ms), which also lets promises settle. */
export function fakeClock(t) {
  let now = 1000
  let next = 1
  const timers = new Map() // id → {at, run}
  stub(t, 'setTimeout', (run, ms = 0, ...args) => {
    timers.set(next, { at: now + ms, run: () => run(...args) })
    return next++
  })
  stub(t, 'clearTimeout', (id) => { timers.delete(id) })
  t.mock.method(performance, 'now', () => now)
  return {
    waiting: () => timers.size,
    async pass(ms) {
      await settled()
      now += ms
      for (const [id, timer] of [...timers]) {
        if (timer.at > now || !timers.delete(id)) continue
        timer.run()
      }
      await settled()
    },
  }
}

/** Resolves when every promise that can settle by now has. */
export const settled = () => new Promise((resolve) => { setImmediate(resolve) })

/** An answer with the address it came from, which a Response made by hand has not. */
export function answer(url, body, { status = 200, type } = {}) {
  const response = new Response(body, { status, headers: type ? { 'Content-Type': type } : {} })
  return Object.defineProperty(response, 'url', { value: String(url) })
}

/** The smallest module there is: magic and version. */
export const emptyModule = () => new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))

/**
 * Makes WebAssembly.instantiate give an instance whose main is `main(host)`, host being what the loader left for it:
 * {ready}. So the loader and the outbox run over the real wasm_exec.mjs without Go.
 */
export function fakeGo(t, main) {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const instance = Object.create(WebAssembly.Instance.prototype)
  Object.defineProperty(instance, 'exports', { value: {
    mem: memory, getsp: () => 0, resume() {},
    run: () => main(globalThis[Object.keys(globalThis).find((name) => name.startsWith('liff-keep '))]),
  } })
  t.mock.method(WebAssembly, 'instantiate', async () => instance)
}

/**
 * Web Locks for one origin: one holder a name, the others in line; what is granted is granted a turn later, as in a browser.
 * A request that steals goes first, and the request it stole from rejects, whatever its callback does.
 */
export function fakeLocks() {
  const lines = new Map() // name → {holder, waiting}
  const line = (name) => lines.get(name) ?? lines.set(name, { holder: null, waiting: [] }).get(name)
  const grant = (l) => {
    if (l.holder || l.waiting.length === 0) return
    l.holder = l.waiting.shift()
    l.holder.granted()
  }
  const aborted = () => new DOMException('the request was aborted', 'AbortError')
  return {
    held: (name) => (line(name).holder ? 1 : 0) + line(name).waiting.length,
    async request(name, { signal, ifAvailable, steal }, hold) {
      if (signal && (steal || ifAvailable) || steal && ifAvailable) throw new DOMException('not together', 'NotSupportedError')
      if (signal?.aborted) throw aborted()
      await null
      const l = line(name)
      if (ifAvailable && l.holder) return hold(null)
      const mine = {}
      const robbed = new Promise((_, reject) => { mine.robbed = () => reject(aborted()) })
      robbed.catch(() => {}) // the request tells it
      const mayHold = new Promise((resolve, reject) => {
        mine.granted = resolve
        signal?.addEventListener('abort', () => {
          if (!l.waiting.includes(mine)) return // granted: it is too late to abort
          l.waiting.splice(l.waiting.indexOf(mine), 1)
          reject(aborted())
        })
      })
      if (steal) {
        l.holder?.robbed()
        l.holder = null
        l.waiting.unshift(mine)
      } else {
        l.waiting.push(mine)
      }
      grant(l)
      await mayHold
      try {
        return await Promise.race([robbed, hold({ name })])
      } finally {
        if (l.holder === mine) l.holder = null
        grant(l)
      }
    },
  }
}

/** A document and a window that hears events; listening() counts their listeners. */
export function fakePage(t) {
  const listeners = [] // the signal that ends each
  const watched = (target) => {
    const add = target.addEventListener.bind(target)
    target.addEventListener = (type, fn, options) => {
      listeners.push(options?.signal)
      add(type, fn, options)
    }
    return target
  }
  const window = watched(new EventTarget())
  const page = watched(Object.assign(new EventTarget(), { visibilityState: 'visible' }))
  stub(t, 'document', page)
  stub(t, 'addEventListener', window.addEventListener)
  return { page, window, listening: () => listeners.filter((signal) => !signal?.aborted).length }
}

/** BroadcastChannel within one process: copies go to every other open channel of the name, a turn later. */
export function fakeChannels(t) {
  const open = new Set()
  stub(t, 'BroadcastChannel', class {
    constructor(name) {
      this.name = name
      open.add(this)
    }

    postMessage(message) {
      if (!open.has(this)) throw new DOMException('the channel is closed', 'InvalidStateError')
      const data = structuredClone(message)
      queueMicrotask(() => {
        for (const other of open) if (other !== this && other.name === this.name) other.onmessage?.({ data })
      })
    }

    close() { open.delete(this) }
  })
  return { open: () => open.size }
}
