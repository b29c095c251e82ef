// What a page has of its own.
const query = new URLSearchParams(location.search)

export const baseURL = query.get('sandbox')!
export const liffId = query.get('liff')!
export const conversationId = `conversation ${query.get('n')}`
export const messages = [
  { from: 'customer', text: '予約を変更したいです', at: Date.now() - 60000 },
  { from: 'operator', text: 'かしこまりました', at: Date.now() },
]
