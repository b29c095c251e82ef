// Makes a Go wasm module a fifth smaller over the wire without touching its code:
//
//	node wasm/slim/main.mjs FROM.wasm TO.wasm NAMES
//
// 1. What only stack traces read goes: of the table of functions (tables.mjs) where each instruction stands in which file,
// how arguments are printed, where a signal may interrupt (there are no signals here); and the names. A trace says
// keep.0a3f instead, and NAMES is a text with the name of function n in line n + 1.
//
// 2. What is left of the table is sent as columns, and a start function makes the table of them (start.mjs).
//
// 3. Go's linker leaves out every eight zeros or more and so makes 60,000 data segments, whose headers are a tenth of the
// compressed module. They become as few as there are gaps worth a segment.
//
// At the end the module is instantiated, and its memory compared with what it should be.
import { readFileSync, writeFileSync } from 'node:fs'
import { DATA, addStart, dataSection, readMemory, readSections, writeModule } from './module.mjs'
import { startFunction, toColumns } from './start.mjs'
import { LINE, NONE, PCFILE, PCLN, UNIT, findTables } from './tables.mjs'

const PCDATA_UNSAFE_POINT = 0, FUNCDATA_ARG_INFO = 5 // internal/abi/symtab.go
const BY_NAME = ['reflect.makeFuncStub', 'reflect.methodValueCall'] // the runtime knows these by name (runtime/stkframe.go)

const [from, to, namesTo] = process.argv.slice(2)
try {
  const { module, names } = slim(readFileSync(from))
  await proveTables(module)
  writeFileSync(to, module.bytes)
  writeFileSync(namesTo, names.join('\n') + '\n')
  console.error(`${names.length} functions, ${readFileSync(from).length} → ${module.bytes.length} bytes`)
} catch (e) {
  throw new Error(`${from} is not laid out as wasm/slim/ knows it (built by another Go?): ${e.message}`, { cause: e })
}

function slim(wasm) {
  const sections = readSections(wasm)
  const data = sections.find(({ id }) => id === DATA)
  const memory = readMemory(data.body)
  const tables = findTables(memory)
  const known = tables.functions.find(({ name }) => BY_NAME.includes(name))
  if (known) throw new Error(`the runtime asks for the name ${known.name}`)
  forgetTraces(memory, tables)
  const { sent, made, stream } = toColumns(memory, tables)
  const { locals, body } = startFunction(tables, stream)
  addStart(sections, locals, body)
  data.body = dataSection(sent)
  return { module: { bytes: writeModule(sections), made }, names: tables.functions.map(({ name }) => name) }
}

function forgetTraces(memory, { functions, gofunc }) {
  const view = new DataView(memory.buffer)
  const kept = new Set()
  const printed = new Set()
  for (const { at, pcdata, funcdata } of functions) {
    for (const offset of [PCFILE, PCLN, UNIT, LINE]) view.setUint32(at + offset, 0, true)
    if (pcdata.length > 0) view.setUint32(pcdata[PCDATA_UNSAFE_POINT], 0, true)
    funcdata.forEach((p, k) => {
      const offset = view.getUint32(p, true)
      if (offset === NONE) return
      if (k !== FUNCDATA_ARG_INFO) return kept.add(offset)
      printed.add(offset)
      view.setUint32(p, NONE, true)
    })
  }
  for (const offset of printed) { // bytes up to 0xff
    if (kept.has(offset)) continue
    let p = gofunc + offset
    while (memory[p] !== 0xff) memory[p++] = 0
    memory[p] = 0
  }
}

/** Throws unless a new instance has in its memory what it should, without any of Go having run. */
async function proveTables({ bytes, made }) {
  const never = () => { throw new Error('an import was called') }
  const imports = {}
  const compiled = await WebAssembly.compile(bytes)
  for (const { module, name } of WebAssembly.Module.imports(compiled)) (imports[module] ??= {})[name] = never
  const { exports } = await WebAssembly.instantiate(compiled, imports)
  const memory = Buffer.from(exports.mem.buffer)
  const wrong = made.findIndex((byte, p) => memory[p] !== byte)
  if (wrong >= 0) throw new Error(`the start function made ${memory[wrong]} of ${made[wrong]} at ${wrong}`)
}
