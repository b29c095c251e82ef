// The customer-service chat: the person types, a desk answers with canned lines,
// and the ended conversation is archived as one event.
import { words, language, onLanguage, inWords } from './words.js'

const newId = () => `chat-${new Date().toISOString().replace(/\D/g, '')}-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`
const ANSWER_MS = 900

/** Wires the chat; conversations go to `keep.append`. */
export const startChat = (keep) => {
  const list = document.querySelector('#messages')
  const form = document.querySelector('#say')
  const text = document.querySelector('#text')
  const end = document.querySelector('#end')
  const shown = document.querySelector('#receipt')
  const suggestions = document.querySelector('#suggestions')

  let conversation
  let turn = 0
  let answer
  let typing

  const bubble = (from, ...children) => {
    const item = document.createElement('li')
    item.className = from
    item.append(...children)
    list.append(item)
    list.scrollTop = list.scrollHeight
    return item
  }

  const add = (from, said) => {
    const at = new Date(keep.status().now)
    conversation.messages.push({ from, text: said, at: at.toISOString() })
    const time = document.createElement('time')
    time.dateTime = at.toISOString()
    time.textContent = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
    const what = document.createElement('span')
    what.className = 'said'
    what.textContent = said
    bubble(from, what, time)
  }

  const quiet = () => {
    clearTimeout(answer)
    typing?.remove()
    typing = undefined
  }

  const reply = () => {
    quiet()
    typing = bubble('operator typing', ...Array.from({ length: 3 }, () => document.createElement('i')))
    typing.setAttribute('aria-hidden', 'true')
    answer = setTimeout(() => {
      quiet()
      add('operator', words.canned[turn % words.canned.length])
      turn++
      suggest()
    }, ANSWER_MS)
  }

  const say = (said) => {
    shown.hidden = true
    add('customer', said)
    end.disabled = false
    reply()
  }

  // What a person may say next, to be chosen instead of typed.
  const suggest = () => {
    const next = words.suggested[turn]
    suggestions.hidden = !next
    suggestions.replaceChildren(...(next ?? []).map((said) => {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = said
      button.addEventListener('click', () => {
        suggestions.hidden = true
        say(said)
        text.focus()
      })
      return button
    }))
  }

  const begin = () => {
    quiet()
    conversation = { conversationId: newId(), messages: [] }
    turn = 0
    add('operator', words.greeting)
    end.disabled = true
    suggest()
  }

  const show = (bad, [first, ...lines]) => {
    shown.className = bad ? 'receipt bad' : 'receipt'
    const title = document.createElement('strong')
    title.textContent = first
    const more = document.createElement('span')
    more.textContent = lines.join('\n')
    shown.replaceChildren(title, '\n', more)
    shown.hidden = false
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const said = text.value.trim()
    if (!said) return
    text.value = ''
    say(said)
  })

  end.addEventListener('click', async () => {
    quiet()
    const ended = { ...conversation, lang: language, endedAt: new Date(keep.status().now).toISOString() }
    end.disabled = true
    try {
      const receipt = await keep.append(ended)
      bubble('ended', words.ended)
      begin()
      show(false, [words.kept, words.keptMore, `noteId: ${receipt.noteId}`])
    } catch (error) { // the conversation stays on the screen: it is not archived
      show(true, [words.refusedOne, inWords(error)])
      end.disabled = false
    }
  })

  onLanguage(() => {
    if (conversation.messages.length > 1) return suggest()
    list.lastElementChild.remove() // only the greeting was said: it is said again
    begin()
  })
  new ResizeObserver(() => { list.scrollTop = list.scrollHeight }).observe(list) // suggestions, a receipt, a keyboard on the screen
  begin()
}
