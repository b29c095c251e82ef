// The tables of functions as columns, and the function that makes tables of them when the module is instantiated, before
// any Go runs. The numbers of a function lie side by side in memory; of the wire, where numbers of one kind compress far
// better beside each other, and those that follow from others need not be sent, they are a tenth.
//
// The stream, all numbers as LEB128:
//
//	shapes   of each function 4 bytes: npcdata, funcID, flag, nfuncdata
//	columns  one after the other, of each function that has it: args · deferreturn · pcsp · pcdata 0, 1, … · funcdata 0, 1, …
//
// Offsets into pctab (pcsp, pcdata): 0 none, 1 the table behind the one that was new before (pctab is in the order of the
// stream), else the offset + 1. funcdata: 0 none, else the offset + 1.
//
// Not in the stream: functab, findfunctab, entry and name follow from a function's number. The name is NAME_START and the
// number as four hexadecimal digits; its dot makes the runtime show it in a stack trace (runtime.showfuncinfo).
import { sleb, uleb } from './module.mjs'
import { ARGS, BUCKET, DEFERRETURN, ENTRY, FLAG, ID, NAME, NFUNCDATA, NONE, NPCDATA, PCSP, endOfTable, stride } from './tables.mjs'

export const NAME_START = 'keep.'
const NAME_BYTES = NAME_START.length + 5 // four digits and a zero

/**
 * Returns {sent, made, stream}: the memory as it is sent, as it is once the start function has run, and where the stream
 * lies. memory is as Go's linker made it.
 */
export function toColumns(memory, tables) {
  const { functions, names, pctab, functab } = tables
  if (functions.length > 0xffff) throw new Error(`${functions.length} functions: more than names of four digits`)
  const made = memory.slice()
  const view = new DataView(made.buffer)
  const out = []
  for (const { at } of functions) out.push(made[at + NPCDATA], made[at + ID], made[at + FLAG], made[at + NFUNCDATA])
  made.fill(0, names, functab)
  const moved = new Map() // where a table of pctab is now
  let next = 1
  for (const column of columnsOf(functions)) {
    for (const f of functions) {
      const p = column.place(f)
      if (p === undefined) continue
      const value = view.getUint32(p, true)
      if (!column.isTable) {
        out.push(...uleb(column.plus ? (value + 1) % 2 ** 32 : value))
      } else if (value === 0) {
        out.push(0)
      } else if (moved.has(value)) {
        out.push(...uleb(moved.get(value) + 1))
        view.setUint32(p, moved.get(value), true)
      } else {
        const table = memory.subarray(pctab + value, endOfTable(memory, pctab + value))
        made.set(table, pctab + next)
        moved.set(value, next)
        out.push(1)
        view.setUint32(p, next, true)
        next += table.length
      }
    }
  }
  functions.forEach(({ at }, i) => {
    view.setUint32(at + NAME, NAME_BYTES * i, true)
    made.set(Buffer.from(nameOf(i)), names + NAME_BYTES * i)
  })
  const stream = names + NAME_BYTES * functions.length // the names were longer
  if (stream + out.length > pctab) throw new Error(`${out.length} bytes of columns have no room`)
  made.set(out, stream)
  const sent = made.slice()
  sent.fill(0, names, stream)
  sent.fill(0, functab, functab + 8 * functions.length)
  sent.fill(0, tables.buckets, tables.buckets + BUCKET * tables.perFunction * (functions.length - 1))
  const last = functions.at(-1)
  sent.fill(0, functions[0].at, last.at + stride(last.pcdata.length, last.funcdata.length))
  return { sent, made, stream }
}

export const nameOf = (i) => NAME_START + i.toString(16).padStart(4, '0')

/** Each column with the place of a function's number in it, or undefined; wasm is the same place as code. */
function columnsOf(functions) {
  const most = (list) => Math.max(...functions.map((f) => f[list].length))
  const fixed = (offset, more) => ({ place: (f) => f.at + offset, offset, ...more })
  const listed = (list, more) => Array.from({ length: most(list) }, (_, k) => ({ place: (f) => f[list][k], list, k, ...more }))
  return [fixed(ARGS), fixed(DEFERRETURN), fixed(PCSP, { isTable: true }),
    ...listed('pcdata', { isTable: true }), ...listed('funcdata', { plus: true })]
}

// ---- the start function ---------------------------------------------------------

const LOCALS = ['i', 'f', 'stream', 'value', 'shift', 'next', 'p', 'byte', 'digit']
const get = (name) => [0x20, LOCALS.indexOf(name)]
const set = (name, value) => [...value, 0x21, LOCALS.indexOf(name)]
const con = (n) => [0x41, ...sleb(n)]
const op = (code) => (a, b) => [...a, ...b, code]
const [add, and, or, shl, shr, mul, lt, gt] = [0x6a, 0x71, 0x72, 0x74, 0x76, 0x6c, 0x49, 0x4b].map(op)
const sub = op(0x6b)
const not = (value) => [...value, 0x45]
const load8 = (at, offset = 0) => [...at, 0x2d, 0, ...uleb(offset)]
const load32 = (at, offset) => [...at, 0x28, 2, ...uleb(offset)]
const store8 = (at, offset, value) => [...at, ...value, 0x3a, 0, ...uleb(offset)]
const store32 = (at, offset, value) => [...at, ...value, 0x36, 2, ...uleb(offset)]
const loop = (body, again) => [0x03, 0x40, ...body, ...again, 0x0d, 0, 0x0b] // at least once
const when = (is, then, otherwise = []) => [...is, 0x04, 0x40, ...then, 0x05, ...otherwise, 0x0b]
const more = (name, n) => set(name, add(get(name), con(n)))

/** Returns {locals, body} for addStart. */
export function startFunction(tables, stream) {
  const { functions, pctab } = tables
  const each = (body) => [
    ...set('i', con(0)), ...set('f', con(functions[0].at)),
    ...loop([...body, ...set('f', add(get('f'), strideCode)), ...more('i', 1)], lt(get('i'), con(functions.length))),
  ]
  const body = [
    ...set('stream', con(stream)), ...set('next', con(1)),
    ...each(shape(tables)),
    ...columnsOf(functions).flatMap((column) => each(column.list === undefined
      ? [...readNumber, ...store32(get('f'), column.offset, number(column, pctab))]
      : when(lt(con(column.k), count(column.list)),
        [...readNumber, ...store32(listCode(column), 0, number(column, pctab))]))),
  ]
  return { locals: LOCALS.length, body }
}

const npcdata = load32(get('f'), NPCDATA)
const nfuncdata = load8(get('f'), NFUNCDATA)
const count = (list) => list === 'pcdata' ? npcdata : nfuncdata
const strideCode = and(add(shl(add(npcdata, nfuncdata), con(2)), con(44 + 7)), [0x41, 0x78]) // -8

/** Where the k-th of a list is. */
function listCode({ list, k }) {
  const start = add(get('f'), con(44 + 4 * k))
  return list === 'pcdata' ? start : add(start, shl(npcdata, con(2)))
}

/** Sets value. */
const readNumber = [
  ...set('value', con(0)), ...set('shift', con(0)),
  ...loop([
    ...set('byte', load8(get('stream'))), ...more('stream', 1),
    ...set('value', or(get('value'), shl(and(get('byte'), con(0x7f)), get('shift')))), ...more('shift', 7),
  ], gt(get('byte'), con(0x7f))),
]

/** What the number in value stands for, as an expression behind statements that find it. */
function number({ isTable, plus }, pctab) {
  if (plus) return sub(get('value'), con(1))
  if (!isTable) return get('value')
  return [...when(not(sub(get('value'), con(1))), [
    ...set('value', get('next')),
    ...set('p', add(get('next'), con(pctab))),
    ...loop([...varint, ...varint], load8(get('p'))),
    ...set('next', sub(get('p'), con(pctab - 1))),
  ], when(get('value'), set('value', sub(get('value'), con(1))))), ...get('value')]
}

/** Moves p past a varint. */
const varint = loop([...set('byte', load8(get('p'))), ...more('p', 1)], gt(get('byte'), con(0x7f)))

/** What follows from a function's number, and its shape from the stream. */
function shape({ functions, functab, names, entry, buckets, perFunction }) {
  const name = mul(get('i'), con(NAME_BYTES))
  const times = (n) => mul(get('i'), con(n))
  return [
    ...store32(times(8), functab, add(get('i'), con(entry))),
    ...store32(times(8), functab + 4, sub(get('f'), con(functab))),
    ...store32(get('f'), ENTRY, add(get('i'), con(entry))),
    ...store32(get('f'), NAME, name),
    ...store32(get('f'), NPCDATA, load8(get('stream'), 0)),
    ...[ID, FLAG, NFUNCDATA].flatMap((offset, k) => store8(get('f'), offset, load8(get('stream'), k + 1))),
    ...more('stream', 4),
    ...[...NAME_START].flatMap((letter, k) => store8(name, names + k, con(letter.charCodeAt(0)))),
    ...[0, 1, 2, 3].flatMap((k) => [
      ...set('digit', and(shr(get('i'), con(12 - 4 * k)), con(15))),
      ...store8(name, names + NAME_START.length + k, add(add(get('digit'), con(48)), mul(gt(get('digit'), con(9)), con(39)))),
    ]),
    ...when(lt(get('i'), con(functions.length - 1)), // the buckets of the last are sent
      Array.from({ length: perFunction }, (_, k) => store32(times(BUCKET * perFunction), buckets + BUCKET * k, get('i'))).flat()),
  ]
}
