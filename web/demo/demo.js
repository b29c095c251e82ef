// The demo Mini-App. With ?control= a test program drives it instead of a person.
import { fill, words, inWords } from './words.js'
import { open, sandboxClock } from './outbox.js'
import { startChat } from './chat.js'
import { startFiles } from './files.js'
import { startPanel } from './panel.js'

fill()
const wanted = new URLSearchParams(location.search)

/** Puts an opened outbox on the screen. */
const show = (keep) => {
  startPanel(keep)
  startFiles(keep)
  startChat(keep)
}

if (wanted.has('control')) {
  const { obey } = await import('./control.js')
  obey(wanted.get('control'), show)
} else {
  try {
    const clock = await sandboxClock()
    show(await open({ channelId: wanted.get('channel') ?? undefined, ...(clock.differs ? { now: clock.now } : {}) }))
  } catch (error) {
    const trouble = document.querySelector('#trouble')
    trouble.textContent = `${words.openFailed}\n${inWords(error)}`
    trouble.hidden = false
  }
}
