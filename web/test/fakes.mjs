// What the unit tests put in place of a browser. Every fake is taken back when its test ends.
import { existsSync, readFileSync, readdirSync } from 'node:fs'

const dist = new URL('../dist/', import.meta.url)
const src = new URL('../src/', import.meta.url)

/** Whether ./build.sh build has run: only web/dist has wasm_exec.mjs and keep.wasm. */
export const built = existsSync(new URL('wasm_exec.mjs', dist))

/** The package under test: web/dist as it ships, else web/src. */
export const packageURL = built ? dist : src
export const load = (name) => import(new URL(name, packageURL))

/** The names of web/src whose copy in web/dist is older; empty without a build. */
export function stale() {
  if (!built) return []
  const text = (dir, name) => readFileSync(new URL(name, dir), 'utf8')
  return readdirSync(src).filter((name) => !existsSync(new URL(name, dist)) || text(src, name) !== text(dist, name))
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

/** Web Locks for one origin: one holder a name, the others in line; what is granted is granted a turn later, as in a browser. */
export function fakeLocks() {
  const lines = new Map() // name → {start} in line; the first one holds
  return {
    held: (name) => (lines.get(name) ?? []).length,
    async request(name, { signal, ifAvailable }, hold) {
      const aborted = () => new DOMException('the request was aborted', 'AbortError')
      if (signal?.aborted) throw aborted()
      await null
      if (!lines.has(name)) lines.set(name, [])
      const line = lines.get(name)
      if (ifAvailable && line.length > 0) return hold(null)
      const mine = { start: null }
      const leave = () => {
        line.splice(line.indexOf(mine), 1)
        line[0]?.start()
      }
      await new Promise((resolve, reject) => {
        mine.start = resolve
        signal?.addEventListener('abort', () => {
          if (line[0] === mine) return // granted: it is too late to abort
          leave()
          reject(aborted())
        })
        if (line.push(mine) === 1) resolve()
      })
      try {
        return await hold({ name })
      } finally {
        leave()
      }
    },
  }
}
