import { KeepError, wrong } from './errors.js'
import { Front } from './front.js'
import { checkOptions, outboxName } from './options.js'

const installed = new WeakMap() // liff → {text, front, face}
let latest = null // of installed

/**
 * The plugin for the LIFF SDK: liff.use(new KeepPlugin({destination})), or liff.use(new KeepPlugin(), {destination}), puts the
 * outbox on liff.$keep. It starts by itself, needs no init hook, and nothing of it rejects or delays liff.init.
 */
export function KeepPlugin(options) {
  if (!new.target) throw withoutNew()
  if (options !== undefined) {
    checkOptions(options, 'new KeepPlugin')
    if (latest && !latest.front.closed && latest.text !== asText(options)) throw twice() // the SDK would ignore it without a word
  }
  this.name = 'keep'
  this.install = ({ liff, hooks } = {}, more) => install(liff, hooks, { ...options, ...more })
}

// What the SDK calls when it is given the class itself.
KeepPlugin.install = () => { throw withoutNew() }

function install(liff, hooks, options) {
  checkOptions(options, 'new KeepPlugin')
  if (options.token !== undefined && typeof options.token !== 'function') throw wrong('token is a function: leave it out, or pass token: () => liff.getAccessToken()')
  const text = asText(options)
  const before = installed.get(liff)
  if (before && !before.front.closed) {
    if (before.text !== text) throw twice()
    return before.face
  }
  const user = whoIs(liff, options)
  const token = options.token ?? (() => {
    const now = user.who()
    return bound && now.user === bound.user ? liff.getAccessToken?.() : null // another user has logged in: not with this token
  })
  let bound = null
  const who = () => {
    const now = user.who()
    if (typeof now === 'string') return now
    bound ??= now
    return { ...now, database: outboxName({ ...options, ...now }) }
  }
  const front = new Front({ ...options, token }, who)
  latest = { text, front, face: front.face() }
  installed.set(liff, latest)
  const initialized = () => {
    user.initialized()
    front.hint()
  }
  try {
    hooks?.init?.after?.(async () => { initialized() }) // a hint: under @line/liff-mock it never comes, nor does ready
    liff?.ready?.then?.(initialized, () => {})
  } catch {} // whatever the SDK does here, it is no reason to keep liff.init from working
  front.idle()
  return latest.face
}

/**
 * Whose rows these are: who() answers {user, liffId}, 'init', 'login', or 'module' for @line/liff/core without access tokens.
 * While liff.init is under way the SDK still holds what it stored last time, maybe another user's: that is believed only when
 * init is over. The mock has no LIFF ID, and throws until its init was called.
 */
export function whoIs(liff, { user, token }) {
  let done = false
  return {
    initialized() { done = true },
    who() {
      try {
        const { id: liffId } = liff
        if (done && !token && !liff.getAccessToken) return 'module'
        if (user !== undefined) return { user: String(user), liffId: '' }
        if (!done && liffId) return 'init'
        const context = done ? liff.getContext?.() : liff.getContext() // throws before init
        if (!token && !liff.getAccessToken?.()) return 'login' // what isLoggedIn says in the SDK; the mock's has a will of its own
        return { user: context?.userId || liff.getDecodedIDToken?.()?.sub || 'default', liffId: liffId ?? '' }
      } catch {
        return 'init'
      }
    },
  }
}

// Options as one text, to tell a repeated use (StrictMode, a reloaded module) from another one; functions do not count, nor how the module comes.
const asText = (options) => JSON.stringify(Object.entries(options).filter(([name, v]) => name !== 'wasm' && v !== undefined && typeof v !== 'function').sort(([a], [b]) => (a < b ? -1 : 1)))

const withoutNew = () => new KeepError('INVALID_EVENT', 'KeepPlugin is a class: write liff.use(new KeepPlugin({destination})), with new')

const twice = () => new KeepError('INVALID_EVENT', 'KeepPlugin is in use already, with other options, and the SDK keeps the first: call liff.use(new KeepPlugin(…)) once, in one place')
