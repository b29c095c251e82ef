// Invariant 8: every page appends, one sends. Several Leaders over one fake browser and one simulated lease.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLocks, load, settled, stub } from './fakes.mjs'

const { Leader } = await load('leader.js')
const NAME = 'liff-keep:1:u'
const LEASE_S = 150 // the module's; the page's own numbers stand in leader.js
const none = Symbol('a browser without locks')
const failures = [['its database says no', () => false], ['its database fails', () => { throw new Error('timeout') }]]

// origin is the browser that the pages of a test share: locks, a lease in its database, and a clock that pass(s) moves.
function origin(t, locks = fakeLocks()) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
  if (AbortSignal.timeout) {
    t.mock.method(AbortSignal, 'timeout', (ms) => {
      const c = new AbortController()
      setTimeout(() => c.abort(new DOMException('late', 'TimeoutError')), ms)
      return c.signal
    })
  }
  stub(t, 'navigator', locks === none ? {} : { locks })
  const pages = []
  const leases = {} // name → {owner, until}

  // page opens one; what it asks of its database while frozen is done when it thaws.
  function page(label, name = NAME) {
    let waits = null // while frozen
    const lease = leases[name] ??= { owner: null, until: 0 }
    const done = (run) => (waits ? new Promise((resolve) => { waits.push(() => resolve(run())) }) : run())
    const p = {
      label, asked: 0,
      sending: false, // what its module believes
      database: null, // set: what it answers instead
      freeze() { waits = [] },
      thaw() { for (const run of waits.splice(0)) run(); waits = null },
    }
    const claim = (force) => {
      const free = lease.owner === null || lease.owner === label || lease.until <= Date.now()
      if (free || force) Object.assign(lease, { owner: label, until: Date.now() + LEASE_S * 1000 })
      return p.sending = free || force
    }
    p.leader = new Leader(name, async (force) => {
      p.asked++
      return done(() => {
        if (!p.database) return claim(force)
        p.sending = false
        return p.database()
      })
    }, () => done(() => {
      p.sending = false
      if (lease.owner === label) lease.until = Date.now()
    }))
    pages.push(p)
    return p
  }
  t.after(() => { for (const p of pages) p.leader.stop() })

  return {
    page, locks,
    open: async (...labels) => {
      const opened = labels.map((label) => page(label))
      for (const p of opened) await p.leader.start()
      return opened
    },
    inLine: (name = NAME) => locks.held(name),
    leaseFree: (name = NAME) => leases[name].until <= Date.now(),
    // The labels of who sends; what the page and its module believe must agree once all is settled.
    senders: () => {
      for (const p of pages) assert.equal(p.sending, p.leader.leading, `${p.label}: module and page agree`)
      return pages.filter((p) => p.leader.leading).map((p) => p.label).join(' ')
    },
    async pass(seconds) {
      await settled()
      for (let s = 0; s < seconds; s++) {
        t.mock.timers.tick(1000)
        await settled()
      }
    },
  }
}

for (const [browser, locks] of [['Web Locks', fakeLocks], ['no locks, by lease alone', () => none]]) {
  test(`L14.7: of the pages that share a bucket one sends, and the next when it goes (${browser})`, async (t) => {
    const o = origin(t, locks())
    const [a, b, c] = await o.open('a', 'b', 'c')
    assert.equal(o.senders(), 'a', 'decided when start resolves')
    await o.pass(600)
    assert.equal(o.senders(), 'a', 'ten minutes later')
    a.leader.stop()
    await o.pass(6)
    assert.match(o.senders(), /^[bc]$/)
    const next = b.leader.leading ? [b, c] : [c, b]
    next[0].leader.stop()
    await o.pass(6)
    assert.equal(o.senders(), next[1].label)
    next[1].leader.stop()
    await o.pass(1)
    assert.equal(o.senders(), '')
    assert.ok(o.leaseFree())
    if (locks() !== none) assert.equal(o.inLine(), 0, 'nobody is left in line')
  })

  test(`a frozen sender is replaced once its lease has run out, and learns it when it thaws (${browser})`, async (t) => {
    const o = origin(t, locks())
    const [a, b, c] = await o.open('a', 'b', 'c')
    await o.pass(100)
    a.freeze()
    const others = () => [b, c].filter((p) => p.leader.leading)
    await o.pass(LEASE_S - 21) // it renewed at most 20 s ago
    assert.deepEqual(others(), [], 'its lease still runs')
    await o.pass(21 + 30)
    assert.equal(others().length, 1, 'one of the others, not both')
    a.thaw()
    await o.pass(30)
    assert.equal(o.senders(), others()[0].label, 'a knows that it was replaced')
    for (const p of others()) p.leader.stop()
    for (const p of [b, c]) p.leader.stop()
    await o.pass(6)
    assert.equal(o.senders(), 'a', 'it stayed a candidate')
  })

  test(`a sender that cannot renew stops sending, and sends again when it can (${browser})`, async (t) => {
    for (const [answer, database] of failures) await t.test(answer, async (t) => {
      const o = origin(t, locks())
      const [a] = await o.open('a')
      await o.pass(10)
      a.database = database
      await o.pass(21)
      assert.equal(o.senders(), '', 'lost at the renewal')
      await o.pass(60)
      assert.equal(o.senders(), '')
      a.database = null
      await o.pass(31)
      assert.equal(o.senders(), 'a')
    })
  })

  test(`when the sender's database fails, another page takes over (${browser})`, async (t) => {
    const o = origin(t, locks())
    const [a, b] = await o.open('a', 'b')
    a.database = () => { throw new Error('timeout') }
    await o.pass(21 + LEASE_S + 30)
    assert.equal(o.senders(), 'b')
    a.database = null
    await o.pass(60)
    assert.equal(o.senders(), 'b', 'a does not take it back')
    assert.ok(b.leader.leading)
  })

  test(`after the back-forward cache a page is a candidate again (${browser})`, async (t) => {
    const o = origin(t, locks())
    const [a, b] = await o.open('a', 'b')
    a.leader.stop()
    await o.pass(6)
    assert.equal(o.senders(), 'b')
    a.leader.start() // pageshow
    a.leader.start() // and resume
    await o.pass(60)
    assert.equal(o.senders(), 'b')
    if (locks() !== none) assert.equal(o.inLine(), 2, 'one place each')
    b.leader.stop()
    await o.pass(6)
    assert.equal(o.senders(), 'a')
  })

  test(`a page that stops before it is decided sends nothing and holds nothing (${browser})`, async (t) => {
    for (const when of ['at once', 'while the database is asked']) await t.test(when, async (t) => {
      const o = origin(t, locks())
      const a = o.page('a')
      if (when !== 'at once') a.freeze()
      const decided = a.leader.start()
      if (when !== 'at once') await settled()
      a.leader.stop()
      if (when !== 'at once') a.thaw()
      await decided
      await settled()
      assert.equal(o.senders(), '')
      assert.ok(o.leaseFree(), 'the lease blocks nobody')
      if (locks() !== none) assert.equal(o.inLine(), 0)
      const asked = a.asked
      await o.pass(300)
      assert.equal(a.asked, asked, 'it asks no more')
    })
  })
}

test('a page that closes while it waits leaves the line and never sends', async (t) => {
  const o = origin(t)
  const [a, b, c] = await o.open('a', 'b', 'c')
  b.leader.stop()
  await settled()
  assert.equal(o.inLine(), 2)
  a.leader.stop()
  await settled()
  assert.equal(o.senders(), 'c')
  c.leader.stop()
  c.leader.stop()
  await settled()
  assert.equal(o.inLine(), 0)
})

test('a page that has waited long holds the lock when its turn comes', async (t) => {
  const o = origin(t)
  const [a, b] = await o.open('a', 'b')
  await o.pass(100) // b has looked three times whether a lives
  const [c] = await o.open('c')
  a.leader.stop()
  await o.pass(1)
  const [first, second] = b.leader.leading ? [b, c] : [c, b]
  assert.equal(o.senders(), first.label, 'one of the two')
  assert.equal(o.inLine(), 2, 'the sender holds the lock, the other waits')
  await o.pass(200)
  assert.equal(o.senders(), first.label)
  first.leader.stop()
  await o.pass(1)
  assert.equal(o.senders(), second.label)
})

test('a lock whose holder lives is never stolen', async (t) => {
  const o = origin(t)
  const request = t.mock.method(o.locks, 'request')
  await o.open('a', 'b', 'c')
  await o.pass(900)
  assert.equal(o.senders(), 'a')
  assert.ok(request.mock.calls.length > 30, 'the others looked all the time')
  assert.equal(request.mock.calls.filter(({ arguments: [, options] }) => options.steal).length, 0)
})

test('a page whose database does not answer at the start lets others try, and tries again', async (t) => {
  for (const [answer, database] of failures) await t.test(answer, async (t) => {
    const o = origin(t)
    const a = o.page('a')
    a.database = database
    await a.leader.start()
    assert.equal(o.senders(), '')
    const [b] = await o.open('b')
    await o.pass(6)
    assert.equal(o.senders(), 'b')
    b.leader.stop()
    a.database = null
    await o.pass(6)
    assert.equal(o.senders(), 'a')
  })
})

test('where locks are refused the lease alone decides', async (t) => {
  const no = () => new DOMException('no', 'SecurityError')
  for (const [how, request] of [['rejected', async () => { throw no() }], ['thrown', () => { throw no() }]]) await t.test(how, async (t) => {
    const o = origin(t, { request })
    const [a, b] = await o.open('a', 'b')
    await o.pass(300)
    assert.equal(o.senders(), 'a')
    a.leader.stop()
    await o.pass(6)
    assert.ok(b.leader.leading)
  })
})

test('without a navigator the page sends', async (t) => {
  const o = origin(t)
  stub(t, 'navigator', undefined)
  await o.open('a')
  assert.equal(o.senders(), 'a')
})

test('engines before 2024 replace a frozen sender too', async (t) => {
  for (const missing of [['any'], ['any', 'timeout']]) await t.test(`no AbortSignal.${missing.join(', no AbortSignal.')}`, async (t) => {
    class Old extends AbortSignal {}
    for (const name of missing) Old[name] = undefined
    stub(t, 'AbortSignal', Old)
    const o = origin(t)
    const [a, b] = await o.open('a', 'b')
    a.freeze()
    await o.pass(LEASE_S + 31)
    assert.ok(b.leader.leading)
  })
})

test('a page that stops while it is about to steal lets go of the lease', async (t) => {
  const o = origin(t)
  const [a, b] = await o.open('a', 'b')
  a.freeze()
  await o.pass(LEASE_S)
  b.freeze() // its question is under way when the page closes
  await o.pass(31)
  b.leader.stop()
  b.thaw()
  await settled()
  assert.equal(b.leader.leading, false)
  assert.equal(b.sending, false)
  assert.ok(o.leaseFree())
})

test('outboxes of other channels and users are elections of their own', async (t) => {
  const o = origin(t)
  for (const name of ['liff-keep:1:u', 'liff-keep:2:u', 'liff-keep:1:v']) await o.page(name, name).leader.start()
  assert.equal(o.senders(), 'liff-keep:1:u liff-keep:2:u liff-keep:1:v')
})
