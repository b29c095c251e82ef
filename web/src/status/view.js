import { h, put } from './dom.js'
import { sentence } from './say.js'

/** The card: everything but the plot and the dead letters, which it is given. Its elements are made once and written to. */
export class View {
  #format
  #say = h('p', { class: 'say', role: 'status' })
  #detail = h('p', { class: 'detail' })
  #sign = h('span', { class: 'sign' })
  #banner
  #tiles = {}
  #within = h('dd', { class: 'within' })
  #alarms = h('ul', { class: 'alarms' })
  #alarmBlock
  #facts = {}
  #quotaNow = h('p', { class: 'now' })
  #switch
  #switchText = h('span', { class: 'state' })
  #body
  #lastAlarms = ''
  #lastName = ''

  /** `parts` {plot, letters}: elements; `calls` {flush(), realtime(on), export(format)}. */
  constructor(words, format, parts, calls) {
    this.words = words
    this.#format = format
    this.told = h('p', { class: 'told', role: 'status' })
    this.#banner = h('div', { class: 'banner' }, this.#sign, h('div', {}, this.#say, this.#detail))
    this.#alarmBlock = h('section', { class: 'block', hidden: true, 'aria-label': words.alarms }, h('h3', {}, words.alarms), this.#alarms)
    this.#body = h('div', { class: 'body' },
      this.#makeTiles(),
      this.#alarmBlock,
      parts.letters,
      h('section', { class: 'block', 'aria-label': words.quota }, h('div', { class: 'line' }, h('h3', {}, words.quota), this.#quotaNow), parts.plot),
      this.#makeFacts(),
      h('div', {}, this.#makeControls(calls), this.told))
    this.element = h('section', { class: 'card', 'aria-label': words.title }, h('h2', {}, words.title), this.#banner, this.#body)
  }

  #makeTiles() {
    const tile = (name) => {
      this.#tiles[name] = h('dd', { class: 'count' })
      return h('div', { class: `tile ${name}` }, h('dt', {}, this.words[name]), this.#tiles[name], name === 'pending' ? this.#within : null)
    }
    return h('dl', { class: 'tiles' }, ...['pending', 'delivered', 'parked', 'dead'].map(tile))
  }

  #makeFacts() {
    const row = (name) => {
      this.#facts[name] = h('dd')
      return h('div', {}, h('dt', {}, this.words[name]), this.#facts[name])
    }
    return h('div', {},
      h('dl', { class: 'facts' }, ...['next', 'way', 'share', 'breaker', 'token'].map(row)),
      h('details', { class: 'more' }, h('summary', {}, this.words.details),
        h('dl', { class: 'facts' }, ...['own', 'leader', 'storage', 'persisted', 'repaired'].map(row))))
  }

  #makeControls(calls) {
    const w = this.words
    this.#switch = h('button', { type: 'button', role: 'switch', class: 'switch', 'aria-label': w.realtime, click: () => calls.realtime(this.#switch.getAttribute('aria-checked') !== 'true') },
      h('span', { class: 'track' }), h('span', {}, w.realtime), this.#switchText)
    const choice = h('select', { 'aria-label': w.format }, ...['csv', 'json', 'ndjson'].map((kind) => h('option', { value: kind }, kind.toUpperCase())))
    return h('div', { class: 'controls' },
      h('div', { class: 'row' }, h('button', { type: 'button', class: 'main', click: calls.flush }, w.flush), this.#switch),
      h('div', { class: 'row' }, h('span', { class: 'name' }, w.ledger), choice, h('button', { type: 'button', class: 'plain', click: () => calls.export(choice.value) }, w.export)))
  }

  /** No outbox yet. */
  empty() {
    put(this.#say, '…')
    this.#body.hidden = true
  }

  draw(status) {
    const w = this.words
    const f = this.#format
    const { name, tone, sign, at, count } = sentence(status)
    const [title, detail] = w.say[name]
    put(this.#say, title)
    put(this.#detail, detail(f.n(count), ...(at ? f.when(at, status.now) : [])))
    if (this.#lastName !== name) {
      this.#lastName = name
      this.#sign.replaceChildren(sign)
      this.#banner.className = `banner ${tone}`
    }
    this.#body.hidden = status.pending === undefined
    if (this.#body.hidden) return
    for (const [key, cell] of Object.entries(this.#tiles)) {
      put(cell, f.n(status[key]))
      cell.parentElement.classList.toggle('some', status[key] > 0)
    }
    put(this.#within, ['sealed', 'uncertain'].filter((part) => status[part] > 0).map((part) => w[part](f.n(status[part]))).join(' · '))
    this.#drawAlarms(status.alarms)
    this.#drawFacts(status)
    put(this.#quotaNow, quotaLeft(status, w, f))
    this.#switch.setAttribute('aria-checked', String(status.realtime))
    put(this.#switchText, status.realtime ? w.on : w.off)
  }

  #drawAlarms(alarms) {
    const codes = alarms.map(({ code }) => code).join()
    if (codes === this.#lastAlarms) return
    this.#lastAlarms = codes
    this.#alarmBlock.hidden = alarms.length === 0
    this.#alarms.replaceChildren(...alarms.map(({ code, message }) => h('li', {}, this.words.alarm[code] ?? message)))
  }

  #drawFacts({ now, nextFlush, waitsFor, way, recent, breaker, token, quota, leader, storage, queueBytes }) {
    const w = this.words
    const f = this.#format
    const text = {
      next: nextFlush ? w.nextAt(...f.when(nextFlush, now)) + (waitsFor ? ` · ${w.waitsFor[waitsFor] ?? waitsFor}` : '') : w.never,
      way: w.wayIs[way],
      share: w.shareOf(f.n(recent.throttled), f.n(recent.answers), f.n(recent.throttledPct), f.n(recent.minutes)),
      breaker: breaker.state === 'open' ? w.until(w.breakerIs.open, f.clock(breaker.until, now)) : w.breakerIs[breaker.state],
      token: w.tokenIs[token],
      own: w.ownOf(f.n(quota.own)),
      leader: w.leaderIs(leader),
      storage: w.storageIs(f.bytes(queueBytes), storage.usage === undefined ? '' : f.bytes(storage.usage)),
      persisted: storage.persisted === undefined ? w.unknown : storage.persisted ? w.yes : w.no,
      repaired: w.repairedIs(f.n(storage.reopened), f.n(storage.crashes)),
    }
    for (const [name, cell] of Object.entries(this.#facts)) put(cell, text[name])
    this.#facts.share.className = recent.throttled > 0 ? 'warn' : ''
    this.#facts.breaker.className = breaker.state === 'closed' ? '' : 'warn'
    this.#facts.token.className = token === 'ok' ? '' : 'warn'
  }
}

/** How much of the quota is left, in words; '' when no answer has come yet. */
export function quotaLeft({ quota: { readable, remaining, limit, resetsAt }, recent, now }, words, format) {
  if (!readable) return recent.history.length > 0 ? words.quotaUnknown : ''
  return (resetsAt !== null && resetsAt <= now ? words.quotaWas : words.quotaLeft)(format.n(remaining), format.n(limit))
}
