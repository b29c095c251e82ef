import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, stub } from './fakes.mjs'

const { KeepError, decryptEvent, lineKeep, openKeep } = await load('index.js')
const { sealer } = await load('encrypt.js')
const { subtle } = crypto
const newKey = (algorithm = { name: 'AES-GCM', length: 256 }, usages = ['encrypt', 'decrypt']) => subtle.generateKey(algorithm, false, usages)
const key = await newKey()

const event = () => ({
  conversationId: 'c-1', endedAt: 5,
  messages: [{ from: 'u', text: '頭が痛い 4111 1111 1111 1111', at: 1 }, { from: 'bot', text: 'もう一度', at: 2 }, { from: 'u', sticker: 7 }],
  patient: { name: '佐藤', age: 41 },
})
const sealed = async (fields, from = event()) => JSON.parse(await sealer({ fields, key })(JSON.stringify(from), ''))
const refused = (code, mend) => (e) => {
  assert.ok(e instanceof KeepError, `${e?.stack}`)
  assert.equal(e.code, code)
  assert.match(e.message, mend)
  return true
}

test('L8.3: the named fields are ciphertext, everything else is as it was', async () => {
  const page = event()
  const note = await sealed(['messages.*.text', 'patient'], page)
  assert.deepEqual(page, event(), "the page's own event is untouched")
  for (const field of [note.messages[0].text, note.messages[1].text, note.patient]) {
    assert.deepEqual(Object.keys(field), ['$enc', 'iv', 'data'], 'the core looks for exactly this')
    assert.equal(field.$enc, 'A256GCM')
    assert.match(field.iv, /^[\w-]{12}\.[\w-]{4}$/, '12 bytes')
  }
  assert.doesNotMatch(JSON.stringify(note), /痛|4111|佐藤/)
  assert.deepEqual({ ...note, messages: note.messages.map(({ text, ...rest }) => rest), patient: 0 },
    { ...event(), messages: event().messages.map(({ text, ...rest }) => rest), patient: 0 })
  assert.equal('text' in note.messages[2], false, 'a field that is not there stays away')
})

test('L8.3: an auditor who holds the key reads it again', async () => {
  for (const [name, fields, from] of [
    ['texts', ['messages.*.text'], event()],
    ['an object', ['patient', 'messages.*.text'], event()],
    ['whole messages', ['messages.*'], event()],
    ['a number', ['patient.age'], event()],
    ['null, false, empty', ['a', 'b', 'c', 'd'], { a: null, b: false, c: '', d: [], messages: [{}] }],
    ['nested lists', ['rows.*.*.x'], { rows: [[{ x: 1 }, { y: 2 }], [], 'none'], messages: [{}] }],
    ['half an emoji, which the core would refuse in the clear', ['messages.*.text'], { messages: [{ text: '\ud83d' }] }],
    ['a name that JavaScript knows', ['__proto__', 'messages.*.constructor'], JSON.parse('{"__proto__":"x","messages":[{"constructor":"y"}]}')],
    ['what looks encrypted', ['messages.*.text'], { messages: [{ text: { $enc: 'A256GCM', iv: 'no', data: 'no' } }] }],
    ['no conversationId', ['messages.*.text'], { messages: [{ text: 'a' }] }],
    ['a long text', ['messages.*.text'], { messages: [{ text: 'あ'.repeat(300000) }] }],
    ['nothing', ['absent.*.x', 'messages.*.x.y'], event()],
  ]) {
    const note = await sealed(fields, from)
    assert.equal(JSON.stringify(await decryptEvent({ noteId: 'n', ...note }, key)), JSON.stringify({ noteId: 'n', ...from }), name)
    if (name !== 'nothing') assert.notEqual(JSON.stringify(note), JSON.stringify(from), name)
  }
})

test('L8.3: another key, a changed, moved or swapped field is refused by its name', async (t) => {
  const note = await sealed(['messages.*.text'])
  const swap = structuredClone(note);
  [swap.messages[0].text, swap.messages[1].text] = [note.messages[1].text, note.messages[0].text]
  const changed = structuredClone(note)
  changed.messages[1].text.data = changed.messages[1].text.data.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))
  for (const [name, what, reader, mend] of [
    ['another key', note, await newKey(), /messages\.\d\.text cannot be decrypted.*another key/],
    ['swapped with the next message', swap, key, /messages\.\d\.text/],
    ['another conversation', { ...note, conversationId: 'c-2' }, key, /messages\.\d\.text/],
    ['moved to another field', { ...note, title: note.messages[0].text }, key, /the field title /],
    ['one character', changed, key, /messages\.1\.text/],
    ['no base64', { messages: [{ text: { $enc: 'A256GCM', iv: '!', data: '' } }] }, key, /messages\.0\.text/],
    ['the key may not decrypt', note, await newKey(undefined, ['encrypt']), /may only encrypt: import it again with 'decrypt'/],
    ['no key', note, undefined, /CryptoKey/],
    ['text instead of a note', JSON.stringify(note), key, /JSON\.parse/],
  ]) {
    await t.test(name, () => assert.rejects(decryptEvent(what, reader), refused('INVALID_EVENT', mend)))
  }
})

test('L8.3: every field has an iv of its own', async () => {
  const seal = sealer({ fields: ['messages.*.text'], key })
  const same = JSON.stringify({ conversationId: 'c', messages: Array.from({ length: 50 }, () => ({ text: 'same' })) })
  const fields = [await seal(same, ''), await seal(same, '')].flatMap((text) => JSON.parse(text).messages.map((m) => m.text))
  assert.equal(new Set(fields.map((f) => f.iv)).size, 100)
  assert.equal(new Set(fields.map((f) => f.data)).size, 100)
})

test('L8.2, L8.3: ciphertext never looks like a card number: 13 digits in a row cannot occur', async (t) => {
  // the worst there can be: bytes whose base64url is digits and hyphens only
  const digits = Uint8Array.from(atob('4111111111111111' + '+411'.repeat(20)), (c) => c.charCodeAt(0))
  t.mock.method(subtle, 'encrypt', async () => digits.buffer)
  t.mock.method(crypto, 'getRandomValues', (bytes) => (bytes.set(digits.subarray(0, bytes.length)), bytes))
  const { text } = (await sealed(['messages.*.text'])).messages[0]
  assert.match(text.iv, /^4111/, 'it is the worst')
  for (const [name, value] of Object.entries(text)) {
    const runs = value.match(/\d[\d -]*/g) ?? []
    assert.ok(runs.every((run) => run.replace(/\D/g, '').length <= 12), `${name}: ${value}`)
  }
})

test('L7.2: the same event under the same key keeps its bytes, so a repeated call is no change', async () => {
  const seal = sealer({ fields: ['messages.*.text'], key })
  const text = JSON.stringify(event())
  const [a, b] = await Promise.all([seal(text, 'k'), seal(text, 'k')])
  assert.equal(a, b)
  assert.equal(await seal(text, 'k'), a)
  assert.notEqual(await seal(text, 'other'), a, 'another key, another iv')
  assert.notEqual(await seal(text, ''), await seal(text, ''), 'without a key every event is one of its own')
  const changed = await seal(text.replace('c-1', 'c-2'), 'k')
  assert.notEqual(changed, a)
  assert.notEqual(await seal(text, 'k'), a, 'only the last content is remembered')
})

test('the memory for repeated calls is bounded', async () => {
  const seal = sealer({ fields: ['messages.*.text'], key })
  const big = (n) => JSON.stringify({ n, pad: 'x'.repeat(1 << 20), messages: [{ text: 'a' }] })
  const first = await seal(big(0), 'k0')
  for (const n of [1, 2, 3, 4]) await seal(big(n), `k${n}`)
  assert.notEqual(await seal(big(0), 'k0'), first, 'the oldest went')
})

test('a browser that cannot encrypt: the event is refused, the next one is taken', async (t) => {
  const seal = sealer({ fields: ['messages.*.text'], key })
  const text = JSON.stringify(event())
  const broken = t.mock.method(subtle, 'encrypt', async () => { throw new DOMException('no memory', 'OperationError') })
  await assert.rejects(seal(text, 'k'), refused('INTERNAL', /was not taken.*no memory/))
  broken.mock.restore()
  assert.match(await seal(text, 'k'), /A256GCM/)
})

test('L8.3: a wrong option is refused before anything is started', async (t) => {
  stub(t, 'fetch', () => assert.fail('something was fetched'))
  const open = (encrypt) => openKeep({ destination: lineKeep({ baseURL: 'http://127.0.0.1:8787' }), token: () => 't', encrypt })
  const fields = ['messages.*.text']
  for (const [name, encrypt, mend] of [
    ['null', null, /encrypt\.fields names no field/],
    ['no fields', { key }, /pass encrypt: \{fields: \['messages\.\*\.text'\], key\}/],
    ['an empty list', { fields: [], key }, /names no field/],
    ['a text for the list', { fields: 'messages.*.text', key }, /names no field/],
    ['an empty path', { fields: [''], key }, /dotted paths/],
    ['a path that begins with *', { fields: ['*.text'], key }, /dotted paths.*not "\*\.text"/],
    ['brackets of another language', { fields: ['messages[*].text'], key }, /dotted paths/],
    ['an empty step', { fields: ['messages..text'], key }, /dotted paths/],
    ['part of a name', { fields: ['messages.*.te*'], key }, /dotted paths/],
    ['all messages at once', { fields: ['messages'], key }, /messages must stay readable/],
    ['what binds the fields', { fields: ['conversationId'], key }, /conversationId must stay readable/],
    ['the same twice', { fields: ['a', 'a'], key }, /names a twice/],
    ['a part of another', { fields: ['messages.*.text', 'messages.*'], key }, /names messages\.\*\.text twice: messages\.\* covers it/],
    ['no key', { fields }, /a CryptoKey: crypto\.subtle\.generateKey/],
    ['bytes', { fields, key: new Uint8Array(32) }, /a CryptoKey/],
    ['something like a key', { fields, key: { algorithm: { name: 'AES-GCM', length: 256 }, usages: ['encrypt'] } }, /a CryptoKey/],
    ['AES-CBC', { fields, key: await newKey({ name: 'AES-CBC', length: 256 }) }, /for AES-CBC with 256 bits, not AES-GCM/],
    ['HMAC', { fields, key: await newKey({ name: 'HMAC', hash: 'SHA-256' }, ['sign']) }, /for HMAC/],
    ['128 bits', { fields, key: await newKey({ name: 'AES-GCM', length: 128 }) }, /with 128 bits, not AES-GCM with 256/],
    ['decrypt only', { fields, key: await newKey(undefined, ['decrypt']) }, /may only decrypt: import it again with 'encrypt'/],
  ]) {
    await t.test(name, () => assert.rejects(open(encrypt), refused('INVALID_EVENT', mend)))
  }
  await t.test('a page without https', async (t) => {
    stub(t, 'crypto', {})
    await assert.rejects(open({ fields, key }), refused('INVALID_EVENT', /no crypto\.subtle: serve it over https/))
  })
})
