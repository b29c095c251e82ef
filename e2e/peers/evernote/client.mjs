// Evernote's own SDK as a client of our sandbox, over TLS: what works for it works for the product. Called by
// peers_test.go with the sandbox's address; the sandbox allows 4 calls an hour for each API key.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'

const Evernote = createRequire(import.meta.url)('evernote')
const origin = process.argv[2]
const enml = (body) =>
  `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE en-note SYSTEM "http://xml.evernote.com/pub/enml2.dtd"><en-note>${body}</en-note>`

// each key has its own calls, each user an account
const storeOf = (name) =>
  new Evernote.Client({ token: `S=s1:U=${name}:E=0:C=0:P=1:A=key-${name}:V=2:H=0` }).getNoteStore(`${origin}/shard/s1/notestore`)

const ops = async (path, body) => {
  const answer = await fetch(origin + path, body && { method: 'POST', body: JSON.stringify(body) })
  assert.equal(answer.status, 200, await answer.clone().text())
  return answer
}
const fault = (entry) => ops('/ops/faults', { script: [{ path: '/shard/s1/notestore/createNote', ...entry }] })
const notes = async (user) =>
  (await (await ops(`/ops/evernote/notes?user=${user}`)).text()).split('\n').filter(Boolean).map((line) => JSON.parse(line))
const thrown = async (promise) => {
  try {
    await promise
  } catch (e) {
    return e
  }
  assert.fail('nothing was thrown')
}

const cases = {
  'create, and read back with its resource in one call': async (user) => {
    const store = storeOf(user)
    const state = await store.getSyncState()
    assert.equal(state.updateCount, 1)
    const body = Buffer.from('voice memo \x00\xff')
    const hash = createHash('md5').update(body)
    const digest = hash.copy().digest()
    const content = enml(`<div>会話 🍣 &amp; &lt;</div><en-media type="audio/mp4" hash="${hash.digest('hex')}"/>`)
    const created = await store.createNote({
      title: '会話 1', content, created: 1795571319000,
      attributes: { sourceURL: 'https://outbox.invalid/b/i-1' },
      resources: [{ data: { bodyHash: digest, size: body.length, body }, mime: 'audio/mp4', attributes: { fileName: 'memo.m4a' } }],
    })
    assert.equal(created.updateSequenceNum, 2)
    const read = await store.getNote(created.guid, true, true, false, false)
    assert.equal(read.content, content)
    assert.equal(read.title, '会話 1')
    assert.equal(read.created, 1795571319000)
    assert.deepEqual(read.resources[0].data.body, body)
    assert.equal((await notes(user)).length, 1)
  },

  'the hourly limit, the wait it names, and success (E3.2, E3.3)': async (user) => {
    const store = storeOf(user)
    for (let i = 0; i < 4; i++) await store.getSyncState()
    const note = { title: 'a', content: enml('a') }
    const refused = await thrown(store.createNote(note))
    assert.equal(refused.errorCode, Evernote.Errors.EDAMErrorCode.RATE_LIMIT_REACHED)
    assert.ok(refused.rateLimitDuration > 3500 && refused.rateLimitDuration <= 3600, `${refused.rateLimitDuration}`)
    await ops('/ops/clock', { advanceSeconds: refused.rateLimitDuration - 20 })
    const again = await thrown(store.createNote(note))
    assert.ok(again.rateLimitDuration <= 20, `${again.rateLimitDuration}`)
    assert.equal((await notes(user)).length, 0)
    await ops('/ops/clock', { advanceSeconds: again.rateLimitDuration })
    await store.createNote(note)
    assert.equal((await notes(user)).length, 1)
  },

  'an answer that was dropped: the note is found by its sourceURL': async (user) => {
    const store = storeOf(user)
    const { updateCount } = await store.getSyncState()
    await fault({ kind: 'cut', when: 'after' })
    const note = { title: 'a', content: enml('a'), attributes: { sourceURL: `https://outbox.invalid/b/${user}` } }
    const lost = await thrown(store.createNote(note))
    assert.match(lost.message, /hang up|ECONNRESET/)
    const chunk = await store.getFilteredSyncChunk(updateCount, 100, { includeNotes: true, includeNoteAttributes: true })
    assert.deepEqual(chunk.notes.map((n) => n.attributes.sourceURL), [note.attributes.sourceURL])
    assert.equal(chunk.chunkHighUSN, chunk.updateCount)
  },

  'a connection that was cut before: the note is not there': async (user) => {
    const store = storeOf(user)
    const { updateCount } = await store.getSyncState()
    await fault({ kind: 'cut', when: 'before' })
    await thrown(store.createNote({ title: 'a', content: enml('a') }))
    const chunk = await store.getFilteredSyncChunk(updateCount, 100, { includeNotes: true, includeNoteAttributes: true })
    assert.equal(chunk.notes, null)
    assert.equal(chunk.chunkHighUSN, null)
  },

  'sync chunks, a page at a time': async (user) => {
    const store = storeOf(user)
    await store.createNote({ title: 'a', content: enml('a') })
    await store.createNote({ title: 'b', content: enml('b') })
    const first = await store.getFilteredSyncChunk(0, 1, { includeNotes: true })
    assert.deepEqual(first.notes.map((n) => n.title), ['a'])
    assert.ok(first.chunkHighUSN < first.updateCount)
    const second = await store.getFilteredSyncChunk(first.chunkHighUSN, 1, { includeNotes: true })
    assert.deepEqual(second.notes.map((n) => n.title), ['b'])
  },

  'what is wrong with a request is told by class and code (E6.1)': async (user) => {
    const store = storeOf(user)
    const title = await thrown(store.createNote({ title: ' a', content: enml('a') }))
    assert.deepEqual([title.errorCode, title.parameter], [Evernote.Errors.EDAMErrorCode.BAD_DATA_FORMAT, 'Note.title'])
    const markup = await thrown(store.createNote({ title: 'a', content: enml('<script/>') }))
    assert.equal(markup.errorCode, Evernote.Errors.EDAMErrorCode.ENML_VALIDATION)
    const book = await thrown(store.createNote({ title: 'a', content: enml('a'), notebookGuid: 'x' }))
    assert.equal(book.identifier, 'Note.notebookGuid')
    await fault({ kind: 'expire-token' })
    const expired = await thrown(store.createNote({ title: 'a', content: enml('a') }))
    assert.equal(expired.errorCode, Evernote.Errors.EDAMErrorCode.AUTH_EXPIRED)
  },
}

let n = 0
for (const [name, run] of Object.entries(cases)) {
  await ops('/ops/reset', {})
  await run(`peer${++n}`)
  console.log(`ok ${name}`)
}
