import { noteBytes } from './check.js'
import { KeepError, wrong } from './errors.js'

/**
 * Throws for an event that is not plain (check.js) what the module would throw, by the same rules (outbox/entry.go), so that a
 * mistake is told before the module is there. What only the module can tell passes.
 */
export function judge(text, key, bytes, { destination }) {
  if (text[0] !== '{') throw wrong('an event is an object: {conversationId, endedAt, messages: [{from, text, at}]}')
  if (new TextEncoder().encode(key).length > 200) throw wrong('key is longer than 200 bytes')
  if (/[\0- "\\\x7f\ufffd]|[\ud800-\udfff]/u.test(key)) throw wrong('key may hold no white space, control character, quote or backslash')
  const most = noteBytes(destination)
  if (bytes > most) throw new KeepError('TOO_LARGE', `the event has ${bytes} bytes, a note may have ${most}: split the conversation`)
  if (/(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/.test(text)) throw wrong('a lone surrogate (half an emoji?): cut text with Array.from or call toWellFormed()')
  const event = JSON.parse(text)
  if ('noteId' in event) throw wrong('noteId is given by the outbox; pass your own name as append(event, {key})')
  const { messages = [] } = event
  if (!Array.isArray(messages)) throw wrong('messages is no array')
  const bad = messages.findIndex((m) => !m || typeof m !== 'object' || Array.isArray(m))
  if (bad >= 0) throw wrong(`messages[${bad}] is no object`)
  if (messages.length === 0) throw wrong('an event needs at least one message')
}
