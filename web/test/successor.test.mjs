// Calls that a page passed on when the page that sends dies or changes before it has answered.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { built, emptyModule, fakeChannels, fakeClock, fakeGo, fakeLocks, load, settled, stub } from './fakes.mjs'

const { KeepError } = await load('errors.js')
const { Tabs } = await load('tabs.js')
const { lineKeep, openKeep } = await load('index.js')
const skip = !built && 'needs ./build.sh build: wasm_exec.mjs is made there'
const never = () => new Promise(() => {})

// tabs opens one page; done is what it was asked to do.
function tabs(t, { leading = false, answer = () => 'done' } = {}) {
  const p = { done: [], leading, answer }
  p.tabs = new Tabs('liff-keep:1:u', {
    leading: () => p.leading,
    answer: (...call) => {
      p.done.push(call)
      return p.answer(...call)
    },
    hear: () => {},
  })
  p.lead = () => {
    p.leading = true
    p.tabs.leads()
  }
  t.after(() => p.tabs.close())
  return p
}

const is = (code, message) => (e) => e instanceof KeepError && e.code === code && message.test(e.message)

test('the next sender does what the one before did not answer, for every page once', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  const [old, next, a, b] = [tabs(t, { leading: true, answer: never }), tabs(t), tabs(t), tabs(t)]
  const asked = [a.tabs.ask('flush', []), b.tabs.ask('retry', ['1.0']), a.tabs.ask('realtime', [false])]
  await settled()
  assert.equal(old.done.length, 3)
  old.tabs.close() // it died
  next.lead()
  assert.deepEqual(await Promise.all(asked), ['done', 'done', 'done'])
  assert.deepEqual(next.done.sort(), [['flush', []], ['realtime', [false]], ['retry', ['1.0']]])
  next.tabs.leads() // leads anew
  await settled()
  assert.equal(next.done.length, 3, 'what was answered is not asked again')
  assert.equal(clock.waiting(), 0)
})

test('a call that no page could take yet is heard by the first one that leads', async (t) => {
  fakeChannels(t)
  const [a, b] = [tabs(t), tabs(t)]
  const asked = a.tabs.ask('purge', [])
  await settled()
  b.lead()
  assert.equal(await asked, 'done')
})

test('a page that becomes the sender does its own calls', async (t) => {
  fakeChannels(t)
  const clock = fakeClock(t)
  const [old, a] = [tabs(t, { leading: true, answer: never }), tabs(t, { answer: async (method) => `${method} here` })]
  const asked = a.tabs.ask('flush', [])
  await settled()
  old.leading = false
  a.lead()
  a.tabs.leads()
  assert.equal(await asked, 'flush here')
  assert.deepEqual(a.done, [['flush', []]])
  assert.equal(clock.waiting(), 0)
})

test('a call that comes twice to one sender is done once', async (t) => {
  fakeChannels(t)
  let end
  const [sender, a] = [tabs(t, { leading: true, answer: () => new Promise((resolve) => { end = resolve }) }), tabs(t)]
  const asked = a.tabs.ask('reconcile', [0, 9])
  await settled()
  sender.tabs.leads() // renewed under another token: the call comes again
  await settled()
  end({ checked: 1 })
  assert.deepEqual(await asked, { checked: 1 })
  sender.tabs.leads()
  await settled()
  assert.deepEqual(sender.done, [['reconcile', [0, 9]]])
})

test('a purge that a sender had taken is not done again by the next: what was appended since would go', async (t) => {
  fakeChannels(t)
  for (const own of [false, true]) {
    const [old, next, a] = [tabs(t, { leading: true, answer: never }), tabs(t), tabs(t)]
    const asked = a.tabs.ask('purge', [])
    await settled()
    old.tabs.close()
    const successor = own ? a : next
    successor.lead()
    await assert.rejects(asked, is('INTERNAL', /purge.*call it again/))
    assert.deepEqual(successor.done, [])
    for (const p of [next, a]) p.tabs.close()
  }
})

test('a failure of a page that has lost the lead is not the answer; its success is', async (t) => {
  fakeChannels(t)
  for (const [what, end, want] of [
    ['the old one fails', (call) => call.reject(new KeepError('CLOSED', 'the outbox was closed')), 'by the next'],
    ['the old one did it after all', (call) => call.resolve('by the old one'), 'by the old one'],
  ]) {
    let call
    const old = tabs(t, { leading: true, answer: () => new Promise((resolve, reject) => { call = { resolve, reject } }) })
    const [next, a] = [tabs(t, { answer: () => 'by the next' }), tabs(t)]
    const asked = a.tabs.ask('flush', [])
    await settled()
    old.leading = false
    end(call)
    await settled()
    next.lead()
    assert.equal(await asked, want, what)
    for (const p of [old, next, a]) p.tabs.close()
  }
})

// Whole outboxes, each over a module that only says what it was called for; A's never answers a flush.
test('a page whose flush the closing sender did not answer becomes the sender and does it', { skip }, async (t) => {
  fakeChannels(t)
  stub(t, 'navigator', { locks: fakeLocks() })
  const flushed = []
  let opened = 0
  fakeGo(t, ({ ready }) => ready({ abi: 4, open(host) {
    const page = 'AB'[opened++]
    const answer = (...answers) => queueMicrotask(() => host.answers(JSON.stringify(answers)))
    host.opened()
    return {
      flush: (ticket) => {
        flushed.push(page)
        if (page === 'B') answer([ticket, 2, { sent: 1 }])
      },
      lead: (ticket) => answer([ticket, 2, true]),
      resign() {}, status: () => '{}', close() {},
    }
  } }))
  const open = async () => {
    const keep = await openKeep({ destination: lineKeep({ baseURL: 'http://127.0.0.1:8787' }), token: () => 't', wasm: emptyModule() })
    t.after(() => keep.close())
    return keep
  }
  const [a, b] = [await open(), await open()]
  const asked = b.flush()
  await settled()
  assert.deepEqual(flushed, ['A'])
  a.close()
  assert.deepEqual(await asked, { sent: 1 })
  assert.deepEqual(flushed, ['A', 'B'])
})
