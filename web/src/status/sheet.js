import uplot from 'uplot/dist/uPlot.min.css'
import own from './style.css'
import { h } from './dom.js'

let made

/** Gives a shadow root the component's style. A constructed sheet needs no leave of a Content-Security-Policy. */
export function dress(root) {
  if (!root.adoptedStyleSheets) { // Safari before 16.4: a policy must allow inline styles there
    root.append(h('style', {}, uplot + own))
    return
  }
  if (!made) {
    made = new CSSStyleSheet()
    made.replaceSync(uplot + own)
  }
  root.adoptedStyleSheets = [made]
}
