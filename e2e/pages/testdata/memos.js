/** Appends `count` conversations with a voice memo of so many bytes each → {memos: [{conversationId, sha256}]}, once all are on disk. */
export async function memos(append, conversation, count, bytes) {
  return {
    memos: await Promise.all(Array.from({ length: count }, async (_, i) => {
      const voice = new Uint8Array(bytes)
      for (let at = 0; at < bytes; at += 65536) crypto.getRandomValues(voice.subarray(at, at + 65536))
      const blob = new Blob([voice], { type: 'audio/mp4' })
      const event = { ...conversation(`memo-${i}`, 'listen'), media: [{ name: 'memo.m4a', blob }] }
      await append(event)
      const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', voice))
      return { conversationId: event.conversationId, sha256: Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('') }
    })),
  }
}
