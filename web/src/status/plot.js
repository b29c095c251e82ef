import uPlot from 'uplot'
import { h, put } from './dom.js'
import { quotaLeft } from './view.js'

const SPAN_S = 600
const HEIGHT = 160 // as in style.css

/** The quota over the last ten minutes: what answers said was left, and how many answers were refused. */
export class QuotaPlot {
  #host
  #words
  #format
  #plot = null
  #box = h('div', { class: 'plot', role: 'img' })
  #none
  #rows = h('tbody')
  #more
  #drawn = ''
  #last = null // {data, limit, now}

  constructor(host, words, format) {
    this.#host = host
    this.#words = words
    this.#format = format
    this.#none = h('p', { class: 'none', hidden: true }, words.noAnswers)
    const head = [words.at, words.remaining, words.answers, words.throttled].map((name) => h('th', { scope: 'col' }, name))
    this.#more = h('details', { class: 'more', toggle: () => this.#table() },
      h('summary', {}, words.table),
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': words.tableName },
        h('table', {}, h('caption', {}, words.tableName), h('thead', {}, h('tr', {}, ...head)), this.#rows)))
    const key = (kind, name) => h('li', { class: kind }, name)
    this.element = h('div', { class: 'plot-frame' },
      h('ul', { class: 'key' }, key('left', words.remaining), key('good', words.answers), key('bad', words.throttled)),
      this.#box, this.#none, this.#more)
  }

  draw(status) {
    const { recent: { history, throttled, answers, throttledPct, minutes }, quota, now } = status
    const f = this.#format
    const left = quotaLeft(status, this.#words, f) || this.#words.noAnswers
    const share = this.#words.shareOf(f.n(throttled), f.n(answers), f.n(throttledPct), f.n(minutes))
    this.#box.setAttribute('aria-label', this.#words.plot(left, `${this.#words.share}: ${share}`))
    const column = (read) => history.map(read)
    const data = [
      column(({ at }) => at / 1000),
      column(({ remaining }) => (remaining < 0 ? null : remaining)),
      column((slot) => slot.answers),
      column((slot) => slot.throttled || null),
    ]
    const drawn = `${JSON.stringify(data)} ${quota.limit} ${Math.floor(now / 5000)}`
    this.#none.hidden = history.length > 0
    this.#more.hidden = history.length === 0
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#last = { data, limit: quota.limit || 100, now }
    if (this.#plot) {
      this.#plot.setData(data, true)
    } else {
      this.#make()
    }
    this.#table()
  }

  #table() {
    if (!this.#more.open || !this.#last) return
    const [at, left, answers, throttled] = this.#last.data
    const f = this.#format
    this.#rows.replaceChildren(...at.map((second, i) => h('tr', {},
      h('th', { scope: 'row' }, f.time(second * 1000)),
      h('td', {}, left[i] === null ? this.#words.unreadable : f.n(left[i])), h('td', {}, f.n(answers[i])), h('td', {}, f.n(throttled[i] ?? 0)))).reverse())
  }

  #make() {
    const width = this.#box.clientWidth
    if (!width || !this.#last) return // not shown: resize comes when it is
    const style = getComputedStyle(this.#host)
    const colour = (name) => style.getPropertyValue(`--_${name}`).trim()
    const font = `11px ${style.fontFamily}`
    const axis = { stroke: colour('quiet'), font, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } }
    const bars = (stroke) => ({ scale: 'n', stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 14, 2] }) })
    this.#plot = new uPlot({
      width, height: HEIGHT, padding: [8, 10, 0, 0],
      legend: { show: false }, cursor: { show: false },
      scales: {
        x: { range: () => [this.#last.now / 1000 - SPAN_S, this.#last.now / 1000] },
        y: { range: () => [0, this.#last.limit] },
        n: { range: (_, min, max) => [0, 3 * Math.max(4, max ?? 0)] }, // the lower third
      },
      axes: [
        { ...axis, size: 26, space: 64, values: (_, ticks) => ticks.map((s) => this.#format.minute(s * 1000)) },
        { ...axis, size: 36, space: 34 },
      ],
      series: [
        {},
        { stroke: colour('accent'), width: 2, fill: colour('accent-soft'), paths: uPlot.paths.stepped({ align: 1 }), points: { show: true, size: 5, fill: colour('accent') } },
        bars(colour('good')),
        bars(colour('bad')),
      ],
    }, this.#last.data, this.#box)
    this.#plot.root.setAttribute('aria-hidden', 'true')
  }

  /** The box has another width now. */
  resize() {
    if (!this.#plot) this.#make()
    else if (this.#box.clientWidth && this.#box.clientWidth !== this.#plot.width) this.#plot.setSize({ width: this.#box.clientWidth, height: HEIGHT })
  }

  /** The theme changed: a canvas does not hear of it. */
  recolour() {
    if (!this.#plot) return
    this.#plot.destroy()
    this.#plot = null
    this.#make()
  }

  destroy() {
    this.#plot?.destroy()
    this.#plot = null
    put(this.#rows, '')
  }
}
