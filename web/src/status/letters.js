import { h, icon } from './dom.js'

/** Dead letters: why each was refused, and what can be done about it. */
export class Letters {
  #words
  #format
  #calls
  #attempt // (work, done) → promise of whether it worked
  #list = h('ul', { class: 'letters' })
  #heading
  #shown = ''

  constructor(words, format, calls, attempt) {
    this.#words = words
    this.#format = format
    this.#calls = calls
    this.#attempt = attempt
    this.#heading = h('h3', { tabindex: '-1' }, words.letters)
    this.element = h('section', { class: 'block dead', hidden: true, 'aria-label': words.letters }, this.#heading, this.#list)
  }

  /** Shows these dead letters, as of now (unix ms); an open question, and the focus, stay where they are when nothing changed. */
  draw(letters, now) {
    this.element.hidden = letters.length === 0
    const shown = JSON.stringify(letters)
    if (shown === this.#shown) return
    this.#shown = shown
    const focused = this.#list.contains(this.#list.getRootNode().activeElement)
    this.#list.replaceChildren(...letters.map((letter) => this.#letter(letter, now)))
    if (focused && letters.length > 0) this.#heading.focus()
  }

  #letter({ id, noteId, code, message, status, requestId, at, bytes }, now) {
    const w = this.#words
    const f = this.#format
    const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value))
    const actions = h('div', { class: 'actions' })
    const button = (text, click, kind) => h('button', { type: 'button', class: kind, 'aria-label': `${text}: ${noteId}`, click }, text)
    const busy = (yes) => { for (const one of actions.querySelectorAll('button')) one.disabled = yes }
    const does = (call, said) => async () => {
      busy(true)
      if (!await this.#attempt(() => call(id), () => said)) busy(false)
    }
    const choose = () => actions.replaceChildren(
      button(w.retry, does(this.#calls.retry, w.retried), 'main'),
      button(w.discard, ask, 'plain'))
    const ask = () => {
      actions.replaceChildren(h('span', { class: 'sure' }, w.sure),
        button(w.really, does(this.#calls.discard, w.discarded), 'danger'),
        button(w.keepIt, () => { choose(); actions.lastElementChild.focus() }, 'plain'))
      actions.lastElementChild.focus()
    }
    choose()
    return h('li', {},
      h('p', { class: 'why' }, icon('warn'), h('span', {}, Object.hasOwn(w.letter, code) ? w.letter[code] : w.letter.other)),
      h('p', { class: 'when' }, `${w.letterAt(f.clock(at, now))} · ${f.bytes(bytes)}`),
      h('details', { class: 'more' }, h('summary', {}, w.details), h('dl', { class: 'facts' },
        fact(w.noteId, noteId), fact(w.reason, `${code}: ${message}`), fact(w.httpStatus, status ? String(status) : w.noAnswer),
        requestId ? fact(w.requestId, requestId) : null)),
      actions)
  }
}
