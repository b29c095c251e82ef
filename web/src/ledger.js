// The ledger as a table for people. Loaded only when ledger.export is asked for csv.

// The columns, in order; the names are those of a row (outbox/ledger.go).
const columns = [
  ['at', (row) => new Date(row.at).toISOString()],
  ...['kind', 'api', 'channelId', 'userId', 'batch', 'attempt', 'status', 'quota_remaining', 'request_id', 'via', 'events', 'messages', 'bytes', 'note']
    .map((name) => [name, (row) => row[name]]),
  ['noteIds', (row) => words(row.notes, 'noteId')],
  ['sha256', (row) => words(row.notes, 'sha256')],
  ['dead', (row) => (row.dead ?? []).join(' ')],
]

/**
 * One line a ledger row, below a line of names: RFC 4180, lines end with CR LF. `at` is ISO 8601 in UTC; a note's id and its
 * SHA-256 stand at the same place of their lists. `lines` is NDJSON as the outbox keeps it.
 */
export function toCSV(lines) {
  const rows = lines.split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const table = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, read]) => cell(read(row))))]
  return table.map((cells) => `${cells.join(',')}\r\n`).join('')
}

// words joins one member of the notes; nothing when no note has it.
function words(notes = [], name) {
  return notes.some((note) => note[name]) ? notes.map((note) => note[name] ?? 'unknown').join(' ') : ''
}

// cell quotes what RFC 4180 wants quoted. A text that a spreadsheet would run as a formula gets an apostrophe: keys, user
// ids and channel ids come from the page. Numbers stay numbers.
function cell(value = '') {
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
