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
 */
export async function audit(lines, holdings, status) {
  let rows
  try {
    rows = lines.split('\n').filter(Boolean).map((text) => ({ text, row: JSON.parse(text) }))
  } catch {
    throw new KeepError('INTERNAL', 'a row of the ledger is no JSON: export it as ndjson and look at it')
  }
  rows.sort((a, b) => a.row.n - b.row.n)
  const known = new Set(holdings)
  for (const { row } of rows) {
    for (const { id } of row.notes ?? []) known.add(segment(id))
    for (const id of [row.dead, row.replaced, row.rewritten].flat()) if (id) known.add(segment(id))
  }
  // When the first rows are gone with their 30 days, what was settled before the oldest first attempt is unknown.
  const cut = rows.length > 0 && rows[0].row.n > 0 && rows[0].row.kind !== 'purged'
  const oldest = rows.find(({ row }) => row.attempt === 1 && row.notes)
  const floor = !cut ? 0 : oldest ? Math.min(...oldest.row.notes.map(({ id }) => segment(id))) : Infinity
  const numbers = [...known].filter((n) => n >= floor).sort((a, b) => a - b)
  let missing = 0
  let longestGap = 0
  for (let i = 1; i < numbers.length; i++) {
    const gap = numbers[i] - numbers[i - 1] - 1
    missing += gap
    longestGap = Math.max(longestGap, gap)
  }
  const { delivered = 0, pending = 0, parked = 0, dead = 0 } = status
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
