import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './fakes.mjs'

const { evernote, googleChat } = await load('index.js')
const guid = '8c2a4a5e-0000-4000-8000-000000000001'
const noteStoreURL = 'https://app.example/relay/evernote/www.evernote.com/shard/s1/notestore'

test('googleChat is a space, with the longest wait of the guide', () => {
  assert.deepEqual(googleChat({ space: 'spaces/AAA-_1' }), { service: 'chat', channelId: 'AAA-_1', space: 'AAA-_1',
    baseURL: 'https://chat.googleapis.com', maxBackoff: 64, maxNoteBytes: 0 })
  assert.equal(googleChat({ space: 'A', baseURL: 'http://127.0.0.1:8787/' }).baseURL, 'http://127.0.0.1:8787')
})

test('evernote is a note store behind the page\'s own origin', () => {
  const d = evernote({ noteStoreURL, notebookGuid: guid, title: 'Desk', sandbox: true, callsPerHour: 900 })
  assert.deepEqual(d, { service: 'evernote', channelId: guid, noteStoreURL, notebookGuid: guid, title: 'Desk', sandbox: true,
    callsPerHour: 900, maxNoteBytes: 0 })
  assert.notEqual(evernote({ noteStoreURL }).channelId, '')
})

for (const [what, make] of [
  ['no space', () => googleChat()],
  ['a space that is none', () => googleChat({ space: 'spaces/A/messages/B' })],
  ['another maximum', () => googleChat({ space: 'A', maxBackoff: 10 })],
  ['a token in the clear', () => googleChat({ space: 'A', baseURL: 'http://chat.example' })],
  ['no note store', () => evernote()],
  ['a note store in the clear', () => evernote({ noteStoreURL: 'http://app.example/relay' })],
  ['credentials in the address', () => evernote({ noteStoreURL: 'https://u:p@app.example/relay' })],
  ['a notebook that is no GUID', () => evernote({ noteStoreURL, notebookGuid: 'inbox' })],
  ['calls that are no number', () => evernote({ noteStoreURL, callsPerHour: -1 })],
]) {
  test(`a destination with ${what} is refused`, () => assert.throws(make, { code: 'INVALID_EVENT' }))
}
