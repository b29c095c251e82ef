/** 16 random bytes; a page's own source (tests) gives numbers in [0, 1). */
export function bytes(random) {
  if (!random) return crypto.getRandomValues(new Uint8Array(16))
  return Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256))
}

/** A signal that ends a request after ms; engines before 2022 lack AbortSignal.timeout. */
export function deadline(ms) {
  if (AbortSignal.timeout) return AbortSignal.timeout(ms)
  const c = new AbortController()
  setTimeout(() => c.abort(new DOMException('no answer in time', 'TimeoutError')), ms)
  return c.signal
}
