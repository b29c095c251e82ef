import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { answer, built, emptyModule, fakeGo, load, packageURL, settled, stub } from './fakes.mjs'

const { startModule } = await load('loader.js')
const { KeepError } = await load('errors.js')
const skip = !built && 'needs ./build.sh build: wasm_exec.mjs is made there'
const url = 'https://mini.example/assets/keep.wasm'

// refused starts the module and checks that it was refused with a message that names the mend, and that nothing is left.
async function refused(source, mend, integrity) {
  const before = globals()
  await assert.rejects(startModule(source, integrity), (e) => {
    assert.ok(e instanceof KeepError, `${e?.stack}`)
    assert.equal(e.code, 'WASM_UNAVAILABLE')
    assert.match(e.message, mend)
    return true
  })
  assert.deepEqual(globals(), before, 'nothing is kept of a failed start')
  await settled() // a rejection of ours that nobody handles fails the test here (invariant 11)
}

// The names on globalThis, without the two that Go's own wasm_exec sets once.
const globals = () => Object.getOwnPropertyNames(globalThis).filter((name) => name !== 'fs' && name !== 'path')

test('C1: a browser without WebAssembly is told so', async (t) => {
  stub(t, 'WebAssembly', undefined)
  await refused(url, /no WebAssembly \(Lockdown Mode\?\)/)
})

test('C1: what a server may answer instead of the module', { skip }, async (t) => {
  for (const [name, body, options, mend] of [
    ['404', 'not found', { status: 404 }, /https:\/\/mini\.example\/assets\/keep\.wasm answered 404: copy keep\.wasm beside the script/],
    ['500', '', { status: 500 }, /answered 500: .*pass its address as wasm/],
    ['404 as a page', '<html>', { status: 404, type: 'text/html' }, /answered 404/],
    ['the dev server\'s index.html', '<!doctype html>', { type: 'text/html; charset=utf-8' }, /is an HTML page, not a module: .*keep\.wasm\?url/],
    ['garbage named wasm', 'garbage', { type: 'application/wasm' }, /keep\.wasm could not be started \(.*magic.*\): deploy/],
    ['garbage without a type', 'garbage', {}, /keep\.wasm could not be started \(.*magic.*\): deploy/],
    ['nothing', '', { type: 'application/wasm' }, /keep\.wasm could not be started/],
    ['a module that is not Go\'s', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), { type: 'application/wasm' }, /ended while it started/],
  ]) {
    await t.test(name, async (t) => {
      stub(t, 'fetch', async (asked) => answer(asked, body, options))
      await refused(url, mend)
    })
  }
})

test('bytes and a Response of the page\'s own are checked the same way', { skip }, async () => {
  for (const source of [
    new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), new ArrayBuffer(0), new DataView(new ArrayBuffer(16)),
    answer(url, 'garbage', { type: 'application/wasm' }),
  ]) {
    await refused(source, /keep\.wasm could not be started/)
  }
  await refused(answer(url, '<html>', { type: 'text/html' }), /is an HTML page/)
})

test('a network that fails, and a wrong integrity', { skip }, async (t) => {
  const asked = []
  stub(t, 'fetch', async (address, init) => {
    asked.push([String(address), init])
    throw new TypeError('Failed to fetch')
  })
  await refused(url, /keep\.wasm could not be started \(Failed to fetch\)/)
  await refused(url, /Failed to fetch/, 'sha384-abc')
  assert.deepEqual(asked, [[url, {}], [url, { integrity: 'sha384-abc' }]])
})

test('without an address the module beside the script is asked for', { skip }, async (t) => {
  let asked
  stub(t, 'fetch', async (address) => {
    asked = String(address)
    return answer(address, '', { status: 404 })
  })
  await refused(undefined, /answered 404/)
  assert.equal(asked, new URL('keep.wasm', packageURL).href)
})

test('a page whose Content-Security-Policy forbids wasm is told the word to add', { skip }, async (t) => {
  t.mock.method(WebAssembly, 'instantiate', async () => {
    throw new WebAssembly.CompileError("WebAssembly.instantiate(): Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not an allowed source of script")
  })
  await refused(new Uint8Array(8), /Content-Security-Policy lacks 'wasm-unsafe-eval' in script-src/)
})

test('a module of another release is not run', { skip }, async (t) => {
  for (const [abi, mend] of [
    [1, /keep\.wasm has ABI 1, this script needs 4: deploy both from one release/],
    [0, /has ABI 0/],
    [undefined, /has ABI undefined/],
    ['4', /has ABI 4/],
  ]) {
    await t.test(`ABI ${JSON.stringify(abi)}`, async (t) => {
      fakeGo(t, ({ ready }) => ready({ abi, open: () => assert.fail('opened') }))
      await refused(emptyModule(), mend)
    })
  }
})

test('a module that ends while it starts', { skip }, async (t) => {
  fakeGo(t, () => {})
  await refused(emptyModule(), /ended while it started/)
})

test('a module that crashes while it starts', { skip }, async (t) => {
  fakeGo(t, () => { throw new WebAssembly.RuntimeError('unreachable') })
  await refused(emptyModule(), /ended while it started/)
})

test('a failed start can be tried again', { skip }, async (t) => {
  stub(t, 'fetch', async (asked) => answer(asked, '', { status: 503 }))
  await refused(url, /answered 503/)
  fakeGo(t, ({ ready }) => ready({ abi: 4, open: () => 'opened' }))
  const module = await startModule(emptyModule())
  assert.equal(module.open(), 'opened')
})

test('C8: Go exports what its bridge says, on one object, and no global', { skip: skip || (!existsSync(new URL('keep.wasm', packageURL)) && 'no keep.wasm') }, async (t) => {
  const timer = setTimeout // Go's timers must not keep Node alive
  stub(t, 'setTimeout', (...args) => timer(...args).unref())
  const before = globals()
  const module = await startModule(readFileSync(new URL('keep.wasm', packageURL)))
  assert.equal(typeof module.open, 'function')
  const api = module.open({ config: { database: 'test', user: 'u', destination: {} }, now: Date.now, random: () => new Uint8Array(16),
    token: async () => null, answers() {}, changed() {}, opened() {}, lost() {}, crashed() {} })
  const bridge = readFileSync(new URL('../../wasm/bridge.go', import.meta.url), 'utf8')
  const comment = bridge.match(/what JavaScript may call on it:\n((?:\/\/.*\n)+?)\/\/\n\/\/ Every/)[1]
  const listed = [...comment.matchAll(/(\w+)\(/g)].map(([, name]) => name).sort()
  assert.deepEqual(Object.keys(api).sort(), listed)
  assert.ok(listed.includes('append') && listed.length <= 24, `small: ${listed.length} functions`)
  assert.deepEqual(globals(), before, 'no global')
  api.close()
})

test('a release that lacks the glue is told so, and not with a bare TypeError', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'liff-keep-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const name of ['index.js', 'errors.js', 'loader.js']) cpSync(fileURLToPath(new URL(name, packageURL)), join(dir, name))
  const { startModule } = await import(pathToFileURL(join(dir, 'loader.js')))
  await assert.rejects(startModule(emptyModule), { name: 'KeepError', code: 'INTERNAL', message: /deploy all files of one release together/ })
})
