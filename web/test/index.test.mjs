import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { load, packageURL, stale, stub } from './fakes.mjs'

const { KeepError, googleChat, lineKeep, openKeep } = await load('index.js')
const destination = lineKeep({ channelId: '1650000001', baseURL: 'http://127.0.0.1:8787' })
const token = () => 'token'

test('what is tested is what ships', () => {
  assert.deepEqual(stale(), [], 'web/dist is older than web/src: run ./build.sh build')
})

test('C9: importing does nothing: no globals, no wasm, no database, in plain Node', () => {
  const script = `
    const touched = []
    for (const name of ['indexedDB', 'document', 'window', 'localStorage', 'navigator', 'fetch', 'WebAssembly', 'BroadcastChannel', 'setTimeout']) {
      const value = Object.getOwnPropertyDescriptor(globalThis, name)?.value
      Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); return value } })
    }
    const before = Object.getOwnPropertyNames(globalThis).join()
    const names = Object.keys(await import(process.argv[1]))
    const after = Object.getOwnPropertyNames(globalThis).join()
    console.log(JSON.stringify({ names, touched, same: before === after }))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, new URL('index.js', packageURL).href], { encoding: 'utf8', timeout: 30000 })
  const seen = JSON.parse(out)
  assert.deepEqual(seen.touched, [])
  assert.equal(seen.same, true, 'a global appeared')
  for (const name of ['KeepError', 'lineKeep', 'openKeep']) assert.ok(seen.names.includes(name), `index.js exports ${name}`)
})

test('L10.4: the address is configuration; the guide\'s domains and the local sandbox pass', () => {
  for (const [baseURL, want] of [
    ['https://api.line-beta.jp', 'https://api.line-beta.jp'],
    ['https://api.line-beta-th', 'https://api.line-beta-th'],
    ['https://keep.example.com/relay/', 'https://keep.example.com/relay'],
    ['https://keep.example.com:8443//', 'https://keep.example.com:8443'],
    ['http://127.0.0.1:8787', 'http://127.0.0.1:8787'],
    ['http://127.8.0.1', 'http://127.8.0.1'],
    ['http://localhost:8787/', 'http://localhost:8787'],
    ['http://[::1]:8787', 'http://[::1]:8787'],
  ]) {
    assert.equal(lineKeep({ baseURL }).baseURL, want, baseURL)
  }
})

test('L10.4: an address that tokens must not go to is refused, and the message says why', () => {
  for (const [baseURL, mend] of [
    [undefined, /baseURL.*http:\/\/127\.0\.0\.1:8787 for the sandbox/],
    ['', /baseURL/],
    ['api.line-beta.jp', /baseURL/],
    ['http://api.line-beta.jp', /http:\/\/api\.line-beta\.jp is not https/],
    ['http://192.168.1.5:8787', /not https/],
    ['http://127.0.0.1.example.com', /not https/],
    ['http://localhost.example.com', /not https/],
    ['ftp://127.0.0.1', /not https/],
    ['javascript:alert(1)', /not https/],
    ['https://user:secret@keep.example.com', /no credentials/],
    ['https://keep.example.com/?token=a', /query/],
    ['https://keep.example.com/#a', /fragment/],
  ]) {
    assert.throws(() => lineKeep({ baseURL }), (e) => refusal(e, mend), String(baseURL))
  }
  assert.throws(() => lineKeep(), (e) => refusal(e, /baseURL/), 'no options at all')
})

test('L10.3: a channel id that is a number goes out as text', () => {
  assert.equal(lineKeep({ channelId: 1650000001, baseURL: 'https://a.example' }).channelId, '1650000001')
})

test('a wrong call is refused before anything is started', async (t) => {
  stub(t, 'fetch', () => assert.fail('something was fetched'))
  for (const [name, options, mend] of [
    ['nothing', undefined, /no destination: pass openKeep\(\{destination: lineKeep/],
    ['no destination', { token }, /no destination/],
    ['a destination that is none', { destination: 'https://keep.example.com', token }, /lineKeep\(\{channelId, baseURL\}\)/],
    ['L10.2: no token function', { destination }, /token: \(\) => liff\.getAccessToken\(\)/],
    ['L10.2: a token instead of a function', { destination, token: 'eyJ' }, /token: \(\) => liff\.getAccessToken\(\)/],
    ['flushEvery in seconds', { destination, token, flushEvery: 300 }, /flushEvery must be a number of at least 1000/],
    ['flushAt 0', { destination, token, flushAt: 0 }, /flushAt must be a number of at least 1/],
    ['flushAt as text', { destination, token, flushAt: '400' }, /flushAt must be a number/],
    ['debounce below 0', { destination, token, debounce: -1 }, /debounce must be a number of at least 0/],
    ['debounce NaN', { destination, token, debounce: NaN }, /debounce must be a number/],
    ['flushEvery without end', { destination, token, flushEvery: Infinity }, /flushEvery must be a number/],
    ['fleet 0', { destination, token, fleet: 0 }, /fleet must be how many phones share the bucket, .* or false/],
    ['fleet true', { destination, token, fleet: true }, /fleet must be how many phones share the bucket, .* or false/],
    ['maxQueueBytes null', { destination, token, maxQueueBytes: null }, /maxQueueBytes must be a number of at least 1/],
    ['a relay without https', { destination, token, relay: 'http://relay.example' }, /http:\/\/relay\.example is not https/],
    ['a relay that is no address', { destination, token, relay: 'relay.example' }, /relay needs url, an address: https:/],
    ['a relay that is null', { destination, token, relay: null }, /relay needs url/],
    ['a relay with a query', { destination, token, relay: new URL('https://relay.example/?a') }, /query/],
    ['a relay without its address', { destination, token, relay: { fallback: 'direct' } }, /relay needs url/],
    ['another way round', { destination, token, relay: { url: 'https://relay.example', fallback: true } }, /relay\.fallback is 'direct', not true/],
    ['a relay for the generic pool', { destination: lineKeep({ baseURL: 'https://a.example' }), token, relay: 'https://relay.example' }, /lineKeep with a channelId: leave relay out/],
    ['a relay for Google Chat', { destination: googleChat({ space: 'A' }), token, relay: 'https://relay.example' }, /relay is for lineKeep/],
  ]) {
    await t.test(name, () => assert.rejects(openKeep(options), (e) => refusal(e, mend)))
  }
})

test('L10.2: no message names getIDToken', async () => {
  await assert.rejects(openKeep({ destination }), (e) => !/getIDToken/.test(e.message))
})

// refusal says whether e is a KeepError for a wrong call whose message names the mend.
function refusal(e, mend) {
  assert.ok(e instanceof KeepError, `${e}`)
  assert.equal(e.name, 'KeepError')
  assert.equal(e.code, 'INVALID_EVENT')
  assert.match(e.message, mend)
  return true
}
