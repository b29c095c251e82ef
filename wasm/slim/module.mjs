// The binary format of a WebAssembly module, as far as slim/ reads and writes it:
// https://webassembly.github.io/spec/core/binary/modules.html

export const DATA = 11
const TYPES = 1, IMPORTS = 2, FUNCTIONS = 3, START = 8, CODE = 10, DATA_COUNT = 12 // of all, only the last is not in the order of the ids

const GAP = 4096 // zeros that are worth a segment of their own

/** Returns [{id, body}] in the module's order. */
export function readSections(module) {
  if (module.subarray(0, 8).toString('latin1') !== '\0asm\x01\0\0\0') throw new Error('not a WebAssembly module')
  const sections = []
  for (let p = 8; p < module.length;) {
    const [size, start] = readUleb(module, p + 1)
    sections.push({ id: module[p], body: module.subarray(start, start + size) })
    p = start + size
  }
  return sections
}

export function writeModule(sections) {
  return Buffer.concat([Buffer.from('\0asm\x01\0\0\0'), ...sections.flatMap(({ id, body }) => [Buffer.from([id, ...uleb(body.length)]), body])])
}

/** The linear memory as the data section makes it. */
export function readMemory(data) {
  const segments = []
  let [count, p] = readUleb(data, 0)
  while (count-- > 0) {
    if (data[p] !== 0 || data[p + 1] !== 0x41) throw new Error('a data segment without a constant address')
    const [address, end] = readUleb(data, p + 2) // signed, but below 2³¹ and so with the same digits
    if (data[end] !== 0x0b) throw new Error('a data segment without a constant address')
    const [length, start] = readUleb(data, end + 1)
    segments.push({ address, bytes: data.subarray(start, start + length) })
    p = start + length
  }
  const memory = new Uint8Array(Math.max(...segments.map((s) => s.address + s.bytes.length)))
  for (const s of segments) memory.set(s.bytes, s.address)
  return memory
}

/** A data section that makes memory, as segments with no more than GAP zeros in a row. */
export function dataSection(memory) {
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
  return Buffer.concat([Buffer.from(uleb(segments.length)), ...segments.flatMap(({ start, end }) =>
    [Buffer.from([0, 0x41, ...sleb(start), 0x0b, ...uleb(end - start)]), memory.subarray(start, end)])])
}

/** Adds a function without parameters and results, which runs when the module is instantiated. body is code without its end. */
export function addStart(sections, locals, body) {
  const section = (id) => sections.find((s) => s.id === id) ?? { body: Buffer.from([0]) }
  if (sections.some(({ id }) => id === START)) throw new Error('the module has a start function')
  const types = section(TYPES)
  const functions = section(FUNCTIONS)
  const [typeCount, firstType] = readUleb(types.body, 0)
  const [functionCount, firstFunction] = readUleb(functions.body, 0)
  const code = section(CODE)
  const [, firstCode] = readUleb(code.body, 0)
  const made = Buffer.from([1, ...uleb(locals), 0x7f, ...body, 0x0b]) // all locals are i32
  append(types, typeCount, firstType, [0x60, 0, 0])
  append(functions, functionCount, firstFunction, uleb(typeCount))
  append(code, functionCount, firstCode, [...uleb(made.length), ...made])
  const index = countImports(section(IMPORTS).body) + functionCount
  const at = sections.findIndex(({ id }) => id > START && id !== DATA_COUNT)
  sections.splice(at, 0, { id: START, body: Buffer.from(uleb(index)) })
}

function append(section, count, first, item) {
  section.body = Buffer.concat([Buffer.from(uleb(count + 1)), section.body.subarray(first), Buffer.from(item)])
}

/** Go imports nothing but functions. */
function countImports(body) {
  const [count, p] = readUleb(body, 0)
  let at = p
  for (let i = 0; i < count; i++) {
    for (let name = 0; name < 2; name++) {
      const [length, start] = readUleb(body, at)
      at = start + length
    }
    if (body[at] !== 0) throw new Error('the module imports something that is no function')
    at = readUleb(body, at + 1)[1]
  }
  return count
}

/** Returns the number at p and where it ends. */
export function readUleb(bytes, p) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[p++]
    value += (byte & 0x7f) * 2 ** shift
    if (!(byte & 0x80)) return [value, p]
  }
}

/** The digits of a number from 0. */
export function uleb(value) {
  const out = []
  for (; value > 0x7f; value = Math.floor(value / 128)) out.push(value & 0x7f | 0x80)
  return [...out, value]
}

/** The same for an immediate that is read as signed. */
export function sleb(value) {
  const out = uleb(value)
  return out.at(-1) & 0x40 ? [...out.slice(0, -1), out.at(-1) | 0x80, 0] : out
}
