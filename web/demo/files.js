// A file of conversations, JSON Lines: dropped, chosen, or the sample.
import { archive } from './outbox.js'
import { words, inWords } from './words.js'

const shownRefusals = 20

/** Wires the file section; conversations go to `keep.append`. */
export const startFiles = (keep) => {
  const drop = document.querySelector('#drop')
  const file = document.querySelector('#file')
  const sample = document.querySelector('#sample')
  const progress = document.querySelector('#progress')
  const bar = document.querySelector('#bar')
  const result = document.querySelector('#result')
  const refusedList = document.querySelector('#refused')

  const busy = (yes) => { file.disabled = sample.disabled = yes }

  const refuse = (number, error) => {
    if (refusedList.childElementCount >= shownRefusals) return
    const item = document.createElement('li')
    item.textContent = `${words.line(number)}: ${inWords(error)}`
    refusedList.append(item)
    refusedList.hidden = false
  }

  const take = async (text) => {
    const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 })).filter(({ line }) => line)
    let kept = 0
    let refused = 0
    const show = () => {
      bar.max = Math.max(lines.length, 1)
      bar.value = kept + refused
      result.textContent = words.archived(kept, lines.length, refused)
    }
    refusedList.replaceChildren()
    refusedList.hidden = true
    progress.hidden = false
    show()

    const conversations = []
    for (const { line, number } of lines) {
      try {
        conversations.push({ number, value: JSON.parse(line) })
      } catch (error) {
        refused++
        refuse(number, error)
      }
    }
    await archive(keep, conversations.map(({ value }) => value), {
      answered: ({ index, error }) => {
        if (error) {
          refused++
          refuse(conversations[index].number, error)
        } else {
          kept++
        }
        show()
      },
    })
  }

  const run = async (read) => {
    busy(true)
    try {
      await take(await read())
    } catch (error) {
      progress.hidden = false
      result.textContent = inWords(error)
    } finally {
      busy(false)
    }
  }

  file.addEventListener('change', () => {
    const [chosen] = file.files
    if (chosen) run(() => chosen.text())
    file.value = ''
  })
  sample.addEventListener('click', () => run(async () => {
    const response = await fetch('sample.jsonl')
    if (!response.ok) throw new Error(`sample.jsonl: ${response.status}`)
    return response.text()
  }))
  drop.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over') })
  drop.addEventListener('dragleave', () => drop.classList.remove('over'))
  drop.addEventListener('drop', (event) => {
    event.preventDefault()
    drop.classList.remove('over')
    const [dropped] = event.dataTransfer.files
    if (dropped && !file.disabled) run(() => dropped.text())
  })
  busy(false)
}
