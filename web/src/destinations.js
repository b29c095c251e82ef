import { oneOf, wrong } from './errors.js'

/**
 * LINE Keep as a destination. No public Keep write API answers today: the service is emulated per the guide, and baseURL
 * has no default but your own sandbox.
 * @param {{channelId?: string, baseURL?: string, tier?: 'miniapp'|'server', maxNoteBytes?: number}} options
 */
export function lineKeep({ channelId = '', baseURL, tier = 'miniapp', maxNoteBytes = 0 } = {}) {
  oneOf('tier', tier, ['miniapp', 'server'])
  return { service: 'line', channelId: String(channelId), baseURL: address('lineKeep', baseURL), tier, maxNoteBytes }
}

// address checks a base URL: credentials go there, so it is https, or a loopback address for the sandbox. Which host
// serves Keep has changed before (L10.4), so it is configuration.
function address(factory, baseURL) {
  let url
  try {
    url = new URL(baseURL)
  } catch {
    throw wrong(`${factory} needs baseURL, the address of the service, e.g. http://127.0.0.1:8787 for the sandbox`)
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw wrong(`baseURL ${url.origin} is not https: access tokens would travel in the clear`)
  }
  if (url.username || url.password || url.search || url.hash) throw wrong('baseURL may hold no credentials, query or fragment')
  return url.href.replace(/\/+$/, '')
}
