import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './fakes.mjs'

const { toCSV } = await load('ledger.js')
const head = 'at,kind,api,channelId,userId,batch,attempt,status,quota_remaining,request_id,via,events,messages,bytes,note,noteIds,sha256,dead\r\n'
const table = (...rows) => toCSV(rows.map((row) => `${JSON.stringify({ at: 0, ...row })}\n`).join(''))
const column = (name, row) => {
  const [, line] = table(row).split('\r\n')
  return line.split(',')[head.trim().split(',').indexOf(name)]
}

test('L13.6: one line a row, everything that support asks for', () => {
  assert.equal(table({
    at: Date.UTC(2026, 5, 30, 12, 0, 0, 7), kind: 'attempt', api: 'keep', channelId: '1650000001', userId: 'U1', batch: 'b-3', attempt: 2,
    status: 202, quota_remaining: 0, request_id: 'r-9', via: 'relay', events: 2, messages: 5, bytes: 321,
    notes: [{ id: '1.0', noteId: 'n1', sha256: 'aa' }, { id: '1.1', noteId: 'n2', sha256: 'bb' }],
  }), `${head}2026-06-30T12:00:00.007Z,attempt,keep,1650000001,U1,b-3,2,202,0,r-9,relay,2,5,321,,n1 n2,aa bb,\r\n`)
})

test('L6.1: an unknown quota is empty, not 0; no answer is status 0', () => {
  assert.equal(column('quota_remaining', { status: 0 }), '')
  assert.equal(column('quota_remaining', { quota_remaining: 0 }), '0')
  assert.equal(column('status', { status: 0 }), '0')
})

test('L7.3: ids and hashes stand at the same place of their lists', () => {
  const notes = [{ noteId: 'a', sha256: '1' }, { noteId: 'b' }, { noteId: 'c', sha256: '3' }]
  assert.equal(column('noteIds', { notes }), 'a b c')
  assert.equal(column('sha256', { notes }), '1 unknown 3')
  assert.equal(column('sha256', { notes: [{ noteId: 'b' }] }), '')
  assert.equal(column('dead', { kind: 'discarded', dead: ['1.0', '1.4'] }), '1.0 1.4')
})

test('an empty ledger is the line of names', () => {
  assert.equal(toCSV(''), head)
})

test('RFC 4180: commas, quotes and line ends are quoted', () => {
  for (const [note, want] of [
    ['plain 日本', 'plain 日本'],
    ['a,b', '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
  ]) {
    const text = table({ note })
    assert.ok(text.endsWith(`,${want},,,\r\n`), `${JSON.stringify(note)} → ${JSON.stringify(text)}`)
  }
})

test('L13.6: a text that a spreadsheet would run is defused', () => {
  for (const [userId, want] of [
    ['=1+1', "'=1+1"],
    ['+81', "'+81"],
    ['-2', "'-2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['＝1', "'＝1"],
    ['a=1', 'a=1'],
    ['U1-2', 'U1-2'],
  ]) {
    assert.equal(column('userId', { userId }), want)
  }
  assert.ok(table({ note: '=HYPERLINK("x","y")' }).includes(`,"'=HYPERLINK(""x"",""y"")",`))
  assert.equal(column('noteIds', { notes: [{ noteId: '=1' }, { noteId: 'b' }] }), "'=1 b")
  assert.equal(column('bytes', { bytes: -1 }), '-1', 'a number is no formula')
})
