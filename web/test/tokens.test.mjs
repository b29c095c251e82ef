import assert from 'node:assert/strict'
import { test } from 'node:test'
import { built, emptyModule, fakeClock, fakeGo, fakePage, load, settled, stub } from './fakes.mjs'

const { Tokens } = await load('tokens.js')

// A page's token function that counts: t1, t2, …
function counting() {
  let asked = 0
  const ask = async () => `t${++asked}`
  return { ask, asked: () => asked }
}

test('C7, L3.3: a token fetched on the click is used once, within 3 s', async (t) => {
  for (const [name, age, fresh, want, asked] of [
    ['at once', 0, false, 't1', 1],
    ['just in time', 2999, false, 't1', 1],
    ['too old', 3000, false, 't2', 2],
    ['much too old', 60000, false, 't2', 2],
    ['refused with 401: a fresh one is wanted', 0, true, 't2', 2],
  ]) {
    await t.test(name, async (t) => {
      const clock = fakeClock(t)
      const page = counting()
      const tokens = new Tokens(page.ask)
      assert.equal(await tokens.prefetch(), 't1')
      await clock.pass(age)
      assert.equal(await tokens.read(fresh), want)
      assert.equal(page.asked(), asked)
      assert.equal(await tokens.read(false), `t${asked + 1}`, 'the next attempt asks anew')
    })
  }
})

test('L3.3: every attempt reads anew, without a click too', async () => {
  const page = counting()
  const tokens = new Tokens(page.ask)
  assert.deepEqual([await tokens.read(false), await tokens.read(false), await tokens.read(true)], ['t1', 't2', 't3'])
})

test('L3.3: of two clicks the later token counts', async () => {
  const page = counting()
  const tokens = new Tokens(page.ask)
  await tokens.prefetch()
  await tokens.prefetch()
  assert.equal(await tokens.read(false), 't2')
  assert.equal(page.asked(), 2)
})

test('C7: an attempt that comes while the click\'s token is under way waits for it and asks no second time', async () => {
  let give
  let asked = 0
  const tokens = new Tokens(() => { asked++; return new Promise((resolve) => { give = resolve }) })
  tokens.prefetch()
  const read = tokens.read(false)
  give('slow')
  assert.equal(await read, 'slow')
  assert.equal(asked, 1)
})

test('L3.3: a click that got no token does not spoil the attempt', async () => {
  let asked = 0
  const tokens = new Tokens(() => (++asked === 1 ? null : 'later'))
  assert.equal(await tokens.prefetch(), null)
  assert.equal(await tokens.read(false), 'later')
})

test('C7, L3.3: whatever the page\'s function does, the answer is a token or null and nothing is thrown', async (t) => {
  for (const [name, ask] of [
    ['throws, as liff.getAccessToken before liff.init does', () => { throw new Error('liff.init first') }],
    ['rejects', () => Promise.reject(new Error('logged out'))],
    ['rejects with nothing', () => Promise.reject()],
    ['null: logged out', () => null],
    ['undefined', () => {}],
    ['empty', () => ''],
    ['not text', async () => ({ token: 'a' })],
  ]) {
    await t.test(name, async (t) => {
      const clock = fakeClock(t)
      const tokens = new Tokens(ask)
      assert.equal(await tokens.prefetch(), null)
      assert.equal(await tokens.read(false), null)
      assert.equal(await tokens.read(true), null)
      assert.equal(clock.waiting(), 0, 'no timer stays behind')
    })
  }
})

test('L3.3: a function that never answers is given up after 10 s', async (t) => {
  const clock = fakeClock(t)
  const tokens = new Tokens(() => new Promise(() => {}))
  let got = 'waiting'
  tokens.read(false).then((token) => { got = token })
  await clock.pass(9999)
  assert.equal(got, 'waiting')
  await clock.pass(1)
  assert.equal(got, null)
  assert.equal(clock.waiting(), 0)
})

test('a token in time takes its timer along', async (t) => {
  const clock = fakeClock(t)
  assert.equal(await new Tokens(async () => 'a').read(false), 'a')
  assert.equal(clock.waiting(), 0)
})

test('C7: a click and a touch on the page fetch ahead and tell the module; closing ends that', { skip: !built && 'needs ./build.sh build' }, async (t) => {
  const { openKeep, lineKeep } = await load('index.js')
  const { page } = fakePage(t)
  const offered = []
  let host
  const module = new Proxy({
    offered: (token) => offered.push(token),
    lead: (ticket) => queueMicrotask(() => host.answers(JSON.stringify([[ticket, 2, true]]))),
  }, { get: (own, name) => own[name] ?? (() => '') })
  fakeGo(t, ({ ready }) => ready({ abi: 4, open: (h) => {
    host = h
    queueMicrotask(() => h.opened())
    return module
  } }))
  const tokens = counting()
  const keep = await openKeep({ destination: lineKeep({ baseURL: 'http://127.0.0.1:8787' }), token: tokens.ask, wasm: emptyModule() })
  t.after(() => keep.close())
  assert.equal(tokens.asked(), 0, 'opening asks for no token')
  for (const [sign, want] of [['pointerdown', ['t1']], ['click', ['t1', 't2']]]) {
    page.dispatchEvent(new Event(sign))
    await settled()
    assert.deepEqual(offered, want, sign)
  }
  assert.equal(await host.token(false), 't2', 'the sending path uses it')
  assert.equal(await host.token(false), 't3', 'once')
  keep.close()
  page.dispatchEvent(new Event('click'))
  await settled()
  assert.equal(tokens.asked(), 3)
})
