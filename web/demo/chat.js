// The customer-service chat: the person types, a desk answers with canned lines,
// and the ended conversation is archived as one event.
import { words, inWords } from './words.js'

const canned = {
  ja: ['承知いたしました。少々お待ちください。', 'ご予約番号をお伺いできますでしょうか。', 'お調べいたしました。変更可能でございます。', 'ほかにご用件はございますか。'],
  th: ['รับทราบค่ะ กรุณารอสักครู่นะคะ', 'ขอหมายเลขการจองด้วยค่ะ', 'ตรวจสอบแล้ว เปลี่ยนวันได้ค่ะ', 'มีอะไรให้ช่วยเพิ่มเติมไหมคะ'],
  en: ['Certainly, one moment please.', 'May I have your booking number?', 'I have looked it up: it can be changed.', 'Is there anything else?'],
}

const scriptOf = (text) => /[\u0e00-\u0e7f]/.test(text) ? 'th' : /[\u3040-\u30ff\u4e00-\u9fff]/.test(text) ? 'ja' : 'en'

const newId = () => `chat-${new Date().toISOString().replace(/\D/g, '')}-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`

/** Wires the chat; answers go to `keep.append`. */
export const startChat = (keep) => {
  const list = document.querySelector('#messages')
  const form = document.querySelector('#say')
  const text = document.querySelector('#text')
  const end = document.querySelector('#end')
  const shown = document.querySelector('#receipt')
  text.placeholder = words.say
  text.setAttribute('aria-label', words.say)

  let conversation
  let turn = 0
  let answer

  const add = (from, said) => {
    conversation.messages.push({ from, text: said, at: new Date().toISOString() })
    const item = document.createElement('li')
    item.className = from
    item.textContent = said
    list.append(item)
    list.scrollTop = list.scrollHeight
  }

  const begin = () => {
    clearTimeout(answer)
    conversation = { conversationId: newId(), messages: [] }
    turn = 0
    list.replaceChildren()
    add('operator', words.greeting)
    end.disabled = true
  }

  const show = (bad, lines) => {
    shown.className = bad ? 'receipt bad' : 'receipt'
    shown.textContent = lines.join('\n')
    shown.hidden = false
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const said = text.value.trim()
    if (!said) return
    text.value = ''
    add('customer', said)
    end.disabled = false
    clearTimeout(answer)
    answer = setTimeout(() => add('operator', canned[scriptOf(said)][turn++ % 4]), 600)
  })

  end.addEventListener('click', async () => {
    const ended = { ...conversation, endedAt: new Date().toISOString() }
    end.disabled = true
    try {
      const receipt = await keep.append(ended)
      show(false, [words.kept, `noteId: ${receipt.noteId}`, `id: ${receipt.id}`, `${receipt.bytes} bytes`])
      begin()
    } catch (error) { // the conversation stays on the screen: it is not archived
      show(true, [words.refusedOne, inWords(error)])
      end.disabled = false
    }
  })

  begin()
}
