// The live status panel: it computes nothing, it draws what keep.subscribe says.
import { words, inWords } from './words.js'

const countNames = ['pending', 'sealed', 'uncertain', 'parked', 'dead', 'delivered']

const pair = (name, value, bad) => {
  const row = document.createElement('div')
  if (bad) row.className = 'bad'
  const term = document.createElement('dt')
  const what = document.createElement('dd')
  term.textContent = name
  what.textContent = value
  row.append(term, what)
  return row
}

const clockTime = (at) => at == null ? words.none : new Date(at).toLocaleTimeString()
const yesNo = (value) => value == null ? words.unknown : value ? words.yes : words.no
const kilobytes = (bytes) => bytes == null ? words.unknown : `${Math.ceil(bytes / 1024).toLocaleString()} KiB`

const facts = ({ quota, breaker, nextFlush, token, storage, leader }) => [
  [words.quota, quota?.remaining == null || quota.readable === false ? words.unknown : `${quota.remaining} / ${quota.limit}`],
  [words.breaker, breaker?.state + (breaker?.state !== 'closed' && breaker?.until ? ` ${words.until} ${clockTime(breaker.until)}` : '')],
  [words.nextFlush, clockTime(nextFlush)],
  [words.token, token],
  [words.storage, kilobytes(storage?.usage)],
  [words.leader, yesNo(leader)],
]

/** Draws the status of `keep` from now on, and wires the buttons beside it. */
export const startPanel = (keep) => {
  const counts = document.querySelector('#counts')
  const factList = document.querySelector('#facts')
  const alarms = document.querySelector('#alarms')
  const flush = document.querySelector('#flush')
  const ledger = document.querySelector('#ledger')
  const realtime = document.querySelector('#realtime')
  const dead = document.querySelector('#dead')
  const deadList = document.querySelector('#dead-list')
  const trouble = document.querySelector('#trouble')

  const attempt = async (action) => {
    try {
      await action()
      trouble.hidden = true
    } catch (error) {
      trouble.textContent = inWords(error)
      trouble.hidden = false
    }
  }

  const button = (text, action) => {
    const element = document.createElement('button')
    element.type = 'button'
    element.textContent = text
    element.addEventListener('click', () => attempt(action))
    return element
  }

  let drawnDead = 0
  const drawDead = async () => {
    const letters = await keep.dead.list()
    deadList.replaceChildren(...letters.map((letter) => {
      const item = document.createElement('li')
      item.textContent = `${letter.noteId ?? letter.id}: ${inWords(letter)} `
      item.append(document.createElement('br'),
        button(words.retry, () => keep.dead.retry(letter.id)),
        button(words.discard, () => keep.dead.discard(letter.id)))
      return item
    }))
    dead.hidden = letters.length === 0
  }

  const draw = (status) => {
    counts.replaceChildren(...countNames.map((name) => pair(words[name], status[name] ?? 0, name === 'dead' && status.dead > 0)))
    factList.replaceChildren(...facts(status).map(([name, value]) => pair(name, value ?? words.unknown)))
    const list = status.alarms ?? []
    alarms.replaceChildren(...list.map((alarm) => {
      const item = document.createElement('li')
      item.textContent = typeof alarm === 'string' ? alarm : inWords(alarm)
      return item
    }))
    alarms.hidden = list.length === 0
    realtime.checked = status.realtime !== false
    if (status.dead !== drawnDead) {
      drawnDead = status.dead
      attempt(drawDead)
    }
  }

  flush.addEventListener('click', () => attempt(() => keep.flush()))
  realtime.addEventListener('change', () => attempt(() => keep.realtime(realtime.checked)))
  ledger.addEventListener('click', () => attempt(async () => {
    const blob = await keep.ledger.export({ format: 'csv' })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = 'ledger.csv'
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }))
  flush.disabled = ledger.disabled = realtime.disabled = false
  return keep.subscribe(draw)
}
