// From the navigation to the first durable append, as soon as the page's script runs.
const query = new URLSearchParams(location.search)
const variant = query.get('variant')

const first = {
  async 'liff-keep'() {
    const { lineKeep, openKeep } = await import('/dist/index.js')
    const keep = await openKeep({ destination: lineKeep({ channelId: '1650000009', baseURL: location.origin }), token: () => null, durability: 'relaxed' })
    const ready = performance.now()
    return { ready, append: (event) => keep.append(event) }
  },
  async 'liff-keep plugin'() {
    const { KeepPlugin, lineKeep } = await import('/dist/index.js')
    const liff = { use(p) { this.$keep = p.install({ liff: this }) } }
    liff.use(new KeepPlugin({ destination: lineKeep({ channelId: '1650000010', baseURL: location.origin }), user: 'U1', token: () => null, durability: 'relaxed' }))
    return { ready: 0, append: (event) => liff.$keep.append(event) }
  },
}

const { event } = await import('/bench/page/events.js')
const opened = await (first[variant] ?? (async () => {
  const { load } = await import('/bench/page/variants.js')
  const peer = await (await load(variant)).open({ strict: false })
  return { ready: performance.now(), append: (e) => peer.append(e) }
}))()
await opened.append(event(1))
const times = { ms: performance.now(), ready: opened.ready }
const { obey } = await import('/control.js')
obey(query.get('control'), () => {}, { more: () => ({ times: () => times }) })
