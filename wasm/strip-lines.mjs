// Takes the line tables out of a Go wasm module: which source line an instruction came from is only for stack traces, and
// is a seventh of the compressed module. Names of functions stay, so a trace still says where.
//
// Go keeps, for each function, offsets into one table of bytes (runtime/symtab.go, type _func): pcsp and pcdata are needed
// to run, pcfile and pcln only for positions; the offset 0 means "unknown" (runtime.pcvalue). So the two offsets become 0,
// and the bytes that nothing else refers to become zeros, which compress to nothing. Nothing moves.
import { readFileSync, writeFileSync } from 'node:fs'

const MAGIC = 0xfffffff1 // since Go 1.20; another one means another layout, and is refused

const [from, to] = process.argv.slice(2)
const wasm = readFileSync(from)
const segments = dataSegments(wasm)
const memory = new Uint8Array(Math.max(...segments.map((s) => s.address + s.length)))
for (const s of segments) memory.set(wasm.subarray(s.at, s.at + s.length), s.address)
const view = new DataView(memory.buffer)

const header = findHeader()
const field = (i) => Number(view.getBigUint64(header + 8 + 8 * i, true))
const [nfunc, , , , files, , pctab, functab] = Array.from({ length: 8 }, (_, i) => field(i))
const kept = new Set([0])
const dropped = new Set()
for (let i = 0; i < nfunc; i++) {
  const f = header + functab + view.getUint32(header + functab + 8 * i + 4, true)
  kept.add(view.getUint32(f + 16, true)) // pcsp
  const npcdata = view.getUint32(f + 28, true)
  if (npcdata > 16) throw new Error(`${from}: function ${i} claims ${npcdata} tables: not the layout this tool knows`)
  for (let d = 0; d < npcdata; d++) kept.add(view.getUint32(f + 44 + 4 * d, true))
  for (const offset of [20, 24]) { // pcfile, pcln
    dropped.add(view.getUint32(f + offset, true))
    view.setUint32(f + offset, 0, true)
  }
}
let zeroed = pctab - files
memory.fill(0, header + files, header + pctab) // names of source files, reached through pcfile only
for (const offset of dropped) {
  if (kept.has(offset)) continue
  let p = header + pctab + offset
  while (memory[p] !== 0) { // pairs of varints, ended by a zero value
    for (let n = 0; n < 2; n++) {
      while (memory[p] & 0x80) { memory[p++] = 0; zeroed++ }
      memory[p++] = 0
      zeroed++
    }
  }
}
for (const s of segments) wasm.set(memory.subarray(s.address, s.address + s.length), s.at)
writeFileSync(to, wasm)
console.error(`${nfunc} functions, ${zeroed} bytes of line tables`)

function findHeader() {
  for (let p = 0; p + 72 < memory.length; p += 8) {
    if (view.getUint32(p, true) === MAGIC && memory[p + 4] === 0 && memory[p + 5] === 0 && memory[p + 6] === 1 && memory[p + 7] === 8) return p
  }
  throw new Error(`${from}: no table of functions with magic ${MAGIC.toString(16)}: built by another Go?`)
}

function dataSegments(b) {
  let p = 8
  const leb = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = b[p++]
      value += (byte & 0x7f) * 2 ** shift
      if (!(byte & 0x80)) return value
    }
  }
  while (p < b.length) {
    const id = b[p++]
    const size = leb()
    if (id !== 11) {
      p += size
      continue
    }
    return Array.from({ length: leb() }, () => {
      leb() // memory 0
      if (b[p++] !== 0x41) throw new Error(`${from}: a data segment without a constant address`)
      const address = leb()
      if (b[p++] !== 0x0b) throw new Error(`${from}: a data segment without a constant address`)
      const length = leb()
      const at = p
      p += length
      return { address, length, at }
    })
  }
  throw new Error(`${from}: no data section`)
}
