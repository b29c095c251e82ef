import { Letters } from './letters.js'
import { QuotaPlot } from './plot.js'
import { View } from './view.js'
import { download, put } from './dom.js'
import { formatter } from './format.js'
import { dress } from './sheet.js'
import en from './words/en.js'
import ja from './words/ja.js'
import th from './words/th.js'

const languages = { en, ja, th }
const TICK_MS = 1000 // the words say how long it is until then
const Base = globalThis.HTMLElement ?? class {} // Node: the file may be imported, the element not be made

/** <keep-status>. It keeps nothing and decides nothing: it draws status() and passes the buttons on to the outbox. */
export class KeepStatus extends Base {
  static observedAttributes = ['lang', 'theme']

  #keep = null
  #root
  #parts = null // {view, plot, letters}
  #release = [] // what ends when the element leaves the page
  #lastDead = ''

  constructor() {
    super()
    this.#root = this.attachShadow({ mode: 'open' })
    dress(this.#root)
  }

  get keep() { return this.#keep }

  set keep(keep) {
    this.#keep = keep ?? null
    if (this.isConnected) this.#restart()
  }

  connectedCallback() {
    if (Object.hasOwn(this, 'keep')) { // set before the element was defined
      const { keep } = this
      delete this.keep
      this.#keep = keep
    }
    this.#restart()
  }

  disconnectedCallback() { this.#stop() }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.#parts) return
    if (name === 'lang') this.#restart()
    else this.#parts.plot.recolour()
  }

  #stop() {
    for (const release of this.#release.splice(0)) release()
    this.#parts?.plot.destroy()
    this.#parts?.view.element.remove()
    this.#parts = null
  }

  #restart() {
    this.#stop()
    const lang = this.#language()
    const words = languages[lang]
    const format = formatter(lang)
    const plot = new QuotaPlot(this, words, format)
    const letters = new Letters(words, format, { retry: (id) => this.#keep.dead.retry(id), discard: (id) => this.#keep.dead.discard(id) }, (work, done) => this.#attempt(work, done))
    const view = new View(words, format, { plot: plot.element, letters: letters.element }, {
      flush: () => this.#attempt(() => this.#keep.flush(), ({ delivered }) => words.flushed(format.n(delivered))),
      realtime: (on) => this.#attempt(() => this.#keep.realtime(on), () => ''),
      export: (kind) => this.#attempt(async () => download(await this.#keep.ledger.export({ format: kind }), `ledger.${kind}`), () => words.exported),
    })
    view.element.lang = lang
    this.#root.append(view.element)
    this.#parts = { view, plot, letters }
    this.#lastDead = ''
    if (!this.#keep) {
      view.empty()
      return
    }
    const draw = (status) => this.#draw(status)
    const look = () => { if (!document.hidden) draw(this.#keep.status()) }
    const tick = setInterval(look, TICK_MS)
    const observer = new ResizeObserver(() => plot.resize())
    observer.observe(plot.element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const recolour = () => plot.recolour()
    dark.addEventListener('change', recolour)
    document.addEventListener('visibilitychange', look)
    this.#release = [
      this.#keep.subscribe(draw),
      () => clearInterval(tick),
      () => observer.disconnect(),
      () => dark.removeEventListener('change', recolour),
      () => document.removeEventListener('visibilitychange', look),
    ]
    look()
  }

  // The language of the attribute, else of the page, else of the browser; English when it is none of ours.
  #language() {
    const wanted = [this.getAttribute('lang'), this.closest('[lang]')?.lang, ...(globalThis.navigator?.languages ?? [])]
    for (const tag of wanted) {
      const short = tag?.toLowerCase().split('-')[0]
      if (short && Object.hasOwn(languages, short)) return short
    }
    return 'en'
  }

  #draw(status) {
    const { view, plot, letters } = this.#parts
    view.draw(status)
    if (status.pending === undefined) return // closed, or being reopened
    plot.draw(status)
    const dead = [status.dead, status.discarded, status.delivered].join()
    if (dead === this.#lastDead) return
    this.#lastDead = dead
    if (status.dead === 0) letters.draw([], status.now)
    else this.#keep.dead.list().then((list) => { if (this.#parts?.letters === letters) letters.draw(list, status.now) }, (error) => this.#say(this.#failed(error)))
  }

  // Does what a button asks for, and says what came of it.
  async #attempt(work, done) {
    try {
      this.#say(done(await work()))
      return true
    } catch (error) {
      this.#say(this.#failed(error))
      return false
    } finally {
      this.#lastDead = ''
    }
  }

  #failed(error) { return this.#parts?.view.words.failed(error?.code ?? error?.name ?? 'Error', error?.message ?? String(error)) }

  #say(text) { if (this.#parts) put(this.#parts.view.told, text ?? '') }
}
