import type { Keep } from './index.js'

/**
 * <keep-status>: a web component that draws status(): what is kept, when it goes, the quota over time, dead letters with
 * retry and discard, and the export of the ledger. Importing this file defines it.
 *
 * Attributes: `lang` (ja, en or th; default: the page's language), `theme` (light or dark; default: the system's).
 * Colours can be set on it as --keep-background, --keep-ink, --keep-quiet, --keep-line, --keep-soft, --keep-accent,
 * --keep-on-accent, --keep-info, --keep-warn, --keep-bad and the -soft variants of the last three.
 */
export class KeepStatus extends HTMLElement {
  /** The outbox to show; null for none. */
  keep: Keep | null
}

declare global {
  interface HTMLElementTagNameMap {
    'keep-status': KeepStatus
  }
}
