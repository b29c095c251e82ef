// What both pages share: the event, and going on to the next page. Times are since the navigation began.
export const event = {
  conversationId: 'c-1', endedAt: '2026-11-25T12:00:00+09:00',
  messages: [{ from: 'customer', text: '予約は 7 時です。窓側の席をお願いします。' }, { from: 'operator', text: '承りました。お待ちしております。' }],
}

const query = new URLSearchParams(location.search)

/** Notes the time and goes to the other page, until there are `rounds` of each; then the test program asks for them. */
export async function next(ms) {
  const times = JSON.parse(sessionStorage.times ?? '[]')
  const ours = location.pathname.includes('ours')
  times.push({ ours, ms })
  sessionStorage.times = JSON.stringify(times)
  if (times.length < 2 * Number(query.get('rounds'))) {
    // in turn, and each as often after the other as before it
    const other = times.length % 4 === 2 ? ours : !ours
    setTimeout(() => { location.href = `/e2e/first-${other ? 'ours' : 'raw'}.html${location.search}` }, 100)
  } else {
    const { obey } = await import('/control.js') // not before: it brings the package along
    obey(query.get('control'), () => {}, { more: () => ({ times: () => ({ times }) }) })
  }
}
