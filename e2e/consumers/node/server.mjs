// What a server that renders pages does with the package: imports it, and has no page, no IndexedDB and no globals for it.
const before = Object.keys(globalThis).sort().join()
const { openKeep, lineKeep, KeepError } = await import('liff-keep')
const added = Object.keys(globalThis).sort().join() === before ? [] : Object.keys(globalThis)
const destination = lineKeep({ channelId: '1650000001', baseURL: 'https://keep.example' })
let refused
try {
  await openKeep({ destination, token: () => null })
} catch (e) {
  refused = { code: e.code, ours: e instanceof KeepError, message: e.message }
}
console.log(JSON.stringify({ added, refused }))
