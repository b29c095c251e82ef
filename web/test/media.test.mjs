import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { load, stub } from './fakes.mjs'

const { prepare } = await load('media.js')
const hash = (name, bytes) => createHash(name).update(bytes).digest('hex')

test('media are named by their sha256, for Evernote by their MD5', async () => {
  const blob = new Blob(['voice'], { type: 'audio/mp4' })
  const [kept] = await prepare([{ name: 'memo.m4a', blob }], 'line')
  assert.deepEqual(kept, { name: 'memo.m4a', type: 'audio/mp4', bytes: 5, sum: hash('sha256', 'voice'), blob })
  assert.equal((await prepare([{ blob }], 'evernote'))[0].sum, hash('md5', 'voice'))
})

test('a page without crypto.subtle keeps media without a hash', async (t) => {
  stub(t, 'crypto', undefined)
  assert.equal((await prepare([{ blob: new Blob(['x']) }], 'line'))[0].sum, '')
})

test('name and type have defaults, and a list of none is none', async () => {
  const file = new File(['x'], 'a.png', { type: 'image/png' })
  const [one, two] = await prepare([{ blob: file }, { type: 'image/gif', blob: new Blob(['x']) }], 'line')
  assert.deepEqual([one.name, one.type, two.name, two.type], ['a.png', 'image/png', 'media-2', 'image/gif'])
  assert.ok(!(one.blob instanceof File), 'what was hashed is kept, not a file that may change')
  assert.equal(await one.blob.text(), 'x')
  assert.equal(await prepare([], 'line'), null)
})

for (const [what, media] of [
  ['no list', { blob: new Blob(['x']) }],
  ['a text', 'memo.m4a'],
  ['no blob', [{ name: 'memo.m4a' }]],
  ['nothing', [null]],
  ['a URL', [{ blob: 'https://example.com/memo.m4a' }]],
  ['a type that is none', [{ type: 'audio/mp4\r\nX: y', blob: new Blob(['x']) }]],
  ['a blob that cannot be read', [{ blob: Object.assign(new Blob(['x']), { arrayBuffer: () => Promise.reject(new Error('gone')) }) }]],
]) {
  test(`event.media that is ${what} is refused`, () => assert.rejects(prepare(media, 'line'), { code: 'INVALID_EVENT' }))
}
