import { RequestBatcher } from '/peers/mixpanel.js'

// The batcher behind mixpanel.track, on localStorage as there. enqueue resolves when localStorage.setItem has returned: in the
// browser's memory, written to disk by another process some seconds later.
export const mixpanel = {
  async open({ address = '/bench/sink', size = 50 }) {
    const store = `bench mixpanel ${size}`
    const batcher = new RequestBatcher(store, {
      libConfig: { batch_size: size, batch_flush_interval_ms: 1000, batch_request_timeout_ms: 90000, batch_autostart: false },
      usePersistence: true, errorReporter() {}, stopAllBatchingFunc() {}, beforeSendHook: null,
      // as mixpanel-core's _send_request does: the status of what was no success
      async sendRequestFunc(data, _, answer) {
        try {
          const response = await fetch(address, { method: 'POST', body: JSON.stringify(data) })
          if (response.ok) answer(1)
          else answer({ status: 0, httpStatusCode: response.status, error: `Bad HTTP status: ${response.status}`, retryAfter: response.headers.get('Retry-After') })
        } catch (e) {
          answer({ status: 0, httpStatusCode: 0, error: String(e) })
        }
      },
    })
    const stored = () => JSON.parse(localStorage.getItem(store) ?? '[]').length
    return {
      async append(event) { if (!await batcher.enqueue(event)) throw new Error('not stored') },
      clear: () => batcher.clear(),
      close: () => batcher.stop(),
      send: () => batcher.start(),
      left: stored,
    }
  },
}
