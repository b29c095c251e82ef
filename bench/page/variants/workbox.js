import { Queue } from '/peers/workbox.js'

// Made for a service worker: in a page `self.registration` is missing, so it gets one without sync, as in browsers that have
// no background sync (the LIFF browser among them). pushRequest resolves after tx.done; its database is always relaxed.
globalThis.registration ??= {}
let queues = 0

export const workbox = {
  async open({ address = '/bench/sink' }) {
    const queue = new Queue(`bench ${++queues} ${Date.now()}`, { forceSyncFallback: true, onSync() {} })
    return {
      append: (event) => queue.pushRequest({ request: new Request(address, { method: 'POST', body: JSON.stringify(event) }) }),
      async clear() { while (await queue.shiftRequest()) { /* one by one: it has no other way */ } },
      close() {},
      send: () => queue.replayRequests(),
      left: () => queue.size(),
    }
  },
}
