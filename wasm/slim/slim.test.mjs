import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readMemory, readSections } from './module.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))

// Stacks that grow and are collected, panics and deferred calls are what the tables of functions are for.
const program = `package main

import "runtime"

type tree struct{ left, right *tree; load []byte }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{load: make([]byte, 100)}
	}
	return &tree{left: grow(depth - 1), right: grow(depth - 1)}
}

func (t *tree) leaves() int {
	if t.load != nil {
		return len(t.load) / 100
	}
	return t.left.leaves() + t.right.leaves()
}

func deep(n int, above *[64]int) int {
	var here [64]int
	here[n%64] = n
	if n == 0 {
		runtime.GC()
		return above[0]
	}
	return deep(n-1, &here) + above[(n+1)%64]
}

func recovered(i int) (text string) {
	defer func() { text = recover().(error).Error() }()
	return string([]byte{}[i:])
}

//go:noinline
func crashHere(t *tree) int { return t.leaves() }

func main() {
	done := make(chan int)
	for range 8 {
		go func() {
			sum := 0
			for range 5 {
				sum += grow(9).leaves()
				runtime.Gosched()
			}
			var above [64]int
			done <- sum + deep(500, &above)
		}()
	}
	sum := 0
	for range 8 {
		sum += <-done
	}
	println("sum", sum, recovered(3))
	crashHere(nil)
}
`

let dir
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'slim-'))
  writeFileSync(join(dir, 'main.go'), program)
  execFileSync('go', ['build', '-ldflags=-s -w', '-o', join(dir, 'raw.wasm'), join(dir, 'main.go')],
    { env: { ...process.env, GOOS: 'js', GOARCH: 'wasm', GO111MODULE: 'off', GOFLAGS: '' } })
})
after(() => rmSync(dir, { recursive: true }))

const slim = (name) => spawnSync('node', [here('main.mjs'), join(dir, name), join(dir, 'slim.wasm'), join(dir, 'names')], { encoding: 'utf8' })
const run = (name) => {
  const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()
  return spawnSync('node', ['--stack-size=8192', join(goroot, 'lib/wasm/wasm_exec_node.js'), join(dir, name)], { encoding: 'utf8', env: { PATH: process.env.PATH } })
}

test('a slim module does what the module does, and its stack trace gets its names back', () => {
  const made = slim('raw.wasm')
  assert.equal(made.status, 0, made.stderr)
  const [raw, small] = [run('raw.wasm'), run('slim.wasm')]
  const said = (out) => out.stderr.split('\n')[0]
  assert.match(said(raw), /^sum \d+ runtime error: slice bounds out of range \[3:0\]$/)
  assert.equal(said(small), said(raw))
  assert.equal(small.status, 2)
  assert.doesNotMatch(small.stderr, /crashHere|main\.go/)
  assert.ok(readFileSync(join(dir, 'slim.wasm')).length < 0.8 * readFileSync(join(dir, 'raw.wasm')).length)
  const trace = spawnSync('node', [here('trace.mjs'), join(dir, 'names')], { input: small.stderr, encoding: 'utf8' }).stdout
  const frames = (text) => text.match(/main\.(main|crashHere|\(\*tree\)\.leaves)(?=\()/g)
  assert.deepEqual(frames(trace), ['main.(*tree).leaves', 'main.crashHere', 'main.main'])
  assert.deepEqual(frames(trace), frames(raw.stderr))
})

test('a module laid out in another way is refused', () => {
  const wasm = readFileSync(join(dir, 'raw.wasm'))
  const data = readSections(wasm).find(({ id }) => id === 11).body
  assert.ok(readMemory(data).length > 0)
  for (const [was, now, says] of [
    ['f1ffffff00000108', 'f2ffffff00000108', /no table of functions with magic fffffff1/],
    ['f1ffffff00000108', 'f1ffffff00000104', /no table of functions/],
  ]) {
    const bytes = Buffer.from(wasm)
    const at = bytes.indexOf(Buffer.from(was, 'hex'))
    assert.ok(at > 0)
    bytes.set(Buffer.from(now, 'hex'), at)
    writeFileSync(join(dir, 'other.wasm'), bytes)
    const made = slim('other.wasm')
    assert.notEqual(made.status, 0)
    assert.match(made.stderr, says)
  }
  writeFileSync(join(dir, 'no.wasm'), '<html>')
  assert.match(slim('no.wasm').stderr, /not a WebAssembly module/)
})
