// <keep-status> without a page: its words against what the core can say, and that the main bundle does not hold it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { test } from 'node:test'
import { load, packageURL } from './fakes.mjs'
import { sentence } from '../src/status/say.js'
import en from '../src/status/words/en.js'
import ja from '../src/status/words/ja.js'
import th from '../src/status/words/th.js'

const read = (name, base = packageURL) => readFileSync(new URL(name, base), 'utf8')
const types = read('index.d.ts').replace(/\/\*[^]*?\*\//g, '')
const union = (pattern) => [...types.match(pattern)[1].matchAll(/'([^']+)'/g)].map(([, name]) => name).sort()

// shape: names, and how many arguments a function takes.
const shape = (value) => (typeof value === 'function' ? 'function' : Array.isArray(value) ? value.map(shape)
  : typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([name, of]) => [name, shape(of)]).sort()) : typeof value)

test('every language has the same words', () => {
  assert.deepEqual(shape(ja), shape(en))
  assert.deepEqual(shape(th), shape(en))
})

test('L13.1: every sign, state and reason of status() has words', () => {
  assert.deepEqual(Object.keys(en.alarm).sort(), union(/interface Alarm \{\n {2}code: ([^]*?)\n {2}message/))
  assert.deepEqual(Object.keys(en.waitsFor).sort(), union(/waitsFor: '' \| (.*)/))
  assert.deepEqual(Object.keys(en.breakerIs).sort(), union(/state: ('closed'.*)/))
  assert.deepEqual(Object.keys(en.wayIs).sort(), union(/\n {2}way: ('relay'.*)/))
  assert.deepEqual(Object.keys(en.tokenIs).sort(), union(/token: ('ok'.*)/))
})

test('the sentence at the top is the first that holds', () => {
  const calm = { now: 0, pending: 0, sealed: 0, uncertain: 0, parked: 0, dead: 0, delivered: 0, breaker: { state: 'closed', until: null }, nextFlush: null, waitsFor: '', token: 'ok', realtime: true, gone: false }
  globalThis.document = { createElementNS: () => ({ setAttribute() {}, append() {} }) } // for the icon alone
  try {
    for (const [given, name, count, at] of [
      [{}, 'empty', 0, null],
      [{ delivered: 4 }, 'delivered', 0, null],
      [{ delivered: 4, relayed: 1 }, 'handed', 0, null],
      [{ delivered: 4, dead: 2 }, 'refused', 2, null],
      [{ pending: 3, dead: 2, nextFlush: 9, waitsFor: 'flush' }, 'collecting', 3, 9],
      [{ pending: 3, waitsFor: 'limiter', nextFlush: 9 }, 'limiter', 3, 9],
      [{ pending: 3, waitsFor: 'moment', nextFlush: 9 }, 'moment', 3, 9],
      [{ pending: 3, waitsFor: 'moment', nextFlush: 0 }, 'collecting', 3, 0],
      [{ pending: 3, waitsFor: 'limiter', nextFlush: 0 }, 'collecting', 3, 0],
      [{ pending: 3, parked: 2, waitsFor: 'pause', nextFlush: 9 }, 'pause', 5, 9],
      [{ parked: 2, waitsFor: 'parked', nextFlush: 9 }, 'parked', 2, 9],
      [{ pending: 3, uncertain: 3 }, 'sending', 3, null],
      [{ pending: 3, uncertain: 3, waitsFor: 'pause', nextFlush: 9 }, 'pause', 3, 9],
      [{ pending: 3, breaker: { state: 'open', until: 7 }, waitsFor: 'breaker', nextFlush: 7 }, 'breaker', 3, 7],
      [{ pending: 3, breaker: { state: 'half-open', until: 7 } }, 'trial', 3, null],
      [{ pending: 3, token: 'needed', breaker: { state: 'open', until: 7 } }, 'login', 3, null],
      [{ pending: 3, token: 'scope' }, 'scope', 3, null],
      [{ pending: 3, token: 'needed', realtime: false }, 'stopped', 3, null],
      [{ pending: 3, realtime: false, gone: true }, 'gone', 3, null],
      [{ pending: undefined }, 'closed', NaN, null],
    ]) {
      const said = sentence({ ...calm, ...given })
      assert.deepEqual([said.name, said.count, said.at], [name, count, at], JSON.stringify(given))
      assert.equal(typeof en.say[name][1]('1', 't', 'r'), 'string')
    }
  } finally {
    delete globalThis.document
  }
})

test('the main bundle does not hold it, and Node may import it', async (t) => {
  const seen = new Set()
  const visit = (file) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, path] of read(file).matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) visit(join(dirname(file), path))
  }
  visit('index.js')
  assert.ok(seen.size > 5)
  assert.ok(!seen.has('status.js'), [...seen].join())
  if (!packageURL.pathname.endsWith('/dist/')) return t.skip('it is not bundled: run ./build.sh build')
  assert.deepEqual(Object.keys(await load('status.js')), ['KeepStatus'])
  assert.match(read('status.js').slice(0, 2000), /Leon Sorokin/, "uPlot's licence goes with it")
})
