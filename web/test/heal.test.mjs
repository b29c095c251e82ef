// What becomes of the page's calls when the connection to the database is lost, over a module that opens it as it is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { built, emptyModule, fakeClock, fakeGo, load, stub } from './fakes.mjs'

const { lineKeep, openKeep } = await load('index.js')
const skip = !built && 'needs ./build.sh build: wasm_exec.mjs is made there'
const event = { messages: [{ text: 'x' }] }

// disk: {answers: whether an append is acknowledged, lead: code of a claim that fails}; log names the calls that open and close.
async function opened(t, disk) {
  const log = []
  let host
  const answer = (...a) => queueMicrotask(() => host.answers(JSON.stringify([a])))
  stub(t, 'BroadcastChannel', undefined)
  const clock = fakeClock(t)
  fakeGo(t, ({ ready }) => ready({ abi: 4, open(given) {
    host = given
    log.push('open')
    queueMicrotask(() => host.opened())
    return {
      pack(first) { disk.pending = first; if (disk.answers) answer(first, 0, '1.0', 'n', 9, 5) },
      flush: (ticket) => answer(ticket, 2, {}),
      lead: (ticket) => (disk.lead ? answer(ticket, 1, disk.lead, 'no room for a lease') : answer(ticket, 2, true)),
      reopen() { log.push('reopen'); queueMicrotask(() => host.opened()) },
      close() { log.push('close') },
      resign() {}, suspend() {}, status: () => '{}',
    }
  } }))
  const keep = await openKeep({ destination: lineKeep({ baseURL: 'http://127.0.0.1:8787' }), token: () => 't', wasm: emptyModule() })
  t.after(() => keep.close())
  return { keep, log, clock, lose: () => host.lost('connection'), tell: answer }
}

const alarms = (keep) => (keep.status().alarms ?? []).map(({ code }) => code)

test('an append that waits when the connection is lost is answered after the heal', { skip }, async (t) => {
  const disk = { answers: false }
  const { keep, log, clock, lose, tell } = await opened(t, disk)
  const receipt = keep.append(event)
  await clock.pass(0)
  lose()
  await clock.pass(250)
  assert.deepEqual(log, ['open', 'reopen'])
  tell(disk.pending, 0, '1.0', 'n', 9, 5)
  assert.equal((await receipt).id, '1.0')
  assert.equal(keep.status().storage.reopened, 1)
  assert.deepEqual(alarms(keep), [])
})

test('invariant 10, 11: after three heals without a success an alarm shows, and the next call opens again', { skip }, async (t) => {
  const disk = { answers: false }
  const { keep, log, clock, lose } = await opened(t, disk)
  const waits = assert.rejects(keep.append(event), ({ code, message }) => code === 'STORAGE_UNAVAILABLE' && message.includes('may be'))
  await clock.pass(0)
  for (const ms of [250, 500, 750]) {
    lose()
    await clock.pass(ms)
  }
  assert.deepEqual(log, ['open', 'reopen', 'reopen', 'reopen'])
  lose()
  await waits
  await clock.pass(60000)
  assert.deepEqual(log.slice(4), ['close'], 'nothing is tried by itself any more')
  assert.deepEqual(alarms(keep), ['STORAGE_FAILED'])
  disk.answers = true
  assert.equal((await keep.append(event)).id, '1.0')
  assert.deepEqual(log.slice(5), ['open'])
  assert.deepEqual(alarms(keep), [])
  lose()
  await clock.pass(250)
  assert.equal(log.at(-1), 'reopen', 'a success gives three heals back')
})

test('a device without room for a lease: flush says so at once, and goes when there is room', { skip }, async (t) => {
  const disk = { answers: true, lead: 'STORAGE_FULL' }
  const { keep } = await opened(t, disk)
  await assert.rejects(keep.flush(), { code: 'STORAGE_FULL' })
  assert.deepEqual(alarms(keep), ['STORAGE_FAILED'])
  disk.lead = null
  assert.deepEqual(await keep.flush(), {})
  assert.deepEqual(alarms(keep), [])
})
