// What pages of one outbox say to each other, and the calls that only the sender can do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeChannels, fakeClock, load, settled, stub } from './fakes.mjs'

const { KeepError } = await load('errors.js')
const { Tabs } = await load('tabs.js')
const NAME = 'liff-keep:1:u'

// tabs opens one page; done is what it was asked to do, heard what it was told.
function tabs(t, { leading = false, answer = () => 'done', name = NAME } = {}) {
  const p = { done: [], heard: [], leading }
  p.tabs = new Tabs(name, {
    leading: () => p.leading,
    answer: (...call) => {
      p.done.push(call)
      return answer(...call)
    },
    hear: (...word) => p.heard.push(word),
  })
  t.after(() => p.tabs.close())
  return p
}

const is = (code, message = /./) => (e) => e instanceof KeepError && e.code === code && message.test(e.message)

test('a call that only the sender can do is done there, and its answer comes back', async (t) => {
  fakeChannels(t)
  const [sender, a, b] = [tabs(t, { leading: true, answer: async (method, args) => ({ method, args }) }), tabs(t), tabs(t)]
  const answers = await Promise.all([a.tabs.ask('retry', ['1.0']), b.tabs.ask('flush', []), a.tabs.ask('reconcile', [0, 9])])
  assert.deepEqual(answers, [
    { method: 'retry', args: ['1.0'] }, { method: 'flush', args: [] }, { method: 'reconcile', args: [0, 9] },
  ], 'each gets its own')
  assert.deepEqual(sender.done, [['retry', ['1.0']], ['flush', []], ['reconcile', [0, 9]]], 'once each')
  assert.deepEqual([a.done, b.done, sender.heard, a.heard, b.heard], [[], [], [], [], []])
})

test('an answer may be nothing, and may be late', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  tabs(t, { leading: true, answer: () => new Promise((resolve) => { setTimeout(resolve, 50000) }) })
  const asked = tabs(t).tabs.ask('realtime', [false])
  await clock.pass(50000)
  assert.equal(await asked, undefined)
  assert.equal(clock.waiting(), 0, 'the answer ends the time-out')
})

test('an error comes back as the KeepError it was; any other is INTERNAL', async (t) => {
  fakeChannels(t)
  for (const [error, want] of [
    [new KeepError('STORAGE_FULL', 'delete something'), is('STORAGE_FULL', /^delete something$/)],
    [new TypeError('cannot read flush'), is('INTERNAL', /^cannot read flush$/)],
  ]) {
    for (const answer of [() => { throw error }, () => Promise.reject(error)]) {
      const sender = tabs(t, { leading: true, answer })
      await assert.rejects(tabs(t).tabs.ask('retry', ['1.0']), want)
      sender.tabs.close()
    }
  }
  tabs(t, { leading: true, answer: () => () => {} })
  await assert.rejects(tabs(t).tabs.ask('flush', []), is('INTERNAL'), 'a value that cannot be copied')
})

test('without a sender a call ends after a minute, and the message says that nothing is lost', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  const [a, b] = [tabs(t), tabs(t)]
  const asked = a.tabs.ask('flush', [])
  let ended = false
  asked.catch(() => { ended = true })
  await clock.pass(59999)
  assert.equal(ended, false)
  await clock.pass(1)
  await assert.rejects(asked, is('INTERNAL', /flush.*on disk/))
  assert.deepEqual(b.done, [], 'a page that does not send does not do it')
  b.leading = true
  assert.equal(await a.tabs.ask('flush', []), 'done', 'the next one finds the new sender')
})

test('an answer that comes after the minute goes nowhere', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  tabs(t, { leading: true, answer: () => new Promise((resolve) => { setTimeout(resolve, 60001, 'late') }) })
  const asked = tabs(t).tabs.ask('flush', [])
  asked.catch(() => {})
  await clock.pass(60000)
  await clock.pass(1)
  await assert.rejects(asked, is('INTERNAL'))
})

test('closing tells who waits, and nothing is heard or said afterwards', async (t) => {
  const channels = fakeChannels(t)
  const clock = fakeClock(t)
  const [sender, a] = [tabs(t, { leading: true, answer: () => new Promise(() => {}) }), tabs(t)]
  const asked = [a.tabs.ask('flush', []), a.tabs.ask('purge', [])]
  a.tabs.close()
  a.tabs.close()
  for (const call of asked) await assert.rejects(call, is('CLOSED'))
  assert.equal(clock.waiting(), 0)
  sender.tabs.tell('status', {})
  a.tabs.tell('appended')
  await settled()
  assert.deepEqual([a.heard, sender.heard], [[], []])
  assert.equal(channels.open(), 1)
})

test('a sender that closes while it works answers nobody and breaks nothing', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  const sender = tabs(t, { leading: true, answer: () => new Promise((resolve) => { setTimeout(resolve, 10) }) })
  const asked = tabs(t).tabs.ask('flush', [])
  asked.catch(() => {})
  await settled()
  sender.tabs.close()
  await clock.pass(10)
  await clock.pass(60000)
  await assert.rejects(asked, is('INTERNAL'))
})

test('a call after closing is told so at once', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  const a = tabs(t)
  a.tabs.close()
  let code = null
  a.tabs.ask('flush', []).catch((e) => { code = e.code })
  await settled()
  assert.equal(code, 'CLOSED')
  assert.equal(clock.waiting(), 0)
})

test('words go to the other pages of the same outbox, not to the one that says them', async (t) => {
  fakeChannels(t)
  const [a, b, other] = [tabs(t, { leading: true }), tabs(t), tabs(t, { name: 'liff-keep:1:v' })]
  a.tabs.tell('status', { pending: 3 })
  a.tabs.tell('appended')
  await settled()
  assert.deepEqual([a.heard, b.heard, other.heard], [[], [['status', { pending: 3 }], ['appended', undefined]], []])
})

test('without BroadcastChannel a page talks to nobody, and a call says so at once, with the mend', async (t) => {
  stub(t, 'BroadcastChannel', undefined)
  const clock = fakeClock(t)
  const [alone, other] = [tabs(t), tabs(t, { leading: true })]
  alone.tabs.tell('appended')
  await assert.rejects(alone.tabs.ask('flush', []), is('INTERNAL', /flush.*BroadcastChannel.*close.*on disk/))
  assert.equal(clock.waiting(), 0, 'nothing is waited for')
  assert.deepEqual([other.heard, other.done], [[], []])
  alone.leading = true
  alone.tabs.leads()
})

test('the same over a real BroadcastChannel', async (t) => {
  const [sender, a] = [tabs(t, { leading: true, answer: async () => ({ sent: 2 }) }), tabs(t)]
  a.tabs.tell('appended')
  assert.deepEqual(await a.tabs.ask('flush', []), { sent: 2 })
  assert.deepEqual([sender.heard, a.heard], [[['appended', undefined]], []])
})
