// The demo Mini-App. With ?control= a test program drives it instead of a person.
import { speak, words, inWords } from './words.js'
import { byAddress, open, sandboxClock } from './outbox.js'
import { startChat } from './chat.js'
import { startDrawer } from './drawer.js'
import { startFiles } from './files.js'
import { startSwitches } from './switches.js'

speak()
startDrawer()
const wanted = new URLSearchParams(location.search)
const trouble = document.querySelector('#trouble')

/** Says what went wrong; '' for nothing. */
const complain = (text) => {
  trouble.textContent = text
  trouble.hidden = !text
}

/** Puts an opened outbox on the screen; without a clock that it may move, time goes its own way. */
const show = (keep, clock) => {
  startChat(keep)
  startFiles(keep)
  startSwitches(keep, clock, complain)
  // the view is a file of its own: it comes after the chat
  import('/dist/status.js').then(
    () => { document.querySelector('#status').keep = keep },
    (error) => complain(inWords(error)))
}

if (wanted.has('control')) {
  const { obey } = await import('./control.js')
  obey(wanted.get('control'), show)
} else {
  try {
    const clock = await sandboxClock()
    show(await open({ ...byAddress(wanted), now: clock.now }), clock)
  } catch (error) {
    complain(`${words.openFailed}\n${inWords(error)}`)
  }
}
