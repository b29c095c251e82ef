import { oneOf, wrong } from './errors.js'

const services = ['line']

/** Refuses options that cannot work, before anything is started; `call` is how the page passes them, for the message. */
export function checkOptions(options, call) {
  const { destination } = options
  if (!services.includes(destination?.service)) {
    throw wrong(`no destination: pass ${call}({destination: lineKeep({channelId, baseURL})${call === 'openKeep' ? ', token' : ''}})`)
  }
  for (const [name, low] of [['flushEvery', 1000], ['flushAt', 1], ['debounce', 0], ['maxQueueBytes', 1]]) {
    const v = options[name]
    if (v !== undefined && !(Number.isFinite(v) && v >= low)) throw wrong(`${name} must be a number of at least ${low}`)
  }
  oneOf('mode', options.mode, ['batch', 'stream'])
  oneOf('durability', options.durability, ['strict', 'relaxed'])
}

/** What rows, limits and locks of an outbox are filed under on this device: one for each channel, user and LIFF app. */
export function outboxName({ destination, user = 'default', liffId }) {
  return `liff-keep:${destination.channelId || 'generic'}:${user}${liffId ? `:${liffId}` : ''}`
}
