// Makes a Go wasm module smaller over the wire without touching its code:
//
//	node wasm/slim.mjs FROM.wasm TO.wasm
//
// 1. What only stack traces read goes. Go keeps a table of functions (runtime/symtab.go, type _func) with offsets into one
// table of bytes: pcsp and the stack maps are needed to run; pcfile, pcln, startLine and cuOffset say positions, one
// table how arguments are printed, one where a signal may interrupt, and there are no signals here. Their offsets become
// "none", and the bytes that nothing else refers to become zeros, which compress to nothing. Nothing moves.
//
// 2. The linker leaves out every eight zeros or more and so makes 60,000 data segments, whose headers are a tenth of the
// compressed module. They become as few as there are gaps worth a segment.
//
// Another Go may lay its tables out in another way. What is not as described here ends the build.
import { readFileSync, writeFileSync } from 'node:fs'

const MAGIC = 0xfffffff1 // abi.CurrentPCLnTabMagic, since Go 1.20
const NONE = 0xffffffff // a funcdata that is not there
const GAP = 4096 // zeros that are worth a segment of their own
// internal/abi/symtab.go
const PCDATA_UNSAFE_POINT = 0
const FUNCDATA_ARG_INFO = 5

const [from, to] = process.argv.slice(2)
const wasm = readFileSync(from)
const sections = readSections(wasm)
const memory = readData(wasm, sections)
const view = new DataView(memory.buffer)
const tables = findTables()
const zeroed = forgetTraces()
const made = Buffer.concat(sections.flatMap(({ id, body }) => section(id, id === 11 ? dataSection() : body)))
writeFileSync(to, Buffer.concat([wasm.subarray(0, 8), made]))
console.error(`${tables.functions.length} functions, ${zeroed} bytes that only traces read, ${wasm.length} → ${made.length + 8} bytes`)

// ---- the table of functions -------------------------------------------------

/** Where runtime.pcHeader says that its tables are, as addresses; and of each function where its _func and its lists are. */
function findTables() {
  let header = -1
  for (let p = 0; p + 72 < memory.length && header < 0; p += 8) {
    if (view.getUint32(p, true) === MAGIC && memory[p + 4] === 0 && memory[p + 5] === 0 && memory[p + 6] === 1 && memory[p + 7] === 8) header = p
  }
  if (header < 0) throw new Error(`${from}: no table of functions with magic ${MAGIC.toString(16)}: built by another Go?`)
  const field = (i) => Number(view.getBigUint64(header + 8 + 8 * i, true))
  const [count, , , names, units, , pctab, functab] = Array.from({ length: 8 }, (_, i) => i < 3 ? field(i) : header + field(i))
  const functions = Array.from({ length: count }, (_, i) => {
    const at = functab + view.getUint32(functab + 8 * i + 4, true)
    const pcdata = view.getUint32(at + 28, true)
    if (pcdata > 16) throw new Error(`${from}: function ${i} claims ${pcdata} tables: not the layout this tool knows`)
    const list = (start, n) => Array.from({ length: n }, (_, k) => start + 4 * k)
    return { at, pcdata: list(at + 44, pcdata), funcdata: list(at + 44 + 4 * pcdata, memory[at + 43]) }
  })
  return { functions, names, units, pctab, functab, gofunc: goFunc(header, names) }
}

/** moduledata.gofunc, where funcdata is counted from: moduledata begins with the addresses of pcHeader and funcnametab. */
function goFunc(header, names) {
  for (let p = 0; p + 8 * 42 < memory.length; p += 8) {
    if (view.getUint32(p, true) === header && view.getUint32(p + 4, true) === 0 && view.getUint32(p + 8, true) === names) {
      return Number(view.getBigUint64(p + 8 * 40, true))
    }
  }
  throw new Error(`${from}: no moduledata: built by another Go?`)
}

/** Returns how many bytes became zero. */
function forgetTraces() {
  const { functions, units, pctab, gofunc } = tables
  const kept = new Set([0])
  const dropped = new Set()
  const drop = (at) => {
    dropped.add(view.getUint32(at, true))
    view.setUint32(at, 0, true)
  }
  const blobs = { kept: new Set(), dropped: new Set() }
  for (const { at, pcdata, funcdata } of functions) {
    kept.add(view.getUint32(at + 16, true)) // pcsp
    for (const offset of [20, 24]) drop(at + offset) // pcfile, pcln
    view.setBigUint64(at + 32, 0n, true) // cuOffset, startLine
    pcdata.forEach((p, k) => k === PCDATA_UNSAFE_POINT ? drop(p) : kept.add(view.getUint32(p, true)))
    funcdata.forEach((p, k) => {
      const offset = view.getUint32(p, true)
      if (offset === NONE) return
      blobs[k === FUNCDATA_ARG_INFO ? 'dropped' : 'kept'].add(offset)
      if (k === FUNCDATA_ARG_INFO) view.setUint32(p, NONE, true)
    })
  }
  let zeroed = pctab - units
  memory.fill(0, units, pctab) // cutab and filetab, reached through pcfile only
  for (const offset of dropped) {
    if (kept.has(offset)) continue
    let p = pctab + offset
    while (memory[p] !== 0) { // pairs of varints, ended by a zero value
      for (let n = 0; n < 2; n++) {
        while (memory[p] & 0x80) { memory[p++] = 0; zeroed++ }
        memory[p++] = 0
        zeroed++
      }
    }
  }
  for (const offset of blobs.dropped) { // how arguments are printed: bytes up to 0xff
    if (blobs.kept.has(offset)) continue
    let p = gofunc + offset
    for (; memory[p] !== 0xff; p++, zeroed++) {
      if (p > gofunc + offset && blobs.kept.has(p - gofunc)) fail(`the description of arguments at ${offset} has no end`)
      memory[p] = 0
    }
    memory[p] = 0
  }
  return zeroed
}

function fail(what) {
  throw new Error(`${from}: ${what}: not the layout this tool knows`)
}

// ---- the module's parts ------------------------------------------------------

function readSections(bytes) {
  const sections = []
  for (let p = 8; p < bytes.length;) {
    const [size, start] = uleb(bytes, p + 1)
    sections.push({ id: bytes[p], body: bytes.subarray(start, start + size) })
    p = start + size
  }
  return sections
}

/** The linear memory as the data section makes it. */
function readData(bytes, sections) {
  const data = sections.find(({ id }) => id === 11)?.body ?? fail('no data section')
  const segments = []
  let [count, p] = uleb(data, 0)
  while (count-- > 0) {
    if (data[p] !== 0 || data[p + 1] !== 0x41) fail('a data segment without a constant address')
    const [address, end] = uleb(data, p + 2) // signed, but below 2³¹ and so with the same digits
    if (data[end] !== 0x0b) fail('a data segment without a constant address')
    const [length, start] = uleb(data, end + 1)
    segments.push({ address, bytes: data.subarray(start, start + length) })
    p = start + length
  }
  const memory = new Uint8Array(Math.max(...segments.map((s) => s.address + s.bytes.length)))
  for (const s of segments) memory.set(s.bytes, s.address)
  return memory
}

/** The memory as segments with no more than GAP zeros in a row. */
function dataSection() {
  const segments = []
  let zeros = Infinity
  for (let p = 0; p < memory.length; p++) {
    if (memory[p] === 0) {
      zeros++
      continue
    }
    if (zeros > GAP) segments.push({ start: p })
    segments.at(-1).end = p + 1
    zeros = 0
  }
  return Buffer.concat([toUleb(segments.length), ...segments.flatMap(({ start, end }) =>
    [Buffer.from([0, 0x41]), toSleb(start), Buffer.from([0x0b]), toUleb(end - start), memory.subarray(start, end)])])
}

function section(id, body) {
  return [Buffer.from([id]), toUleb(body.length), body]
}

/** Returns the number at p and where it ends. */
function uleb(bytes, p) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[p++]
    value += (byte & 0x7f) * 2 ** shift
    if (!(byte & 0x80)) return [value, p]
  }
}

function toUleb(value) {
  const out = []
  for (; value > 0x7f; value = Math.floor(value / 128)) out.push(value & 0x7f | 0x80)
  return Buffer.from([...out, value])
}

/** Of a number from 0. */
function toSleb(value) {
  const out = [...toUleb(value)]
  if (out.at(-1) & 0x40) out.splice(-1, 1, out.at(-1) | 0x80, 0)
  return Buffer.from(out)
}
