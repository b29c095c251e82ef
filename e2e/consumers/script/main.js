// A page without any bundler: the script tag above defines liffKeep.
const query = new URLSearchParams(location.search)
const report = (what) => fetch(query.get('report'), { method: 'POST', body: JSON.stringify(what) })

liffKeep.openKeep({
  destination: liffKeep.lineKeep({ channelId: '1650000001', baseURL: query.get('sandbox') }),
  token: () => 'tok_consumer',
}).then(async (keep) => {
  const receipt = await keep.append({ conversationId: query.get('conversation'), messages: [{ from: 'customer', text: '予約' }] })
  await report({ receipt, result: await keep.flush() })
}).catch((e) => report({ code: e.code ?? e.name, message: e.message }))
