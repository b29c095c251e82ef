// index.d.ts against what it describes: names that were added or taken away on one side only.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { load } from './fakes.mjs'

const read = (name, base = new URL('../src/', import.meta.url)) => readFileSync(new URL(name, base), 'utf8')
const go = (name) => read(`../../${name}`, import.meta.url)
const types = read('index.d.ts').replace(/\/\*[^]*?\*\//g, '')
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name).sort()

// members returns the names that an interface declares at its own depth.
function members(name) {
  const [, body] = types.match(new RegExp(`interface ${name}(?: extends \\w+)? \\{\\n([^]*?)\\n\\}`))
  return all(body, /^ {2}(?:readonly )?(\w+)\??[:(]/gm)
}

// inner returns the names inside a member that is an object.
function inner(name, member) {
  const [, body] = types.match(new RegExp(`interface ${name} \\{[^]*?\\n {2}(?:readonly )?${member}: \\{\\n([^]*?)\\n {2}\\}`))
  return all(body, /^ {4}(\w+)\??[:(]/gm)
}

test('every export has a type, and no other', async () => {
  assert.deepEqual(all(types, /^export (?:function|class|const) (\w+)/gm), Object.keys(await load('index.js')).filter((name) => !name.startsWith('_')).sort()) // _names are for our late files alone
})

test('every method of the outbox has a type', () => {
  const [, face] = read('front.js').match(/Object\.freeze\(\{\n([^]*?)\n {4}\}\)\n {2}\}/)
  assert.deepEqual(members('Keep'), all(face, /^ {6}(\w+)[:,]/gm))
  for (const group of ['dead', 'ledger']) {
    const [, calls] = face.match(new RegExp(`${group}: Object\\.freeze\\(\\{([^]*?)\\}\\)`))
    assert.deepEqual(inner('Keep', group), all(calls, /^ {8}(\w+):/gm), group)
  }
})

test('every option that the code reads has a type', () => {
  const code = read('outbox.js') + read('index.js')
  const taken = [read('options.js').match(/outboxName\(\{ (.*) \}\)/)[1], read('plugin.js').match(/whoIs\(liff, \{ (.*) \}\)/)[1], read('check.js').match(/bytes, \{ (.*) \}, media/)[1]]
  const used = new Set([...all(code, /\bo(?:ptions)?\.(\w+)/g), ...taken.flatMap((names) => all(names, /(?:^|, )(\w+)/g))])
  for (const own of ['liffId', 'session', 'js']) used.delete(own) // given by the plugin and the inbox
  assert.deepEqual([...used].sort(), members('Options'))
})

test('the codes are the closed list', () => {
  const [, union] = types.match(/type Code =\n([^]*?)\n\n/)
  assert.deepEqual(all(union, /'(\w+)'/g), all(go('outbox/errors.go'), /Code = "(\w+)"/g))
})

test('L13.1: the alarms are the signs of the core', () => {
  const [, union] = types.match(/interface Alarm \{\n {2}code: ([^]*?)\n {2}message/)
  const fronts = all(read('behind.js'), /code: '(\w+)'/g)
  assert.equal(fronts.length, 2)
  assert.deepEqual(all(union, /'(\w+)'/g), [...all(go('outbox/alarm.go'), /sign\("(\w+)"/g), ...all(read('outbox.js'), /\{ code: '(\w+)'/g), ...fronts].sort())
})

test('the status is what the core writes, and storage', () => {
  const source = go('outbox/status.go') + go('outbox/recent.go')
  const written = all(source, /(?:Field\((?:&w, )?|w\.Name\(|\{)"(\w+)"/g).filter((name) => !['ok', 'needed', 'scope'].includes(name))
  const [, slot] = types.match(/history: \{\n([^]*?)\n {4}\}\[\]/)
  const added = ['storage', 'now'] // outbox.js
  const declared = [...members('Status').filter((name) => !added.includes(name)), ...inner('Status', 'quota'), ...inner('Status', 'breaker'),
    ...inner('Status', 'recent'), ...all(slot, /^ {6}(\w+):/gm), ...members('Alarm')]
  assert.deepEqual(declared.sort(), written)
  const [, ours] = read('outbox.js').match(/status\.storage = \{ \.\.\.this\.#storage,(.*)\}/)
  const [, browsers] = read('outbox.js').match(/this\.#storage = \{ (\w.*) \}/)
  assert.deepEqual(inner('Status', 'storage'), [...all(ours, /(\w+):/g), ...all(browsers, /(?:^|, )(\w+)/g)].sort())
})

test('the status while no module runs is a whole one: a page may read quota.remaining at its first rendering', async () => {
  const { nothing } = await load('front.js')
  assert.deepEqual(Object.keys(nothing({})).sort(), members('Status'))
  for (const name of ['quota', 'breaker', 'recent']) assert.deepEqual(Object.keys(nothing({})[name]).sort(), inner('Status', name))
})

test('L13.6: a ledger row and a dead letter are what the core writes', () => {
  const row = go('outbox/ledger.go').match(/func \(r \*ledgerRow\) text[^]*?\n\}/)[0]
  const link = go('outbox/ledger.go').match(/func linked[^]*?\n\}/)[0]
  const written = [...all(row, /(?:text|Field|w\.Name)\("(\w+)"/g), ...all(row, /\{"(\w+)", r\./g), ...all(link, /"(\w+)":/g)]
  assert.deepEqual(members('LedgerRow'), written.sort())
  const dead = go('outbox/dead.go').match(/func deadRecord[^]*?\n\}/)[0]
  assert.deepEqual(members('DeadLetter'), all(dead, /Field\("(\w+)"/g))
})

test('L13.6: the kinds of ledger rows are those that the core writes', () => {
  const [, union] = types.match(/interface LedgerRow \{[^]*?\n {2}kind: ([^]*?)\n {2}\w/)
  const sources = readdirSync(new URL('../../outbox/', import.meta.url)).filter((name) => /(?<!_test)\.go$/.test(name))
  const kinds = sources.flatMap((name) => all(go(`outbox/${name}`), /\bkind(?::| =)\s+"(\w+)"/g))
  assert.deepEqual(all(union, /'(\w+)'/g), [...new Set(kinds)].sort())
})

test('an audit is what the code answers', () => {
  const [, answer] = read('audit.js').match(/return \{\n {4}(accepted[^]*?),\n {2}\}/)
  assert.deepEqual(members('Audit'), all(answer, /(?:^|, |\n {4})(\w+)(?=[:,]|$)/g))
  const chains = read('audit.js').match(/return \{ ok:.*\}/g)
  assert.ok(chains.length > 1)
  for (const chain of chains) assert.deepEqual(inner('Audit', 'chain'), all(chain, /(\w+):/g), chain)
})
