// Gives a stack trace of keep.wasm its names back:
//
//	node wasm/slim/trace.mjs NAMES <TRACE
//
// NAMES is the keep.wasm.names of the same package or build.
import { readFileSync } from 'node:fs'

const names = readFileSync(process.argv[2], 'utf8').split('\n')
const trace = readFileSync(0, 'utf8')
process.stdout.write(trace.replace(/\bkeep\.([0-9a-f]{4})\b/g, (short, digits) => names[parseInt(digits, 16)] || short))
