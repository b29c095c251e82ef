import { KeepPlugin, lineKeep, openKeep } from '/dist/index.js'

const base = (channelId, options) => ({
  destination: lineKeep({ channelId, baseURL: location.origin }), maxQueueBytes: 1e9, ...options,
})

/** The outbox by openKeep. It does not send: realtime is off. */
export const keep = {
  async open({ strict }) {
    const name = `16500${strict ? '10' : '20'}001`
    const outbox = await openKeep({ ...base(name), durability: strict ? 'strict' : 'relaxed', token: () => null })
    await outbox.realtime(false)
    return { append: (event) => outbox.append(event), clear: () => outbox.purge(), close: () => outbox.close() }
  },
}

/** The same as a LIFF plugin: liff.$keep.append. */
export const plugin = {
  async open({ strict }) {
    const liff = { use(p) { this.$keep = p.install({ liff: this }) }, getAccessToken: () => null, getContext: () => ({ userId: 'U1' }), id: '1-a', ready: Promise.resolve() }
    liff.use(new KeepPlugin({ ...base(`16500${strict ? '30' : '40'}001`), user: 'U1', durability: strict ? 'strict' : 'relaxed', token: () => null }))
    const outbox = liff.$keep
    await outbox.append({ conversationId: 'first', messages: [{ from: 'operator', text: 'first' }] })
    await outbox.realtime(false)
    await outbox.purge() // with it the inbox is taken over
    return { append: (event) => outbox.append(event), clear: () => outbox.purge(), close: () => outbox.close() }
  },
}
