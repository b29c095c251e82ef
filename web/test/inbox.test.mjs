// The rules that the inbox shares with the module; its database is tested in real browsers (e2e/pages/plugin_test.go).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { load } from './fakes.mjs'

const { isPlain } = await load('check.js')
const { hash, versioned } = await load('keyed.js')

const plain = (event, { key = '', ...options } = {}) => {
  const text = JSON.stringify(event)
  return isPlain(text, key, new TextEncoder().encode(text).length, { destination: {}, ...options })
}
const saying = (text, at) => ({ conversationId: 'c', messages: [{ from: 'u', text, at }] })

test('what is plain the inbox keeps', () => {
  for (const [event, options] of [
    [saying('予約は 7 時です')],
    [saying('a', 1764012345678)], // ms since 1970 have as many digits as the shortest card number
    [saying('tel 090-1234-5678, 2026-11-25 12:00')],
    [saying('order 1234567890123456789')],
    [saying('\\ and " and \n')],
    [saying('a'), { key: 'order-7' }],
    [saying('fever'), { healthFields: ['symptom', 'messages.*.diagnosis'] }],
    [{ messages: Array.from({ length: 1000 }, () => ({})) }],
  ]) assert.equal(plain(event, options), true, JSON.stringify(event).slice(0, 99))
})

test('L14.5: media that the module takes for certain the inbox keeps, by the limits of each service', () => {
  const source = (service, name) => Number(readFileSync(new URL(`../../destination/${service}/limits.go`, import.meta.url), 'utf8').match(new RegExp(`\\b${name}\\s+= ([\\d_]+)`))[1].replaceAll('_', ''))
  for (const [service, most, together] of [
    ['line', source('linekeep', 'maxMediaBytes'), true],
    ['chat', source('googlechat', 'maxMediaBytes'), true],
    ['evernote', source('evernote', 'maxNoteSize') - source('evernote', 'maxContentBytes'), false],
  ]) {
    const kept = (...sizes) => isPlain(JSON.stringify(saying('a')), '', 99, { destination: { service } }, sizes.map((bytes) => ({ bytes })))
    assert.deepEqual([kept(), kept(1), kept(most), kept(most, 1), kept(most + 1), kept(0)], [true, true, true, together, false, false], service)
    assert.equal(isPlain(JSON.stringify(saying('a'.repeat(800_000))), '', 800_000 + 80, { destination: { service } }), service !== 'evernote')
  }
})

test('L8.2: what only the module can judge does not get into the inbox', () => {
  const deep = saying('a')
  for (let at = deep, n = 0; n < 300; n++) at = at.more = {}
  for (const [event, options] of [
    [saying('4111111111111111')],
    [saying('my card: 4111 1111-1111 1111')],
    [saying('４１１１ １１１１ １１１１ １１１１')],
    [saying('a', 4222222222222)],
    [saying('1 4111 1111 1111 1111')],
    [{ ...saying('a'), symptom: 'fever' }, { healthFields: ['symptom'] }],
    [{ ...saying('a'), x: { diagnosis: [] } }, { healthFields: ['x.diagnosis.*'] }],
    [deep],
    [saying('\ud83d')],
    [saying('a'), { key: 'order 7' }],
    [saying('a'), { key: 'a"' }],
    [saying('a'), { key: 'a\\' }],
    [saying('a'), { key: 'é' }],
    [{ ...saying('a'), noteId: 'mine' }],
    [{ messages: [] }],
    [saying('a'.repeat(100)), { destination: { maxNoteBytes: 100 } }],
  ]) assert.equal(plain(event, options), false, JSON.stringify(event).slice(0, 99))
})

test('the messages are the module\'s own', () => {
  const ours = readFileSync(new URL('../src/judge.js', import.meta.url), 'utf8')
  const go = ['entry', 'append'].map((name) => readFileSync(new URL(`../../outbox/${name}.go`, import.meta.url), 'utf8')).join()
  const texts = [...ours.matchAll(/wrong\('([^']+)'\)/g)].map(([, text]) => text)
  assert.ok(texts.length > 4)
  for (const text of texts) assert.ok(go.includes(text.replace(/^a lone surrogate /, '')), text)
})

test('L7.2: a key\'s versions, and the hash that the outbox keeps (FNV-1a, 64 bits; draft-eastlake-fnv, test vectors)', () => {
  assert.deepEqual([0, 1, 2, 10].map((v) => versioned('order', v)), ['order', 'order', 'order.v2', 'order.v10'])
  for (const [text, want] of [['', 'cbf29ce484222325'], ['a', 'af63dc4c8601ec8c'], ['foobar', '85944171f73967e8']]) {
    assert.equal(hash(new TextEncoder().encode(text)), want)
  }
  let h = 0xcbf29ce484222325n // and what the long numbers say of a long one
  const long = new TextEncoder().encode('予約 '.repeat(500))
  for (const b of long) h = BigInt.asUintN(64, (h ^ BigInt(b)) * 0x100000001b3n)
  assert.equal(hash(long), h.toString(16).padStart(16, '0'))
})
