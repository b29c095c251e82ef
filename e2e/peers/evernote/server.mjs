// Evernote's own codec as a server of our codec's calls. It reads each message with the SDK's definitions, keeps what it
// read, and answers through the SDK, too. The path says what is answered: /ok, /user/CODE, /system/CODE/SECONDS, /notFound,
// /unknown. GET /seen is what the last call held, bytes as hex. Called by peers_test.go.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const MemBuffer = require('evernote/lib/thrift/transport/memBuffer')
const BinaryProtocol = require('evernote/lib/thrift/protocol/binaryProtocol')
const Thrift = require('evernote/lib/thrift/thrift')
const { NoteStore } = require('evernote/lib/thrift/gen-js2/NoteStore')
const Errors = require('evernote/lib/thrift/gen-js2/Errors')

let seen = null

const values = {
  getSyncState: () => ({ currentTime: 1795571319000, fullSyncBefore: 0, updateCount: 41, uploaded: 5 }),
  createNote: ({ note }) => ({ ...note, guid: 'g-1', content: null, updateSequenceNum: 42, active: true, resources: null }),
  getFilteredSyncChunk: () => ({
    currentTime: 1795571319000, chunkHighUSN: 42, updateCount: 42, expungedNotes: ['g-0'],
    notes: [{ guid: 'g-1', title: 't', updateSequenceNum: 42, deleted: 0, active: true, tagGuids: ['x', 'y'],
      attributes: { subjectDate: 1, latitude: 35.6, sourceURL: 'https://outbox.invalid/b/i-7', classifications: { a: 'b' }, sharedWithBusiness: false } }],
  }),
  getNote: () => ({ guid: 'g-1', content: seen?.content ?? '', updateSequenceNum: 42,
    resources: [{ guid: 'r-1', width: 3, data: { bodyHash: Buffer.alloc(16), size: 3, body: Buffer.from([0, 0xff, 0x80]) }, mime: 'audio/mp4' }],
    attributes: { sourceURL: 'https://outbox.invalid/b/i-7' } }),
}

function answer(path, body) {
  const input = new BinaryProtocol(new MemBuffer(body), true)
  const header = input.readMessageBegin()
  if (header.mtype !== Thrift.MessageType.CALL) throw new Error(`not a call: ${header.mtype}`)
  const method = NoteStore[header.fname]
  const args = method.args.read(input)
  if (input.trans.offset !== body.length) throw new Error(`${body.length - input.trans.offset} bytes behind the message`)
  const [, what, code, seconds] = path.split('/')
  const content = args.note?.content
  seen = { method: header.fname, seqid: header.seqid, args, content: content ?? seen?.content }

  const output = new BinaryProtocol(new MemBuffer())
  const result = new method.result()
  switch (what) {
    case 'ok':
      result.returnValue = values[header.fname](args)
      break
    case 'user':
      result.userException = new Errors.EDAMUserException({ errorCode: Number(code), parameter: 'Note.title' })
      break
    case 'system':
      result.systemException = new Errors.EDAMSystemException({ errorCode: Number(code), message: '限制', rateLimitDuration: seconds ? Number(seconds) : null })
      break
    case 'notFound':
      result.notFoundException = new Errors.EDAMNotFoundException({ identifier: 'Note.notebookGuid', key: 'x' })
      break
    default:
      Thrift.Method.sendException(output, header.seqid, new Thrift.TApplicationException('unknown method'))
      return output.trans.buffer
  }
  method.sendResponse(output, header.seqid, result)
  return output.trans.buffer
}

const hexed = (key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value)

const server = createServer(async (request, response) => {
  if (request.url === '/seen') {
    response.end(JSON.stringify(seen, hexed))
    return
  }
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    const reply = answer(request.url, Buffer.concat(chunks))
    response.writeHead(200, { 'Content-Type': 'application/x-thrift' })
    response.end(reply)
  } catch (e) {
    response.writeHead(500)
    response.end(String(e.stack))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
