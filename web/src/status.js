// <keep-status>: shows people what is kept, when it goes, and what became of it. A file of its own, loaded where it is
// shown: build.sh bundles it with uPlot into dist/status.js. In a page:
//
//   import '/dist/status.js'
//   document.querySelector('keep-status').keep = keep        // of openKeep
//
// Attributes: lang="ja|en|th" (default: the page's), theme="light|dark" (default: the system's). In Node it is inert.
import { KeepStatus } from './status/element.js'

export { KeepStatus }

if (globalThis.customElements && !customElements.get('keep-status')) customElements.define('keep-status', KeepStatus)
