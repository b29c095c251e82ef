// A LIFF app that the test drives: window.scene is what it does. The address is the app's endpoint URL, and says
// ?sdk=full|core|mock|…&liff=LIFF_ID&sandbox=URL.
import { KeepPlugin, lineKeep } from 'liff-keep'

const query = new URLSearchParams(location.search)
const liffId = query.get('liff')

const sdks = {
  full: async () => (await import('@line/liff')).default,
  async core() {
    const { default: liff } = await import('@line/liff/core')
    const modules = await Promise.all([
      import('@line/liff/get-access-token'), import('@line/liff/is-logged-in'), import('@line/liff/get-context'),
      import('@line/liff/login'), import('@line/liff/logout'), import('@line/liff/close-window'),
    ])
    for (const { default: Module } of modules) liff.use(new Module())
    return liff
  },
  async oldest() { // that has plugins
    const { default: liff } = await import('liff-oldest')
    return liff.default ?? liff
  },
  async bare() { return (await import('@line/liff/core')).default },
  async mock() {
    const { LiffMockPlugin } = await import('@line/liff-mock')
    return (await sdks.full()).use(new LiffMockPlugin())
  },
}

const liff = await sdks[query.get('sdk')]()
const config = query.get('sdk') === 'mock' ? { liffId, mock: true } : { liffId }
const errors = [] // that nobody caught
addEventListener('error', ({ message }) => errors.push(message))
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))

const destination = () => lineKeep({ channelId: '1650000001', baseURL: query.get('sandbox') })

window.scene = {
  liff, errors, KeepPlugin, destination,
  /** Codes that the plugin told of. */
  told: [],
  /** The KeepErrors behind them. */
  recipes: [],
  use(options) {
    liff.use(new KeepPlugin({ destination: destination(), ...options }))
    liff.$keep.onAuth(({ code, message }) => {
      scene.told.push(code)
      scene.recipes.push(message)
    })
  },
  init: (more) => liff.init({ ...config, ...more }),
  keep: (conversationId) => liff.$keep.append({ conversationId, endedAt: Date.now(), messages: [{ from: 'customer', text: '予約を変更したいです' }] }),
  /** The last thing that a page does: what it appended, it leaves at once. */
  async keepAndClose(conversationId) {
    const receipt = await scene.keep(conversationId)
    setTimeout(() => liff.closeWindow()) // the answer to the test goes first
    return receipt
  },
}
