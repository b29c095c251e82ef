// The way of an event from append to the module, over a module that only writes down what it is given.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { built, emptyModule, fakeGo, load, settled, stub } from './fakes.mjs'

const { KeepError, decryptEvent, lineKeep, openKeep } = await load('index.js')
const skip = !built && 'needs ./build.sh build: wasm_exec.mjs is made there'
const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
const encrypt = { fields: ['messages.*.text'], key }
const event = (n, text = `text ${n}`) => ({ conversationId: `c-${n}`, messages: [{ from: 'u', text }] })

// opened opens an outbox whose module answers every append at once; calls holds what crossed over, one array a burst.
// disk is what an audit reads: {open: numbers of segments, settled: ledger rows}.
async function opened(t, options, ledger = '', disk = {}) {
  const calls = []
  let host
  const answer = (...answers) => host.answers(JSON.stringify(answers))
  stub(t, 'BroadcastChannel', undefined)
  fakeGo(t, ({ ready }) => ready({ abi: 4, open(given) {
    host = given
    host.opened()
    return {
      append(texts, keys, first, media) {
        const names = keys.split('\n')
        calls.push(new TextDecoder().decode(texts).split('\n').map((line, i) => ({ event: JSON.parse(line), key: names[i], ...(media?.[i] && { media: media[i] }) })))
        queueMicrotask(() => answer(...names.map((name, i) => [first + i, 0, `1.${i}`, name || 'n', 9, 5])))
      },
      pack(ticket, notes, messages, bytes, more) {
        calls.push(Array.from({ length: notes }, (_, i) => ({ event: JSON.parse(new TextDecoder().decode(host.packs.text(ticket, i))), key: '' })))
        calls.at(-1).pack = { ticket, messages, bytes, more }
        host.packs.session = 'session'
        disk.pack?.(host, ticket) ?? queueMicrotask(() => {
          calls.at(-1).record = host.packs.record(ticket, 35, 1795000000123)
          host.packed(ticket, 4)
        })
      },
      ledger: (ticket) => queueMicrotask(() => answer([ticket, 2, ledger])),
      rows: (ticket, from, to) => queueMicrotask(() => {
        const lines = disk.settled.filter(({ at }) => at >= from && at < to).map((row) => `${JSON.stringify(row)}\n`)
        disk.then?.() // what happens once this was read
        answer([ticket, 2, lines.join('')])
      }),
      holdings: (ticket) => queueMicrotask(() => {
        const { open } = disk
        disk.then?.()
        answer([ticket, 2, open])
      }),
      lead: (ticket) => queueMicrotask(() => answer([ticket, 2, true])),
      resign() {}, status: () => '{}', close() {},
    }
  } }))
  const keep = await openKeep({ destination: lineKeep({ baseURL: 'http://127.0.0.1:8787' }), token: () => 't', wasm: emptyModule(), ...options })
  t.after(() => keep.close())
  return { keep, calls }
}

test('L8.3: with encrypt only ciphertext reaches the module, and the auditor can read it', { skip }, async (t) => {
  const { keep, calls } = await opened(t, { encrypt })
  const page = event(1, 'secret')
  const receipt = await keep.append(page, { key: 'k' })
  assert.deepEqual(receipt, { id: '1.0', noteId: 'k', bytes: 9, at: 5 })
  assert.deepEqual(page, event(1, 'secret'), "the page's own event is untouched")
  const [[crossed]] = calls
  assert.equal(crossed.key, 'k')
  assert.doesNotMatch(JSON.stringify(crossed), /secret/)
  assert.deepEqual(await decryptEvent(crossed.event, key), event(1, 'secret'))
})

test('L8.3: the event is read during the call: what the page does to it afterwards changes nothing', { skip }, async (t) => {
  const { keep, calls } = await opened(t, { encrypt })
  const page = event(1, 'before')
  const done = keep.append(page)
  page.messages[0].text = 'after'
  await done
  assert.deepEqual(await decryptEvent(calls[0][0].event, key), event(1, 'before'))
})

test('L8.3: appends keep their order, however long each encryption takes', { skip }, async (t) => {
  const { keep, calls } = await opened(t, { encrypt })
  const real = crypto.subtle.encrypt.bind(crypto.subtle)
  let n = 0
  t.mock.method(crypto.subtle, 'encrypt', async (...args) => {
    const turns = 20 - n++
    for (let i = 0; i < turns; i++) await settled() // the first takes longest
    return real(...args)
  })
  await Promise.all(Array.from({ length: 20 }, (_, i) => keep.append(event(i))))
  const order = calls.flat().map((c) => c.event.conversationId)
  assert.deepEqual(order, Array.from({ length: 20 }, (_, i) => `c-${i}`))
  assert.ok(calls.length < 20, `what is ready goes in one burst: ${calls.length} of 20`)
})

test('L8.3: an event that is encrypted while the outbox is closed is told so', { skip }, async (t) => {
  const { keep, calls } = await opened(t, { encrypt })
  const late = keep.append(event(1))
  keep.close()
  await assert.rejects(late, (e) => e instanceof KeepError && e.code === 'CLOSED')
  await settled()
  assert.equal(calls.length, 0)
})

test('without encrypt nothing waits: all appends of a turn cross over as one burst before the next task', { skip }, async (t) => {
  const { keep, calls } = await opened(t, {})
  t.mock.method(crypto.subtle, 'encrypt', () => assert.fail('encrypted'))
  const all = Promise.all([1, 2, 3].map((n) => keep.append(event(n), { key: `k${n}` })))
  await null // one turn of the microtasks is all it takes
  assert.deepEqual(calls.map((burst) => burst.map((c) => c.key)), [['k1', 'k2', 'k3']])
  await all
})

test('plain events of a turn cross over as the sums of one pack, and their text is written beside the module', { skip }, async (t) => {
  const { keep, calls } = await opened(t)
  const changed = event(1, 'a')
  const all = [keep.append(changed), keep.append(event(2, '寿司🍣'))]
  changed.messages.push({ text: 'later' }) // the event was read during the call
  const receipts = await Promise.all(all)
  assert.equal(calls.length, 1)
  const texts = [event(1, 'a'), event(2, '寿司🍣')].map((e) => JSON.stringify(e))
  const sizes = texts.map((text) => Buffer.byteLength(text))
  assert.deepEqual(calls[0].pack, { ticket: 2, messages: 2, bytes: sizes[0] + sizes[1], more: 0 })
  assert.deepEqual(calls[0].record, {
    h: texts.map((_, i) => `0\t${i}\tn\t1\t1795000000123\t${sizes[i] + 21 + i}\t0\tsession-${['z', '10'][i]}\t\n`).join(''),
    b: texts.map((text, i) => `{"noteId":"session-${['z', '10'][i]}",${text.slice(1)}`).join(''),
  })
  assert.deepEqual(receipts, texts.map((_, i) => ({ id: `4.${i}`, noteId: `session-${['z', '10'][i]}`, bytes: sizes[i] + 21 + i, at: 1795000000123 })))
})

test('what is not plain goes to the module as bytes, in its place among the others', { skip }, async (t) => {
  const { keep, calls } = await opened(t, { healthFields: ['messages.*.symptom'] })
  const odd = {
    'a key': [event(1), { key: 'k' }],
    'a card number': [event(1, 'my card 4111 1111 1111 1111')],
    'half an emoji': [event(1, '\ud83c')],
    'health data': [{ messages: [{ symptom: 'cough' }] }],
    'a name of its own': [{ noteId: 'x', messages: [{}] }],
    'no messages': [{ messages: [] }],
    'a message that is none': [{ messages: ['text'] }],
    'messages that say themselves what they are': [{ messages: [{ toJSON: () => 1 }] }],
    'an event that does': [{ messages: [{}], toJSON: () => ({ messages: [] }) }],
    'a part that does': [{ messages: [{ at: new Date(0) }] }],
    'an array that does': [{ messages: Object.assign([{}], { toJSON: () => [] }) }],
    'a message of a class': [{ messages: [new (class M { text = 'a' })()] }],
    'an array for a message': [{ messages: [['a']] }],
    'a text as the event': ['text'],
  }
  for (const [what, args] of Object.entries(odd)) {
    calls.length = 0
    await Promise.all([keep.append(event(1)), keep.append(...args), keep.append(event(3))])
    assert.deepEqual(calls.map((burst) => [burst.pack?.more, burst.length]), [[0, 1], [undefined, 1], [0, 1]], what)
  }
})

test('a pack is as large as a segment at the most', { skip }, async (t) => {
  const { keep, calls } = await opened(t)
  await Promise.all(Array.from({ length: 1201 }, (_, n) => keep.append(event(n))))
  assert.deepEqual(calls.map((burst) => [burst.length, burst.pack.more]), [[500, 1], [500, 1], [201, 0]], 'and the module waits for the last')
  calls.length = 0
  await Promise.all(Array.from({ length: 5 }, (_, n) => keep.append(event(n, 'あ'.repeat(130000)))))
  assert.deepEqual(calls.map((burst) => burst.length), [2, 2, 1], 'by bytes, not by characters')
})

test('events of a pack may be answered one by one, and are told when the module is gone', { skip }, async (t) => {
  const disk = { pack(host, ticket) {
    queueMicrotask(() => host.answers(JSON.stringify([[ticket + 1, 1, 'STORAGE_FULL', 'no room'], [ticket, 0, '7.0', 'n', 9, 5]])))
    return true
  } }
  const { keep } = await opened(t, {}, '', disk)
  const [taken, refused] = await Promise.allSettled([keep.append(event(1)), keep.append(event(2))])
  assert.deepEqual(taken.value, { id: '7.0', noteId: 'n', bytes: 9, at: 5 })
  assert.equal(refused.reason.code, 'STORAGE_FULL')
  disk.pack = () => true // never answered
  const lost = keep.append(event(3))
  await settled()
  const burst = keep.append(event(4))
  keep.close()
  for (const append of [lost, burst]) await assert.rejects(append, (e) => e.code === 'CLOSED')
})

test('of the packs on disk the newest texts stay, for the page that is left', { skip }, async (t) => {
  const disk = {}
  const { keep } = await opened(t, {}, '', disk)
  let packs
  const tickets = []
  disk.pack = (host, ticket) => {
    packs = host.packs
    tickets.push(ticket)
    packs.record(ticket, 1, 0)
    queueMicrotask(() => host.packed(ticket, 1))
    return true
  }
  for (let n = 0; n < 10; n++) await keep.append(event(n, 'x'.repeat(20000)))
  assert.deepEqual(tickets.map((ticket) => packs.text(ticket, 0) !== null), [...Array(6).fill(false), ...Array(4).fill(true)])
  assert.equal(packs.size, 0)
})

test('L8.2: looking at every 13th character finds what looking at each finds', async () => {
  const { cardLike } = await import('../src/check.js')
  const { holdsCard } = await import('../src/plain.js')
  let seed = 12345
  const below = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
  const letters = '0123456789012345678901234567890123456789４１\u3000- －\u2013\t\u00a0a"'
  let found = 0
  for (let n = 0; n < 20000; n++) {
    const text = 'x'.repeat(below(20)) + Array.from({ length: 10 + below(40) }, () => letters[below(letters.length)]).join('') + 'x'.repeat(below(20))
    assert.equal(holdsCard(text), cardLike(text), JSON.stringify(text))
    found += holdsCard(text)
  }
  assert.ok(found > 1000 && found < 19000, `both are seen: ${found}`)
})

test('L13.6: ledger.export gives json, ndjson and csv', { skip }, async (t) => {
  const rows = '{"at":0,"kind":"attempt","status":429}\n{"at":1,"kind":"purged"}\n'
  const { keep } = await opened(t, {}, rows)
  for (const [format, type, want] of [
    [undefined, 'application/json', `[${rows.trim().replace('\n', ',\n')}]`],
    ['json', 'application/json', `[${rows.trim().replace('\n', ',\n')}]`],
    ['ndjson', 'application/x-ndjson', rows],
    ['csv', 'text/csv;charset=utf-8', /^at,kind,.*\r\n1970-01-01T00:00:00\.000Z,attempt,.*,429,.*\r\n1970-01-01T00:00:00\.001Z,purged,.*\r\n$/],
  ]) {
    const blob = await keep.ledger.export({ format })
    assert.equal(blob.type, type)
    if (want instanceof RegExp) assert.match(await blob.text(), want)
    else assert.equal(await blob.text(), want)
  }
  await assert.rejects(keep.ledger.export({ format: 'xlsx' }), (e) => e.code === 'INVALID_EVENT' && /json, ndjson and csv, not xlsx/.test(e.message))
})

test('L1.2: an audit of a span, or while notes are being delivered, cries no wolf', { skip }, async (t) => {
  const row = (n, at) => ({ n, at, kind: 'attempt', attempt: 1, notes: [{ id: `${n + 1}.0`, noteId: 'n' }] })
  for (const [what, span, then] of [
    ['all of it', {}],
    ['since yesterday', { from: new Date(2500) }],
    ['until yesterday', { to: new Date(2500) }],
    ['a batch is settled while it reads', {}, (disk) => {
      disk.open = [6]
      disk.settled.push(row(4, 5000))
      disk.then = null
    }],
  ]) await t.test(what, async (t) => {
    const disk = { open: [5, 6], settled: [row(0, 1000), row(1, 2000), row(2, 3000), row(3, 4000)] }
    if (then) disk.then = () => then(disk)
    const { keep } = await opened(t, {}, '', disk)
    const { missing, missingRate, longestGap } = await keep.ledger.audit(span)
    assert.deepEqual({ missing, missingRate, longestGap }, { missing: 0, missingRate: 0, longestGap: 0 })
  })
})

test('media cross over beside their event, and what is appended meanwhile stays behind it', { skip }, async (t) => {
  const { keep, calls } = await opened(t)
  const blob = new Blob(['voice'], { type: 'audio/mp4' })
  const page = { ...event(1), media: [{ name: 'memo.m4a', blob }] }
  await Promise.all([keep.append(page, { key: 'a' }), keep.append(event(2), { key: 'b' }), keep.append({ ...event(3), media: [] }, { key: 'c' })])
  const crossed = calls.flat()
  assert.deepEqual(crossed.map(({ key }) => key), ['a', 'b', 'c'])
  assert.deepEqual(crossed[0].event, event(1), 'the text holds no media')
  assert.equal(crossed[0].media[0].blob, blob)
  assert.equal(crossed[0].media[0].bytes, 5)
  assert.equal(crossed[1].media, undefined)
  assert.equal(crossed[2].media, undefined)
  assert.equal(page.media.length, 1, "the page's own event is untouched")
  await assert.rejects(keep.append({ ...event(4), media: ['memo'] }), { code: 'INVALID_EVENT' })
  await keep.append(event(5))
  assert.deepEqual(calls.flat().at(-1).event, event(5), 'a refused one holds nobody up')
})
