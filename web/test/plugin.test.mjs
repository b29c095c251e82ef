// liff.use(new KeepPlugin()) over objects of the SDK's shape; what needs a database runs in real browsers (e2e/pages/plugin_test.go).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { load, packageURL, settled, stub } from './fakes.mjs'

const { KeepError, KeepPlugin, lineKeep } = await load('index.js')
const { whoIs } = await load('plugin.js')
const destination = lineKeep({ channelId: '1650000001', baseURL: 'http://127.0.0.1:8787' })

// sdk is @liff/use and @liff/hooks of 2.31, as far as a plugin can tell: a name that is taken is not installed again.
function sdk(more = {}) {
  const after = []
  const taken = new Set()
  return {
    id: null,
    ready: new Promise(() => {}),
    getContext() { throw new Error('liffId is necessary for liff.init()') },
    getAccessToken() { throw new Error('liffId is necessary for liff.init()') },
    use(plugin, option) {
      if (!plugin || typeof plugin.install !== 'function' || typeof plugin.name !== 'string') return this
      if (taken.has(plugin.name)) return this
      const api = plugin.install.call(plugin, { liff: this, hooks: { init: { before() {}, after: (fn) => after.push(fn) } } }, option)
      taken.add(plugin.name)
      this[`$${plugin.name}`] = api
      return this
    },
    async init() { await Promise.all(after.map((fn) => fn())) },
    ...more,
  }
}

const refused = (run, mend) => assert.throws(run, (e) => {
  assert.ok(e instanceof KeepError, `${e?.stack}`)
  assert.equal(e.code, 'INVALID_EVENT')
  assert.match(e.message, mend)
  return true
})

test('options in the constructor, or in liff.use: liff.$keep is there at once', (t) => {
  for (const [name, plugin, option] of [
    ['constructor', new KeepPlugin({ destination })],
    ['liff.use', new KeepPlugin(), { destination }],
    ['both', new KeepPlugin({ destination }), { flushAt: 1 }],
  ]) {
    const liff = sdk()
    assert.equal(liff.use(plugin, option), liff, name)
    assert.deepEqual(Object.keys(liff.$keep).sort(), ['append', 'close', 'dead', 'flush', 'hide', 'ledger', 'onAuth', 'purge', 'realtime', 'reconcile', 'status', 'subscribe'], name)
    liff.$keep.close()
  }
})

test('bad use is told at the line that is wrong, with the mend', () => {
  refused(() => KeepPlugin({ destination }), /write liff\.use\(new KeepPlugin\(/)
  refused(() => sdk().use(KeepPlugin, { destination }), /with new/)
  refused(() => new KeepPlugin({}), /no destination: pass new KeepPlugin\(\{destination: lineKeep/)
  refused(() => new KeepPlugin({ destination: 'https://keep.example' }), /no destination/)
  refused(() => sdk().use(new KeepPlugin()), /no destination: pass new KeepPlugin/)
  refused(() => sdk().use(new KeepPlugin({ destination, token: 'eyJ' })), /token is a function/)
  refused(() => new KeepPlugin({ destination, flushEvery: 5 }), /flushEvery must be a number of at least 1000/)
})

test('a second use: the same is harmless, with other options it is told', () => {
  const liff = sdk().use(new KeepPlugin({ destination, flushAt: 9, token: () => 'a' }))
  const first = liff.$keep
  liff.use(new KeepPlugin({ flushAt: 9, destination, token: () => 'b' })) // StrictMode, or a page's module that was loaded anew
  assert.equal(liff.$keep, first)
  refused(() => liff.use(new KeepPlugin({ destination, flushAt: 10 })), /in use already, with other options.*call liff\.use\(new KeepPlugin\(…\)\) once/)
  const plugin = new KeepPlugin()
  assert.equal(plugin.install({ liff }, { destination, flushAt: 9 }), first, 'installed twice on one liff')
  refused(() => plugin.install({ liff }, { destination, flushAt: 10 }), /with other options/)
  first.close()
  liff.use(new KeepPlugin({ destination, flushAt: 10 })) // the constructor says nothing any more
})

test('a call that needs a log-in says so at once when init is over', async (t) => {
  stub(t, 'indexedDB', undefined)
  const liff = sdk({ id: '1-a', getContext: () => ({}), getAccessToken: () => null }).use(new KeepPlugin({ destination, now: () => 42 }))
  const { token, now } = liff.$keep.status()
  assert.deepEqual({ token, now }, { token: 'ok', now: 42 })
  await liff.init()
  await assert.rejects(liff.$keep.flush(), (e) => e.code === 'AUTH_REQUIRED' && /liff\.logout\(\).*liff\.login\(\)/.test(e.message))
  assert.equal(liff.$keep.status().token, 'needed')
  liff.$keep.close()
})

test('C9: installed on a server it starts nothing, and lets the process end', () => {
  const script = `
    const touched = []
    for (const name of ['indexedDB', 'sessionStorage', 'navigator', 'fetch', 'WebAssembly', 'BroadcastChannel', 'setTimeout']) {
      const value = Object.getOwnPropertyDescriptor(globalThis, name)?.value
      Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); return value } })
    }
    const { KeepPlugin, lineKeep } = await import(process.argv[1])
    new KeepPlugin({ destination: lineKeep({ baseURL: 'https://a.example' }) }).install({ liff: {} })
    console.log(JSON.stringify(touched))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, new URL('index.js', packageURL).href], { encoding: 'utf8', timeout: 30000 })
  assert.deepEqual(JSON.parse(out), [])
})

test('invariant 11: liff.init resolves at once whatever is wrong with us', async (t) => {
  stub(t, 'indexedDB', undefined)
  const failed = Promise.reject(new Error('init failed'))
  failed.catch(() => {})
  for (const more of [{}, { ready: undefined }, { ready: failed }, { get ready() { throw new Error('odd') } }]) {
    const liff = sdk()
    Object.defineProperties(liff, Object.getOwnPropertyDescriptors(more))
    liff.use(new KeepPlugin({ destination }))
    assert.equal(await liff.init(), undefined)
    liff.$keep.close()
  }
})

test('the user is known when init is over, and not before', () => {
  const context = (userId) => ({ getContext: () => ({ userId }), getAccessToken: () => 't' })
  for (const [what, liff, options, done, want] of [
    ['before init everything throws', sdk(), {}, false, 'init'],
    ['while init is under way: what is stored may be another user\'s', sdk({ id: '1-a', ...context('U-last-time') }), {}, false, 'init'],
    ['after init', sdk({ id: '1-a', ...context('U1') }), {}, true, { user: 'U1', liffId: '1-a' }],
    ['@line/liff-mock after its init: no hook, no LIFF ID', sdk(context('U-mock')), {}, false, { user: 'U-mock', liffId: '' }],
    ['@line/liff-mock as it comes: a token, and a user without a name', sdk({ ...context(''), isLoggedIn: () => false }), {}, false, { user: 'default', liffId: '' }],
    ['logged out', sdk({ id: '1-a', getContext: () => ({}), getAccessToken: () => null }), {}, true, 'login'],
    ['logged out, with a token of the page\'s own', sdk({ id: '1-a', getContext: () => ({}), getAccessToken: () => null }), { token: () => 't' }, true, { user: 'default', liffId: '1-a' }],
    ['external browser: the ID token names the user', sdk({ id: '1-a', getContext: () => null, getAccessToken: () => 't', getDecodedIDToken: () => ({ sub: 'U2' }) }), {}, true, { user: 'U2', liffId: '1-a' }],
    ['@line/liff/core without modules, and nothing that gives a token', { id: '1-a' }, {}, true, 'module'],
    ['@line/liff/core without modules', { id: '1-a' }, { token: () => 't' }, true, { user: 'default', liffId: '1-a' }],
    ['the page names the user', sdk(), { user: 7 }, false, { user: '7', liffId: '' }],
  ]) {
    const who = whoIs(liff, options)
    if (done) who.initialized()
    assert.deepEqual(who.who(), want, what)
  }
})

test('an event that is wrong is told before anything is loaded, and a closed outbox says so', async (t) => {
  stub(t, 'indexedDB', undefined)
  stub(t, 'fetch', () => assert.fail('something was fetched'))
  const liff = sdk().use(new KeepPlugin({ destination }))
  const cyclic = {}
  cyclic.self = cyclic
  const message = { text: 'a' }
  for (const [event, options, code, mend] of [
    [cyclic, {}, 'INVALID_EVENT', /cannot be written as JSON/],
    [undefined, {}, 'INVALID_EVENT', /an event is an object/],
    [[message], {}, 'INVALID_EVENT', /an event is an object: \{conversationId/],
    [{}, {}, 'INVALID_EVENT', /needs at least one message/],
    [{ messages: [] }, {}, 'INVALID_EVENT', /needs at least one message/],
    [{ messages: 'a' }, {}, 'INVALID_EVENT', /messages is no array/],
    [{ messages: [message, 'a'] }, {}, 'INVALID_EVENT', /messages\[1\] is no object/],
    [{ noteId: 'a', messages: [message] }, {}, 'INVALID_EVENT', /noteId is given by the outbox/],
    [{ messages: [{ text: '\ud83d' }] }, {}, 'INVALID_EVENT', /lone surrogate/],
    [{ messages: [message] }, { key: 'a b' }, 'INVALID_EVENT', /white space/],
    [{ messages: [message] }, { key: 'é'.repeat(101) }, 'INVALID_EVENT', /longer than 200 bytes/],
    [{ messages: [{ text: 'a'.repeat(2e6) }] }, {}, 'TOO_LARGE', /a note may have 2000000: split/],
    [{ messages: [message] }, {}, 'STORAGE_UNAVAILABLE', /could not be written/],
  ]) {
    await assert.rejects(liff.$keep.append(event, options), (e) => e instanceof KeepError && e.code === code && mend.test(e.message), String(mend))
  }
  liff.$keep.close()
  await assert.rejects(liff.$keep.append({ messages: [message] }), (e) => e.code === 'CLOSED')
  await assert.rejects(liff.$keep.flush(), (e) => e.code === 'CLOSED')
  await settled()
})
