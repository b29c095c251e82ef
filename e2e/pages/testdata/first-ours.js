// As soon as the page's script runs, one append through liff.$keep, before liff.init and before the module.
import { KeepPlugin, lineKeep } from '/dist/index.js'
import { event, next } from '/e2e/first.js'

const liff = { use(plugin) { this.$keep = plugin.install({ liff: this }) } }
liff.use(new KeepPlugin({ destination: lineKeep({ channelId: '1650000001', baseURL: location.origin }) }))
await liff.$keep.append(event)
next(performance.now())
