// Drives the page for a test program: asks it for commands by long poll and runs
// them by name (there is no eval: the page's policy forbids it). The same module
// and the same functions as for a person do the work.
import { open, archive, freshToken, sandboxClock } from './outbox.js'
import { makeTrouble, setDeviceClocks } from './trouble.js'
import { inWords } from './words.js'
import { watch } from './windows.js'

/**
 * Obeys the control server at `address`, which must be on this machine; `shown(keep, clock)` draws an opened outbox. A test's page may
 * `prepare` the options of open, and bring `more(keep)` commands, keep() being the outbox that is open.
 */
export const obey = async (address, shown, { prepare = async (options) => options, more = () => ({}) } = {}) => {
  const { protocol, hostname } = new URL(address)
  if (protocol !== 'http:' || hostname !== '127.0.0.1') throw new Error('control must be a server on 127.0.0.1')
  const session = crypto.getRandomValues(new Uint32Array(2)).join('-')
  const at = (path, query = '') => `${address}/${path}?session=${session}${query}`
  // text/plain: a simple request needs no preflight
  const post = (path, value) => fetch(at(path), { method: 'POST', body: JSON.stringify(value) })
  const tell = (name, value) => leaving || post('event', { name, value }).catch(() => {}) // the server ended: nobody listens
  let leaving = false // what is under way fails now, and that is no error of the page's
  addEventListener('beforeunload', () => { leaving = true })

  addEventListener('error', ({ message }) => tell('pageError', message))
  addEventListener('unhandledrejection', ({ reason }) => tell('pageError', inWords(reason)))
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => tell('pageError', `CSP ${violatedDirective} ${blockedURI}`))

  let keep, clock, trouble
  let armed // {window, skip}: the moment at which the page is to be killed
  let watching = false
  const reached = (window, wait) => {
    if (armed?.window !== window || armed.skip-- > 0) return
    armed = undefined
    if (!wait) return tell('window', window)
    const request = new XMLHttpRequest()
    request.open('POST', at('event'), false) // synchronous: the page stands still here until it is killed
    request.send(JSON.stringify({ name: 'window', value: window }))
  }
  const report = receiptPoster((receipts) => post('receipts', receipts))
  const deviceNow = Date.now.bind(Date)
  let now
  const commands = {
    /**
     * {destination, channelId, and what open takes, durability, mode, clock: live on the sandbox's clock, by openKeep's own
     * option `now` or, 'device', by the clocks of this device, trouble: a script of what goes wrong here} → {ms} it took
     */
    async open({ clock: wanted, trouble: script = [], ...options }) {
      clock = wanted ? await sandboxClock(options.baseURL) : undefined
      trouble = makeTrouble(script, freshToken)
      const began = performance.now()
      now = clock ? () => clock.now() + trouble.shift() : () => deviceNow() + trouble.shift()
      const given = clock && wanted !== 'device'
      if (!given) setDeviceClocks({ now, steady: clock?.now })
      keep = await open({ token: trouble.token, ...await prepare(options), ...(given ? { now } : {}) })
      const ms = performance.now() - began
      keep.subscribe((status) => tell('status', status))
      shown(keep, clock)
      return { ms }
    },
    /**
     * {ranges: [[from, count], …], wave, flush, keyed, early}: archives these lines of the input → {answered}. early is
     * the control of the kill tests: it says that an event is safe before append has said so.
     */
    async archive({ ranges, wave, flush, keyed, early }) {
      let answered = 0
      for (const [from, count] of ranges) {
        if (early) {
          await post('receipts', Array.from({ length: count }, (_, i) => ({ index: from + i })))
          reached('early', true) // told, and not yet appended
        }
        const response = await fetch(at('input', `&from=${from}&count=${count}`))
        if (!response.ok) throw new Error(`input: ${response.status}`)
        const conversations = (await response.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line))
        await archive(keep, conversations, {
          wave,
          flush,
          keyOf: keyed ? (conversation) => conversation.conversationId : undefined,
          answered: ({ index, receipt, error, ms }) => {
            if (error && leaving) return // WebKit closes the database under a page that leaves: its successor appends it again
            answered++
            report(error
              ? { index: from + index, ms, code: error.code ?? error.name, message: error.message }
              : { index: from + index, ms, noteId: receipt.noteId })
          },
        })
      }
      await report.settled()
      return { answered }
    },
    /** {window, skip}: tells, and stands still, when this moment has come skip + 1 times; before open; see windows.js */
    arm(moment) {
      if (!watching) watch(reached)
      watching = true
      armed = moment
    },
    clock: () => clock?.sync(),
    flush: () => keep.flush(),
    status: () => ({ ...keep.status(), now: now(), troubleLeft: trouble.left() }),
    dead: () => keep.dead.list(),
    async ledger() {
      const blob = await keep.ledger.export({ format: 'ndjson' })
      return { text: await blob.text() }
    },
    async realtime({ on }) { await keep.realtime(on) },
    async hide({ noteId }) { return keep.hide(noteId) },
    async close() { await keep.close() },
    /** {selector, text?}: what a person would do → {text} of the element; see one() for what stands in a shadow root */
    read: ({ selector }) => ({ text: one(selector).innerText, hidden: one(selector).hidden }),
    type({ selector, text }) { one(selector).value = text },
    click({ selector }) { one(selector).click() },
    /** {address}: leaves for another page of this machine */
    async goto({ address }) {
      const to = new URL(address)
      if (to.protocol !== 'http:' || to.hostname !== '127.0.0.1') throw new Error('address must be a page on 127.0.0.1')
      setTimeout(() => location.assign(to), 50) // the answer goes first
    },
    async reload() { setTimeout(() => location.reload(), 50) },
    ...more(() => keep),
  }

  const run = async ({ id, name, args }) => {
    try {
      if (!Object.hasOwn(commands, name)) throw new Error(`no command ${name}`)
      const value = await commands[name](args ?? {})
      await post('result', { id, value: value ?? null })
    } catch (error) {
      if (!leaving) await post('result', { id, error: { code: error.code ?? error.name ?? 'Error', message: String(error.message ?? error) } })
    }
  }

  for (let hello = '&hello=1'; ; hello = '') {
    const response = await fetch(at('next', hello))
    if (response.status === 200) run(await response.json()).catch(() => {}) // the page is leaving
    else if (response.status !== 204) return
  }
}

// "#status >>> .main": behind >>> goes on in the shadow root of what was found.
const one = (selector) => {
  let found = document
  for (const step of selector.split(' >>> ')) found = (found?.shadowRoot ?? found)?.querySelector(step)
  if (!found) throw new Error(`nothing on the page is ${selector}`)
  return found
}

/** Posts receipts as they come: what was given during one post goes with the next. */
const receiptPoster = (post) => {
  let waiting = []
  let posting
  const drain = async () => {
    while (waiting.length > 0) {
      const now = waiting
      waiting = []
      await post(now)
    }
    posting = undefined
  }
  const report = (receipt) => {
    waiting.push(receipt)
    posting ??= drain()
  }
  report.settled = async () => { while (posting) await posting }
  return report
}
