import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLocks, load, settled, stub } from './fakes.mjs'

const { channel, elect } = await load('leader.js')

// Opens one page's election; calls says what lead was told.
function page(name = 'liff-keep:1:u') {
  const calls = []
  return { calls, letGo: elect(name, (on) => calls.push(on)) }
}

test('L14.7: of the pages that share a bucket one sends, and the next when it goes', async (t) => {
  const locks = fakeLocks()
  stub(t, 'navigator', { locks })
  const [a, b, c] = [page(), page(), page()]
  await settled()
  assert.deepEqual([a.calls, b.calls, c.calls], [[true], [false], [false]], 'each is told at once')
  a.letGo()
  await settled()
  assert.deepEqual([b.calls, c.calls], [[false, true], [false]])
  b.letGo()
  await settled()
  assert.deepEqual(c.calls, [false, true])
  c.letGo()
  await settled()
  assert.equal(locks.held('liff-keep:1:u'), 0, 'nobody is left in line')
})

test('a page that closes while it waits leaves the line and never sends', async (t) => {
  const locks = fakeLocks()
  stub(t, 'navigator', { locks })
  const [a, b, c] = [page(), page(), page()]
  await settled()
  b.letGo()
  await settled()
  a.letGo()
  await settled()
  assert.deepEqual([b.calls, c.calls], [[false], [false, true]])
  b.letGo()
  c.letGo()
  c.letGo()
  await settled()
  assert.equal(locks.held('liff-keep:1:u'), 0)
})

test('a page that closes before the browser has answered holds nothing', async (t) => {
  const locks = fakeLocks()
  stub(t, 'navigator', { locks })
  for (const others of [0, 1]) {
    const first = Array.from({ length: others }, () => page())
    await settled()
    const { calls, letGo } = page()
    letGo()
    await settled()
    assert.deepEqual(calls, [], `${others} other pages`)
    assert.equal(locks.held('liff-keep:1:u'), others)
    for (const other of first) other.letGo()
    await settled()
  }
})

test('outboxes of other channels and users are elections of their own', async (t) => {
  stub(t, 'navigator', { locks: fakeLocks() })
  const pages = [page('liff-keep:1:u'), page('liff-keep:2:u'), page('liff-keep:1:v')]
  await settled()
  for (const { calls } of pages) assert.deepEqual(calls, [true])
})

test('where there are no locks, or they are refused, the page sends', async (t) => {
  for (const [name, navigator] of [
    ['no navigator', undefined],
    ['no locks (old WebView)', {}],
    ['refused (opaque origin)', { locks: { request: async () => { throw new DOMException('no', 'SecurityError') } } }],
  ]) {
    await t.test(name, async (t) => {
      stub(t, 'navigator', navigator)
      const { calls, letGo } = page()
      await settled()
      assert.deepEqual(calls, [true])
      letGo()
    })
  }
})

test('pages of one outbox hear each other, not themselves, and nothing after closing', async (t) => {
  const heard = { a: [], b: [] }
  let arrived
  const a = channel('liff-keep:test', (word) => heard.a.push(word))
  const b = channel('liff-keep:test', (word) => { heard.b.push(word); arrived?.() })
  t.after(() => { a.close(); b.close() })
  for (const word of ['flush', 'appended']) {
    const there = new Promise((resolve) => { arrived = resolve })
    a.say(word)
    await there
  }
  a.close()
  assert.deepEqual(heard, { a: [], b: ['flush', 'appended'] })
})

test('without BroadcastChannel a page talks to nobody', (t) => {
  stub(t, 'BroadcastChannel', undefined)
  const alone = channel('liff-keep:test', () => assert.fail('heard something'))
  alone.say('flush')
  alone.close()
})
