import { secure } from './destinations.js'
import { oneOf, wrong } from './errors.js'

const services = ['line', 'chat', 'evernote']

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
  checkFleet(options)
  relayOf(options)
  oneOf('mode', options.mode, ['batch', 'stream'])
  oneOf('durability', options.durability, ['strict', 'relaxed'])
}

// Who else shares the bucket: a wrong number here would let phones send out of turn, or never.
function checkFleet({ fleet, seat, dayCurve }) {
  if (fleet !== undefined && fleet !== false && !(Number.isInteger(fleet) && fleet >= 1)) {
    throw wrong('fleet must be how many phones share the bucket, a whole number of at least 1, or false')
  }
  if (seat !== undefined && seat !== true) {
    const { number, total } = seat ?? {}
    if (!(Number.isInteger(number) && Number.isInteger(total) && number >= 0 && number < total)) {
      throw wrong('seat must be true, or {number, total} with 0 <= number < total')
    }
  }
  if (dayCurve !== undefined && !(Array.isArray(dayCurve) && dayCurve.length === 24 && dayCurve.every((d) => d > 0 && d <= 1))) {
    throw wrong('dayCurve must be 24 numbers above 0, at most 1: the demand at each hour JST, with the peak at 1')
  }
}

/** The option relay as the module takes it: {url, direct}; undefined without it. The relay takes batches for LINE Keep alone, of a channel that it knows. */
export function relayOf({ relay, destination: { service, channelId } }) {
  if (relay === undefined) return
  const { url = relay, fallback } = relay ?? ''
  oneOf('relay.fallback', fallback, ['direct'])
  if (service !== 'line' || !channelId) throw wrong('relay is for lineKeep with a channelId: leave relay out')
  return { url: secure('relay', 'url', url), direct: !!fallback }
}

/** What rows, limits and locks of an outbox are filed under on this device: one for each channel, user and LIFF app. */
export function outboxName({ destination, user = 'default', liffId }) {
  const service = destination.service === 'line' ? '' : `${destination.service}:`
  return `liff-keep:${service}${destination.channelId || 'generic'}:${user}${liffId ? `:${liffId}` : ''}`
}
