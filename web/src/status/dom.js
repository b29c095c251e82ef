// The little DOM that the component needs. Nothing here takes markup as text: it runs under Trusted Types.

/** An element with attributes and children; a function among the attributes listens to the event of that name. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value != null) element.setAttribute(name, value)
  }
  element.append(...children.filter((child) => child != null))
  return element
}

/** Writes a text, unless it is there already: a live region would speak it again. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}

const SVG = 'http://www.w3.org/2000/svg'

// Of a 24 by 24 picture, drawn as lines.
const paths = {
  ok: 'M4.5 12.5l5 5 10-11',
  wait: 'M12 6.5V12l3.5 2.5M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18',
  send: 'M12 19V5M5.5 11.5L12 5l6.5 6.5',
  warn: 'M12 9v5m0 3v.2M10.3 4.2L2.7 17.5A2 2 0 0 0 4.4 20.5h15.2a2 2 0 0 0 1.7-3L13.7 4.2a2 2 0 0 0-3.4 0',
  pause: 'M9 5.5v13M15 5.5v13',
  key: 'M14.5 9.5a4.5 4.5 0 1 0-4.2 4.5l1.9 0v2.2h2.3v2.3h4.3v-3.6l-4.6-4.4M8.5 9h.1',
}

/** An icon beside words that say the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg')
  for (const [key, value] of [['viewBox', '0 0 24 24'], ['aria-hidden', 'true'], ['focusable', 'false']]) svg.setAttribute(key, value)
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', paths[name])
  svg.append(path)
  return svg
}

/** Hands a blob to the browser's downloads. */
export function download(blob, name) {
  const link = h('a', { href: URL.createObjectURL(blob), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
