// An auditor's two questions (L1.2, L1.3): is anything missing, and was the ledger touched? Chains are made here with node's own
// crypto, as outbox/ledger.go says: sha256 of the link before, a line feed, and the row without its own.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { load, stub } from './fakes.mjs'

const { audit } = await load('audit.js')
const sent = (...ids) => ({ kind: 'attempt', attempt: 1, status: 200, notes: ids.map((id) => ({ id, noteId: `n-${id}` })) })

// ledger makes the lines of rows, numbered from `from` on; a purge begins a new chain.
function ledger(rows, { from = 0, chained = true } = {}) {
  let link = ''
  return rows.map((row, i) => {
    const bare = JSON.stringify({ n: from + i, at: 1000 * i, ...row })
    if (!chained || row.kind === 'purged') {
      link = ''
      return bare
    }
    link = createHash('sha256').update(`${link}\n${bare}`).digest('hex')
    return `${bare.slice(0, -1)},"chain":"${link}"}`
  })
}

const ask = (lines, holdings = [], status = {}, span) => audit(lines.map((line) => `${line}\n`).join(''), holdings, status, span)
const five = () => ledger([sent('1.0'), sent('2.0', '2.1'), { kind: 'attempt', attempt: 1, status: 429 }, sent('3.0'), sent('4.0')])

test('L1.2: an untouched ledger with nothing missing', async () => {
  assert.deepEqual(await ask(five(), [], { delivered: 5 }), {
    accepted: 5, delivered: 5, pending: 0, parked: 0, dead: 0, missing: 0, missingRate: 0, longestGap: 0,
    chain: { ok: true, rows: 5, brokenAt: null },
  })
  assert.deepEqual(await ask([]), {
    accepted: 0, delivered: 0, pending: 0, parked: 0, dead: 0, missing: 0, missingRate: 0, longestGap: 0,
    chain: { ok: null, rows: 0, brokenAt: null },
  }, 'a new outbox')
})

test('accepted = delivered + pending + parked + dead', async () => {
  const { accepted, delivered, pending, parked, dead } = await ask([], [], { delivered: 8, pending: 4, parked: 2, dead: 1, discarded: 7, sealed: 3, uncertain: 1 })
  assert.deepEqual([accepted, delivered, pending, parked, dead], [15, 8, 4, 2, 1])
})

test('L1.3: a ledger that was touched is broken at the row that does not follow', async () => {
  for (const [what, touch, brokenAt] of [
    ['nothing', (lines) => lines, null],
    ['a status was changed', (lines) => lines.with(2, lines[2].replace('429', '200')), 2],
    ['one character of a noteId', (lines) => lines.with(3, lines[3].replace('n-3.0', 'n-3.1')), 3],
    ['the first row', (lines) => lines.with(0, lines[0].replace('200', '201')), 0],
    ['the last row', (lines) => lines.with(4, lines[4].replace('200', '201')), 4],
    ['a link', (lines) => lines.with(1, lines[1].replace(/"chain":"./, '"chain":"x')), 1],
    ['a link was taken off', (lines) => lines.with(1, lines[1].replace(/,"chain":"\w+"/, '')), 1],
    ['a member after the link', (lines) => lines.with(1, lines[1].replace(/\}$/, ',"note":"x"}')), 1],
    ['a changed row with a link of its own', (lines) => {
      const forged = lines[2].replace('429', '200').replace(/,"chain":"\w+"/, '')
      const link = createHash('sha256').update(`${JSON.parse(lines[1]).chain}\n${forged}`).digest('hex')
      return lines.with(2, `${forged.slice(0, -1)},"chain":"${link}"}`)
    }, 3],
    ['a row was taken out', (lines) => lines.toSpliced(2, 1), 3],
    ['a row was taken out and the rest numbered anew', (lines) => [...lines.slice(0, 2), ...lines.slice(3).map((line, i) => line.replace(/"n":\d/, `"n":${2 + i}`))], 2],
    ['a row is there twice', (lines) => lines.toSpliced(2, 0, lines[2]), 2],
    ['two rows changed places', (lines) => lines.with(2, lines[3].replace('"n":3', '"n":2')).with(3, lines[2].replace('"n":2', '"n":3')), 2],
    ['a row was hidden behind a false purge', (lines) => lines.with(2, '{"n":2,"at":2000,"kind":"purged","events":0}'), 2],
    ['the last row became a purge', (lines) => lines.with(4, '{"n":4,"at":4000,"kind":"purged","events":0}'), 4],
    ['the first rows are gone with their 30 days (L9.5)', (lines) => lines.slice(2), null],
    ['all but the last', (lines) => lines.slice(4), null],
    ['the order of the lines, which is that of the clock', (lines) => lines.toReversed(), null],
  ]) {
    const { chain } = await ask(touch(five()))
    assert.deepEqual([chain.ok, chain.brokenAt], [brokenAt === null, brokenAt], what)
  }
})

test('after a purge a new chain begins; what follows is checked', async () => {
  const rows = [{ kind: 'purged', events: 3 }, sent('9.0'), sent('10.0')]
  assert.deepEqual((await ask(ledger(rows, { from: 7 }))).chain, { ok: true, rows: 3, brokenAt: null })
  const [purged, first, second] = ledger(rows, { from: 7 })
  assert.deepEqual((await ask([purged, first.replace('200', '201'), second])).chain, { ok: false, rows: 3, brokenAt: 8 })
  assert.deepEqual((await ask([purged, second])).chain, { ok: false, rows: 2, brokenAt: 9 })
})

test('a chain that cannot be checked is null, neither good nor bad', async (t) => {
  const plain = ledger([sent('1.0'), sent('2.0')], { chained: false })
  assert.deepEqual((await ask(plain)).chain, { ok: null, rows: 2, brokenAt: null }, 'written where crypto.subtle is missing (http)')
  const chained = five()
  stub(t, 'crypto', {})
  assert.deepEqual((await ask(chained)).chain, { ok: null, rows: 5, brokenAt: null }, 'read there')
})

test('L1.2: a number that neither the ledger nor the disk knows is missing', async () => {
  for (const [what, rows, holdings, missing, longestGap] of [
    ['none', [sent('1.0'), sent('2.0')], [], 0, 0],
    ['one', [sent('1.0'), sent('3.0')], [], 1, 1],
    ['two gaps', [sent('1.0'), sent('3.0', '8.0')], [], 5, 4],
    ['the longer gap first', [sent('1.0'), sent('6.0', '8.0')], [], 5, 4],
    ['still on disk', [sent('1.0'), sent('4.0')], [2, 3], 0, 0],
    ['one of two is still on disk', [sent('1.0'), sent('4.0')], [2], 1, 1],
    ['between the ledger and the disk', [sent('1.0')], [5], 3, 3],
    ['nothing sent yet', [], [1, 2, 4], 1, 1],
    ['numbers do not begin at 1 (a purge)', [sent('41.0'), sent('42.0')], [], 0, 0],
    ['holdings repeat themselves', [sent('1.0')], [2, 2, 3, 2], 0, 0],
    ['ten is after nine', [sent('9.0'), sent('10.0'), sent('11.0')], [], 0, 0],
    ['sent out of order', [sent('3.0'), sent('1.0'), sent('2.0')], [], 0, 0],
    ['L9.3: replaced within the debounce', [sent('1.0'), { ...sent('3.0'), replaced: ['2.0', '2.1'] }], [], 0, 0],
    ['replaced, and nothing sent', [sent('1.0'), { kind: 'replaced', replaced: ['2.0'] }, sent('3.0')], [], 0, 0],
    ['L7.2: written again as its next version', [sent('1.0'), { ...sent('3.0'), rewritten: ['2.7'] }], [], 0, 0],
    ['dead', [sent('1.0'), { kind: 'attempt', attempt: 1, status: 413, dead: ['2.0'] }, sent('3.0')], [], 0, 0],
    ['discarded by the page', [sent('1.0'), { kind: 'discarded', dead: ['2.0'] }, sent('3.0')], [], 0, 0],
    ['an attempt without an answer brings nothing', [sent('1.0'), { kind: 'attempt', status: 0 }, sent('3.0')], [], 1, 1],
  ]) {
    const answer = await ask(ledger(rows), holdings, { delivered: 9 })
    assert.deepEqual([answer.missing, answer.longestGap], [missing, longestGap], what)
    assert.equal(answer.missingRate, missing / (9 + missing), what)
    assert.notEqual(answer.chain.ok, false, what)
  }
})

test('L9.5: what is older than the ledger is not missing, though a dead letter of that time is still there', async () => {
  const answer = await ask(ledger([sent('50.0'), sent('51.0'), sent('53.0')], { from: 60 }), [3])
  assert.deepEqual([answer.missing, answer.longestGap], [1, 1], '52 alone: who knows of 4 to 49 had their rows deleted')
  const late = await ask(ledger([{ ...sent('3.0'), attempt: 4 }, sent('50.0'), sent('52.0')], { from: 60 }))
  assert.equal(late.missing, 1, 'nor when a parked note of that time was delivered since')
})

test('the rate is of all that was accepted, and of nothing it is 0', async () => {
  assert.equal((await ask(ledger([sent('1.0'), sent('3.0')]), [], { delivered: 2, pending: 1 })).missingRate, 0.25)
  assert.equal((await ask([])).missingRate, 0)
})

test('a row that is no JSON is told with the mend', async () => {
  await assert.rejects(ask([...five(), '{"n":5']), (e) => e.code === 'INTERNAL' && /ndjson/.test(e.message))
})

// Rows at 0, 1000, 2000 … as ledger() numbers them; 2, 5, 6 and 9 are missing, 10 is on disk.
test('a span is judged by itself, and spans side by side count every gap once', async () => {
  const lines = ledger([sent('1.0', '1.1'), sent('3.0'), { kind: 'attempt', attempt: 1, status: 0 }, sent('4.0'), sent('7.0', '8.0'), { ...sent('3.0'), attempt: 2 }])
  const status = { delivered: 99, pending: 1, parked: 2, dead: 3 }
  for (const [what, span, delivered, missing, longestGap] of [
    ['no span', undefined, 99, 4, 2],
    ['all of time', { from: 0, to: Number.MAX_SAFE_INTEGER }, 99, 4, 2],
    ['until after the last row: the disk is in it', { from: 1, to: 5001 }, 4, 4, 2],
    ['the first row', { from: 0, to: 1000 }, 2, 0, 0],
    ['the second: `from` is in, `to` is not', { from: 1000, to: 2000 }, 1, 1, 1],
    ['an attempt that brought nothing', { from: 2000, to: 3000 }, 0, 0, 0],
    ['nothing is missing before 4', { from: 3000, to: 4000 }, 1, 0, 0],
    ['before 7', { from: 4000, to: 5000 }, 2, 2, 2],
    ['the last row: 3 is of its first row, the disk of this one', { from: 5000, to: 6000 }, 1, 1, 1],
    ['the last row and all after it', { from: 5000 }, 1, 1, 1],
    ['after the last row', { from: 6000, to: 7000 }, 0, 0, 0],
    ['before everything', { from: -2000, to: -1000 }, 0, 0, 0],
  ]) {
    const answer = await ask(lines, [10], status, span)
    assert.deepEqual([answer.delivered, answer.missing, answer.longestGap], [delivered, missing, longestGap], what)
    assert.deepEqual([answer.pending, answer.parked, answer.dead], [1, 2, 3], `${what}: of now`)
    assert.equal(answer.accepted, delivered + 6, `${what}: the sum`)
    assert.equal(answer.missingRate, missing / (delivered + 6 + missing), what)
    assert.deepEqual(answer.chain, { ok: true, rows: 6, brokenAt: null }, `${what}: the whole chain`)
  }
  assert.equal((await ask([], [1, 3], {}, { from: 10, to: 20 })).missing, 1, 'no row yet: what is on disk is of every span')
})

test('a note that was sent again counts once in a span', async () => {
  const lines = ledger([sent('1.0'), { kind: 'resent', notes: [{ id: '1.0', noteId: 'n' }] }, { ...sent('1.0'), attempt: 1 }])
  assert.equal((await ask(lines, [], {}, { from: 0, to: 9000 })).delivered, 1)
  assert.equal((await ask(lines, [], {}, { from: 1000, to: 2000 })).delivered, 0, 'to be sent again is not delivered')
})
