/**
 * Tells what happens to the page: a click (time to fetch a token), in sight or not, being left (the last moment for a
 * parting shot), hidden for good or in the back-forward cache (let go of the lock), frozen by the browser (let go of
 * everything), and back again. Works where
 * there is no document (a worker, a server): then nothing is told. Returns the function that ends it.
 */
export function watchPage({ clicked, shown, left, hid, froze, thawed }) {
  const page = globalThis.document
  if (!page?.addEventListener) return () => {}
  const end = new AbortController()
  const { signal } = end
  const early = { capture: true, passive: true, signal }
  page.addEventListener('pointerdown', clicked, early)
  page.addEventListener('click', clicked, early)
  page.addEventListener('visibilitychange', () => {
    const visible = page.visibilityState === 'visible'
    shown(visible)
    if (!visible) left()
  }, { signal })
  globalThis.addEventListener('pagehide', () => {
    left()
    hid()
  }, { signal })
  globalThis.addEventListener('pageshow', (e) => { if (e.persisted) thawed() }, { signal })
  page.addEventListener('freeze', froze, { signal })
  page.addEventListener('resume', thawed, { signal })
  return () => end.abort()
}
