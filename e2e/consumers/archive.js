// What every page of these consumers does: keeps one conversation, sends it, and tells the test what came of it.
// The address says where: ?sandbox=URL&report=URL&conversation=ID.
import { lineKeep, openKeep } from 'liff-keep'

const query = new URLSearchParams(location.search)

export const destination = () => lineKeep({ channelId: '1650000001', baseURL: query.get('sandbox') })

export const conversation = () => ({
  conversationId: query.get('conversation'),
  messages: [{ from: 'customer', text: '予約を変更したいです' }, { from: 'operator', text: 'かしこまりました' }],
})

/** Tells the test; a page that fails tells why. */
export const report = (what) => fetch(query.get('report'), { method: 'POST', body: JSON.stringify(what) })

export async function archive(options = {}) {
  try {
    const keep = await openKeep({ destination: destination(), token: () => 'tok_consumer', ...options })
    const receipt = await keep.append(conversation())
    await report({ receipt, result: await keep.flush(), element: !!customElements.get('keep-status') })
  } catch (e) {
    await report({ code: e.code ?? e.name, message: e.message })
  }
}
