// From a click to the request: the moment in which fetch is called, with a token function that takes 12 ms as LINE's may.
import { lineKeep, openKeep } from '/dist/index.js'
import { event } from '/bench/page/events.js'
import { wire } from '/bench/page/backlog.js'
import { freshToken } from '/outbox.js'

const sleep = (ms) => new Promise((r) => { setTimeout(r, ms) })

export const click = {
  /** {ahead, times}: `ahead`: the finger was down 80 ms before the click, so that the token is fetched meanwhile → {each: [ms]} */
  async click({ ahead, times }) {
    const keep = await openKeep({
      destination: lineKeep({ channelId: '1650000007', baseURL: location.origin }), durability: 'relaxed',
      async token() {
        await sleep(12)
        return freshToken()
      },
    })
    const button = document.querySelector('#send')
    const each = []
    for (let i = 0; i < times; i++) {
      await keep.append(event(i))
      await sleep(260) // the debounce is over, as when a person reads before they click
      const went = wire()
      if (ahead) {
        button.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))
        await sleep(80)
      }
      const began = performance.now()
      const flushed = keep.flush()
      each.push(await went - began)
      await flushed
    }
    keep.close()
    return { each }
  },
}
