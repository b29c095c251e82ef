import { KeepError } from './errors.js'

const encoder = new TextEncoder()

/**
 * What an auditor asks of the ledger (L1.2, L1.3): is anything missing, and was the ledger touched?
 *
 * `lines` is the ledger as NDJSON, `holdings` the numbers of all open segments that something on disk came from, `status`
 * the counts. Every event has an id "segment.index"; segments are numbered without a gap. A number between the first and
 * the last known one that neither the ledger nor the disk knows is missing: an event the page was told is safe went
 * without a trace. Resolves with
 * {accepted, delivered, pending, parked, dead, missing, missingRate, longestGap, chain: {ok, rows, brokenAt}}.
 *
 * `span` {from, to}, unix ms, judges the rows with from ≤ at < to. A number is of the time of the first row that names it, what
 * is only on disk of the time of the last row; a gap is of the time of the number behind it, so that spans side by side count
 * each gap once. A number that is known outside the span is known. Without a span, delivered is the count of the status, which
 * knows of rows older than the ledger too.
 */
export async function audit(lines, holdings, status, { from = 0, to = Infinity } = {}) {
  let rows
  try {
    rows = lines.split('\n').filter(Boolean).map((text) => ({ text, row: JSON.parse(text) }))
  } catch {
    throw new KeepError('INTERNAL', 'a row of the ledger is no JSON: export it as ndjson and look at it')
  }
  rows.sort((a, b) => a.row.n - b.row.n)
  const inside = (at) => at >= from && at < to
  const known = new Map() // number → when it was settled first
  const settled = (id, at) => known.set(segment(id), Math.min(at, known.get(segment(id)) ?? Infinity))
  const stored = new Set() // ids that the rows of the span delivered
  let newest = from // without rows, what is on disk is of every span
  for (const { row } of rows) {
    newest = row === rows[0].row ? row.at : Math.max(newest, row.at)
    for (const { id } of row.notes ?? []) {
      settled(id, row.at)
      if (row.kind === 'attempt' && inside(row.at)) stored.add(id)
    }
    for (const id of [row.dead, row.replaced, row.rewritten].flat()) if (id) settled(id, row.at)
  }
  for (const n of holdings) if (!known.has(n)) known.set(n, newest)
  // When the first rows are gone with their 30 days, what was settled before the oldest first attempt is unknown.
  const cut = rows.length > 0 && rows[0].row.n > 0 && rows[0].row.kind !== 'purged'
  const oldest = rows.find(({ row }) => row.attempt === 1 && row.notes)
  const floor = !cut ? 0 : oldest ? Math.min(...oldest.row.notes.map(({ id }) => segment(id))) : Infinity
  const numbers = [...known.keys()].filter((n) => n >= floor).sort((a, b) => a - b)
  let missing = 0
  let longestGap = 0
  for (let i = 1; i < numbers.length; i++) {
    if (!inside(known.get(numbers[i]))) continue
    const gap = numbers[i] - numbers[i - 1] - 1
    missing += gap
    longestGap = Math.max(longestGap, gap)
  }
  const { pending = 0, parked = 0, dead = 0 } = status
  const delivered = from > 0 || to < Number.MAX_SAFE_INTEGER ? stored.size : status.delivered ?? 0
  const accepted = delivered + pending + parked + dead
  return {
    accepted, delivered, pending, parked, dead, missing,
    missingRate: accepted + missing === 0 ? 0 : missing / (accepted + missing), longestGap, chain: await chain(rows),
  }
}

const segment = (id) => Number(id.slice(0, id.indexOf('.')))

// Each row's chain is the sha256 of the chain before, a line feed, and the row without its own. Rows are numbered: one
// that was taken out leaves a gap, one that was changed breaks the link. The first row has nothing before it to check.
async function chain(rows) {
  const subtle = globalThis.crypto?.subtle
  if (!subtle || !rows.some(({ row }) => row.chain)) return { ok: null, rows: rows.length, brokenAt: null }
  for (let i = 0; i < rows.length; i++) {
    const { text, row } = rows[i]
    const before = i === 0 ? null : rows[i - 1]
    if (row.kind === 'purged' && !before) continue // a new ledger begins, in an emptied store
    if (before && row.n !== before.row.n + 1) return { ok: false, rows: rows.length, brokenAt: row.n }
    if (!before && row.n > 0) continue // older rows are gone with their 30 days
    const end = `,"chain":"${row.chain}"}`
    const bare = text.endsWith(end) ? `${text.slice(0, -end.length)}}` : text
    const sum = await subtle.digest('SHA-256', encoder.encode(`${before?.row.chain ?? ''}\n${bare}`))
    if (hex(sum) !== row.chain) return { ok: false, rows: rows.length, brokenAt: row.n }
  }
  return { ok: true, rows: rows.length, brokenAt: null }
}

const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('')
