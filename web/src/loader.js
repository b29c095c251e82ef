import { KeepError, part } from './errors.js'

// ABI is compared with the module's number: a page never runs a module of another release.
const ABI = 4
const SLOT = 'liff-keep module' // where the module looks for us, while it starts

/**
 * Starts the module and resolves with its open function. `source` is a URL, Response, bytes or WebAssembly.Module.
 * Rejects with WASM_UNAVAILABLE; nothing is kept of a failed start.
 */
export async function startModule(source, integrity) {
  if (typeof WebAssembly !== 'object') {
    throw unavailable('this browser has no WebAssembly (Lockdown Mode?)')
  }
  const from = source ?? new URL('./keep.wasm', import.meta.url)
  const address = typeof from === 'string' || from instanceof URL
  const coming = address ? fetch(from, integrity ? { integrity } : {}) : from // on its way while the glue is
  if (address) coming.catch(() => {}) // told below
  const { Go } = await part(import('./wasm_exec.mjs'))
  const go = new Go()
  // Collecting garbage is most of what a burst costs (one thread, nothing concurrent): seldom, until the heap nears the limit
  go.env = { GOGC: '400', GOMEMLIMIT: '24MiB' }
  const instance = await instantiate(coming, from, go.importObject)
  let api
  globalThis[SLOT] = { ready: (module) => { api = module } }
  const exited = go.run(instance) // main calls ready before this returns
  exited.catch(() => {}) // a trap is told to whoever waits, never as an unhandled rejection of the page
  delete globalThis[SLOT]
  if (!api) throw unavailable('the module ended while it started')
  if (api.abi !== ABI) throw unavailable(`keep.wasm has ABI ${api.abi}, this script needs ${ABI}: deploy both from one release`)
  // the two functions that each append needs cost a hundredth as the module's own exports (wasm/packs.go)
  const { liffkeep_pack: pack, liffkeep_written: written } = instance.exports
  const open = (host) => {
    if (written && host.packs) host.packs.fast = written
    const bridge = api.open(host)
    if (bridge && pack) bridge.pack = pack
    return bridge
  }
  return { open, exited }
}

async function instantiate(coming, from, imports) {
  try {
    const source = await coming
    if (source instanceof WebAssembly.Module) return await WebAssembly.instantiate(source, imports)
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return (await WebAssembly.instantiate(source, imports)).instance
    const where = source.url || (from === source ? 'the given Response' : String(from))
    const type = source.headers.get('Content-Type') ?? ''
    if (!source.ok) throw unavailable(`${where} answered ${source.status}: copy keep.wasm beside the script, or pass its address as wasm`)
    if (type.startsWith('text/html')) {
      throw unavailable(`${where} is an HTML page, not a module: the dev server fell back to index.html, pass the file's address as wasm (Vite 6: import url from 'liff-keep/keep.wasm?url')`)
    }
    if (type.startsWith('application/wasm')) return (await WebAssembly.instantiateStreaming(source, imports)).instance
    return (await WebAssembly.instantiate(await source.arrayBuffer(), imports)).instance
  } catch (e) {
    if (e instanceof KeepError) throw e
    const csp = /unsafe-eval|Content Security Policy|CSP/i.test(e?.message ?? '')
    throw unavailable(csp ? "the page's Content-Security-Policy lacks 'wasm-unsafe-eval' in script-src" : `keep.wasm could not be started (${e?.message ?? e}): deploy the file of this release unchanged`)
  }
}

const unavailable = (message) => new KeepError('WASM_UNAVAILABLE', message)
