// What is appended everywhere: an event of 392 bytes of JSON. Of four, one has two messages, so that 400 events hold the 500
// messages of a full batch.
const text = 'The order 4711 went out this morning; the parcel service delivers tomorrow before noon. Is the address of last time still right? '
const at = '2026-11-25T12:00:00+09:00'

/** The nth event. */
export function event(n) {
  const id = String(n).padStart(8, '0')
  const messages = n % 4 === 0
    ? [{ from: 'operator', at, text: text.repeat(2).slice(0, 159) }, { from: 'customer', at, text: 'yes, thank you' }]
    : [{ from: 'operator', at, text: text.repeat(2).slice(0, 236) }]
  return { conversationId: `conversation-${id}`, endedAt: at, messages }
}

/** Events from a to b - 1. */
export const events = (a, b) => Array.from({ length: b - a }, (_, i) => event(a + i))
