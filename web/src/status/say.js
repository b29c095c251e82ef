// Which sentence stands at the top: the first row that holds. The words are in words/, the facts are status()'s.
import { icon } from './dom.js'

const waiting = (s) => s.pending + s.parked

/** [name of the sentence, whether it holds, tone, icon, the moment it speaks of]. */
const rows = [
  ['closed', (s) => s.pending === undefined, 'quiet', 'pause'],
  ['gone', (s) => s.gone, 'bad', 'warn'],
  ['stopped', (s) => !s.realtime, 'warn', 'pause'],
  ['login', (s) => s.token === 'needed', 'warn', 'key'],
  ['scope', (s) => s.token === 'scope', 'warn', 'key'],
  ['breaker', (s) => s.breaker.state === 'open', 'warn', 'pause', (s) => s.breaker.until],
  ['offline', (s) => globalThis.navigator?.onLine === false, 'warn', 'wait'],
  ['sending', (s) => s.uncertain > 0 && s.waitsFor === '', 'info', 'send'],
  ['trial', (s) => s.pending > 0 && s.breaker.state === 'half-open', 'info', 'send'],
  ['pause', (s) => s.pending > 0 && s.waitsFor === 'pause', 'warn', 'wait', (s) => s.nextFlush],
  ['limiter', (s) => s.pending > 0 && s.waitsFor === 'limiter' && s.nextFlush > s.now, 'info', 'wait', (s) => s.nextFlush],
  ['moment', (s) => s.pending > 0 && s.waitsFor === 'moment' && s.nextFlush > s.now, 'info', 'wait', (s) => s.nextFlush],
  ['parked', (s) => s.parked > 0 && s.pending === 0, 'warn', 'wait', (s) => s.nextFlush],
  ['collecting', (s) => waiting(s) > 0, 'info', 'wait', (s) => s.nextFlush],
  ['refused', (s) => s.dead > 0, 'bad', 'warn'],
  ['handed', (s) => s.relayed > 0, 'ok', 'ok'],
  ['delivered', (s) => s.delivered > 0, 'ok', 'ok'],
  ['empty', () => true, 'quiet', 'ok'],
]

/** What to say of a status: {name, tone, sign, at, count}. */
export function sentence(status) {
  const [name, , tone, sign, at] = rows.find(([, holds]) => holds(status))
  return { name, tone, sign: icon(sign), at: at?.(status) ?? null, count: name === 'refused' ? status.dead : waiting(status) }
}
