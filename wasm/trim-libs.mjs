// Copies hack-pad's two libraries and takes fmt, log and stack traces out of them, which are a tenth of the compressed
// module and are reached only by messages that nobody sees. What they do stays the same. Only keep.wasm is built with the
// copies; who imports the Go packages gets the libraries as they are. An edit that no longer fits a library's text ends
// the build.
//
//	node wasm/trim-libs.mjs SAFEJS_DIR INDEXEDDB_DIR OUT_DIR     writes OUT_DIR/safejs and OUT_DIR/go-indexeddb
import { chmodSync, cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [safejs, indexeddb, out] = process.argv.slice(2)

/** Copies a module without its tests; the cache's files are read-only. */
function copy(from, to) {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('_test.go') && !/\/(\.|examples|testdata)/.test(path.slice(from.length)) })
  return to
}

/** edits are [old, now]; each old stands in the file once. */
function edit(dir, file, edits) {
  const path = join(dir, file)
  let text = readFileSync(path, 'utf8')
  for (const [old, now] of edits) {
    if (text.split(old).length !== 2) throw new Error(`${path}: expected once: ${JSON.stringify(old)}`)
    text = text.replace(old, () => now)
  }
  for (const p of [dir, join(path, '..'), path]) chmodSync(p, statSync(p).mode | 0o200)
  writeFileSync(path, text)
}

// what a panic says, when it is no error: syscall/js panics with a text
const text = '\tcase string:\n\t\treturn errors.New(value)\n\tdefault:\n\t\treturn errors.New("panic")'

const js = copy(safejs, join(out, 'safejs'))
const stack = readFileSync(join(js, 'internal/stackerr/stackerr.go'), 'utf8')
edit(js, 'internal/stackerr/stackerr.go', [
  ['\t"fmt"\n', ''],
  [/func \(s \*stackError\) Format[^]*?\n}\n/.exec(stack)?.[0] ?? 'Format', ''],
  ['fmt.Sprintf("%s\\n\\t%s:%d\\n", funcName, frame.File, frame.Line)', 'funcName + "\\n"'],
])
edit(js, 'internal/catch/catch.go', [
  ['\t"fmt"\n', '\t"errors"\n'],
  ['\tdefault:\n\t\treturn fmt.Errorf("%+v", value)', text],
])
edit(js, 'value.go', [
  ['\t"fmt"\n', '\t"errors"\n'],
  ['fmt.Errorf("invalid type for instanceof: %v", t.Type())', 'errors.New("invalid type for instanceof")'],
  ['fmt.Errorf("invalid constructor type for instanceof: %v", err)', 'errors.New("invalid constructor type for instanceof")'],
  ['fmt.Errorf("invalid constructor type for instanceof: %v", prototype.Type())', 'errors.New("invalid constructor type for instanceof")'],
])
const idb = copy(indexeddb, join(out, 'go-indexeddb'))
edit(idb, 'idb/open_db_request.go', [
  ['\t"fmt"\n', '\t"errors"\n'],
  ['\t"log"\n', ''],
  ['log.Println("Version change detected, closing DB...")', ''],
  ['log.Println("Error closing DB:", closeErr)', '_ = closeErr'],
  ['fmt.Errorf("Unexpected negative oldVersion or newVersion: %d, %d", oldVersion, newVersion)', 'errors.New("Unexpected negative oldVersion or newVersion")'],
])
edit(idb, 'idb/request.go', [
  ['\t"fmt"\n', ''],
  ['\t"log"\n', ''],
  ['log.Println("Failed resolving request results:", err)', '_ = err'],
  ['\tdefault:\n\t\treturn fmt.Errorf("%+v", val)', text.replace('(value)', '(val)')],
])
