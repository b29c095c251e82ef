// What is left of 100 events after the service has answered 429 for two seconds. Peers send to an address that says nothing else.
import { lineKeep, openKeep } from '/dist/index.js'
import { events } from '/bench/page/events.js'
import { load } from '/bench/page/variants.js'
import { freshToken } from '/outbox.js'

const sleep = (ms) => new Promise((r) => { setTimeout(r, ms) })

export const refused = {
  /** {variant, size} → {left, of} */
  async refused({ variant, ...options }) {
    const peer = await (await load(variant)).open({ strict: false, address: '/bench/sink', ...options })
    await peer.clear()
    for (const e of events(0, 100)) await peer.append(e)
    const before = await peer.left()
    await Promise.race([Promise.resolve(peer.send()).catch(() => {}), sleep(2000)])
    await sleep(2000)
    const left = await peer.left()
    peer.close()
    return { left, of: before }
  },
  /** The same for the outbox; the sandbox was told to refuse. → {left, of} */
  async refusedKeep() {
    const keep = await openKeep({ destination: lineKeep({ channelId: '1650000008', baseURL: location.origin }), token: freshToken, durability: 'relaxed' })
    await Promise.all(events(0, 100).map((e) => keep.append(e)))
    keep.flush().catch(() => {})
    await sleep(4000)
    const { pending, parked, delivered } = keep.status()
    const { accepted } = await keep.ledger.audit()
    keep.close()
    if (delivered > 0) throw new Error('the sandbox did not refuse')
    return { left: pending + parked, of: accepted }
  },
}
