// The control of the reload and kill tests: an outbox that acknowledges from RAM,
// as a page would write it in an afternoon. It delivers well while nothing goes
// wrong, and must be caught when the page goes away.
export const lineKeep = (options) => options

export const openKeep = async ({ destination: { baseURL, channelId }, token }) => {
  const queue = []
  const listeners = []
  let delivered = 0
  const status = () => ({ now: Date.now(), pending: queue.length, sealed: 0, uncertain: 0, parked: 0, dead: 0, delivered, breaker: { state: 'closed' } })

  const append = async (event) => {
    const noteId = crypto.randomUUID()
    queue.push(JSON.stringify({ noteId, ...event }))
    return { id: noteId, noteId, bytes: queue.at(-1).length, at: Date.now() } // not on disk
  }

  const flush = async () => {
    while (queue.length > 0) {
      const batch = queue.splice(0, 100)
      const response = await fetch(`${baseURL}/v1/keep/note`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${await token()}`, 'X-Line-Channel-ID': channelId },
        body: `{"notes":[${batch}]}`,
      })
      if (!response.ok) throw new Error(`status ${response.status}`)
      delivered += batch.length
      for (const listener of listeners) listener(status())
    }
    return status()
  }

  return {
    append, flush, status,
    subscribe(listener) { listeners.push(listener); listener(status()) },
    dead: { list: async () => [] },
    ledger: { export: async () => new Blob([]) },
  }
}
