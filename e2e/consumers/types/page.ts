// Compiled, never run: what a page in TypeScript writes, and what the compiler must refuse.
import { decryptEvent, KeepError, lineKeep, openKeep } from 'liff-keep'
import type { Code, DeadLetter, Keep, KeepEvent, Receipt, Status } from 'liff-keep'

const destination = lineKeep({ channelId: 1650000001, baseURL: 'https://keep.example', tier: 'server' })

export async function page(token: () => Promise<string | null>): Promise<Receipt> {
  const keep: Keep = await openKeep({ destination, token, flushAt: 100, durability: 'relaxed', relay: { url: new URL('https://relay.example'), fallback: 'direct' } })
  const event: KeepEvent = { conversationId: 'c-1', endedAt: Date.now(), messages: [{ from: 'customer', text: 'hello', at: 1 }], mood: 'good' }
  const end: () => void = keep.subscribe((status: Status) => console.log(status.pending, status.quota.remaining, status.breaker.state, status.way === 'relay' ? status.relayed : 0))
  try {
    const { sent, delivered } = await keep.flush()
    console.log(sent + delivered)
    const letters: DeadLetter[] = await keep.dead.list()
    for (const letter of letters) await keep.dead.retry(letter.id)
    const csv: Blob = await keep.ledger.export({ format: 'csv', from: new Date(), to: 2 })
    console.log(csv.size, (await keep.ledger.audit()).missingRate, (await keep.reconcile()).missing)
    return await keep.append(event, { key: 'c-1' })
  } catch (e) {
    if (e instanceof KeepError) {
      const code: Code = e.code
      if (code === 'STORAGE_FULL') console.log(e.message, e.requestId)
    }
    throw e
  } finally {
    end()
    keep.close()
  }
}

export const read = (note: object, key: CryptoKey) => decryptEvent<{ messages: { text: string }[] }>(note, key)

// @ts-expect-error without a destination there is nothing to open
openKeep({ token: () => 'x' })
// @ts-expect-error without an address there is nowhere to send
lineKeep({ channelId: '1' })
// @ts-expect-error only two tiers
lineKeep({ baseURL: 'https://keep.example', tier: 'gold' })
// @ts-expect-error only one way round a relay
openKeep({ destination, token: () => 'x', relay: { url: 'https://relay.example', fallback: 'chat' } })
// @ts-expect-error only three formats
openKeep({ destination, token: () => 'x' }).then((keep) => keep.ledger.export({ format: 'xml' }))
// @ts-expect-error an event has messages
openKeep({ destination, token: () => 'x' }).then((keep) => keep.append({ conversationId: 'c' }))
// @ts-expect-error a status is a snapshot to read
openKeep({ destination, token: () => 'x' }).then((keep) => { keep.status().code.toFixed() })
