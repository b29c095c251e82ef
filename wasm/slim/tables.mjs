// The tables that the Go runtime keeps of functions, where they lie in the linear memory (runtime/symtab.go: pcHeader,
// moduledata, functab, findfuncbucket, _func). Another Go may lay them out in another way: what is not as described here
// ends the build.

const MAGIC = 0xfffffff1 // abi.CurrentPCLnTabMagic, since Go 1.20
const BUCKETS = 16 // of findfunctab a function: it counts program counters, and a function has 2¹⁶ of them here
export const BUCKET = 20 // bytes: a function's number, and 16 small numbers to add to it
export const NONE = 0xffffffff // a funcdata that is not there

// offsets in a _func
export const ENTRY = 0, NAME = 4, ARGS = 8, DEFERRETURN = 12, PCSP = 16, PCFILE = 20, PCLN = 24, NPCDATA = 28, UNIT = 32, LINE = 36
export const ID = 40, FLAG = 41, NFUNCDATA = 43, LISTS = 44

/** Bytes from one _func to the next. */
export const stride = (npcdata, nfuncdata) => LISTS + 4 * (npcdata + nfuncdata) + 7 & ~7

/**
 * Returns addresses of the tables, and `functions`: of each its name, where its _func is, and where in it each pcdata and
 * funcdata is. Throws when one of them is not what the start function will make (start.mjs).
 */
export function findTables(memory) {
  const view = new DataView(memory.buffer)
  const number = (p) => Number(view.getBigUint64(p, true))
  const header = find(memory, (p) => view.getUint32(p, true) === MAGIC && memory[p + 4] === 0 && memory[p + 5] === 0 && memory[p + 6] === 1 && memory[p + 7] === 8,
    `no table of functions with magic ${MAGIC.toString(16)}`)
  const count = number(header + 8)
  const [names, pctab, functab] = [4, 7, 8].map((i) => header + number(header + 8 * i))
  const data = find(memory, (p) => number(p) === header && number(p + 8) === names, 'no moduledata')
  const [buckets, gofunc] = [19, 40].map((i) => number(data + 8 * i))
  const entry = view.getUint32(functab, true)
  const functions = []
  let at = functab + view.getUint32(functab + 4, true)
  for (let i = 0; i < count; i++) {
    if (view.getUint32(functab + 8 * i, true) !== entry + i) throw new Error(`function ${i} of the table has another number`)
    if (view.getUint32(functab + 8 * i + 4, true) !== at - functab || view.getUint32(at, true) !== entry + i) throw new Error(`function ${i} is not behind the one before`)
    for (let b = 0; b < (i < count - 1 ? BUCKETS : 0); b++) { // the last has as many as it needs
      const p = buckets + BUCKET * (BUCKETS * i + b)
      if (view.getUint32(p, true) !== i || memory.subarray(p + 4, p + BUCKET).some(Boolean)) throw new Error(`the buckets of function ${i} are not its own`)
    }
    const npcdata = view.getUint32(at + NPCDATA, true)
    const nfuncdata = memory[at + NFUNCDATA]
    const list = (start, n) => Array.from({ length: n }, (_, k) => start + 4 * k)
    functions.push({ name: text(memory, names + view.getUint32(at + NAME, true)), at, pcdata: list(at + LISTS, npcdata), funcdata: list(at + LISTS + 4 * npcdata, nfuncdata) })
    at += stride(npcdata, nfuncdata)
  }
  return { functions, entry, names, pctab, functab, buckets, gofunc, perFunction: BUCKETS }
}

function find(memory, is, otherwise) {
  for (let p = 0; p + 8 * 42 < memory.length; p += 8) if (is(p)) return p
  throw new Error(otherwise)
}

const text = (memory, start) => Buffer.from(memory.subarray(start, memory.indexOf(0, start))).toString()

/** Where a table of pctab ends: pairs of varints; a value of zero ends them, unless it is the first (runtime.step). */
export function endOfTable(memory, p) {
  do {
    for (let n = 0; n < 2; n++) while (memory[p++] & 0x80);
  } while (memory[p] !== 0)
  return p + 1
}
