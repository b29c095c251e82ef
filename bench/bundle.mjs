// Makes one ES module of each peer, minified as a page would load it: bundle.mjs OUT DIST. Prints their sizes and our
// script's as JSON lines.
import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const [out, dist] = process.argv.slice(2)
const tell = (name, bytes) => console.log(JSON.stringify({
  name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length,
}))

// All scripts of ours that openKeep loads, those that it imports late included.
const seen = new Map()
const visit = (file) => {
  if (seen.has(file)) return
  const text = readFileSync(join(dist, file))
  seen.set(file, text)
  for (const [, path] of String(text).matchAll(/(?:from|import)\s*\(?['"](\.[^'"]+\.m?js)['"]/g)) visit(normalize(join(dirname(file), path)))
}
visit('index.js')
tell('liff-keep: JavaScript, all parts', Buffer.concat([...seen.values()]))

const peers = {
  idb: "export { openDB } from 'idb'",
  dexie: "export { Dexie } from 'dexie'",
  localforage: "export { default } from 'localforage'",
  workbox: "export { Queue } from 'workbox-background-sync'",
  tanstack: "export { startOfflineExecutor, NonRetriableError } from '@tanstack/offline-transactions'; export { createCollection, localOnlyCollectionOptions } from '@tanstack/db'",
  // the batcher alone, as the analytics script drives it; that script as a whole is larger
  mixpanel: "export { RequestBatcher } from 'mixpanel-browser/src/request-batcher.js'",
}
const packageOf = { workbox: 'workbox-background-sync', tanstack: '@tanstack/offline-transactions', mixpanel: 'mixpanel-browser' }
for (const [name, contents] of Object.entries(peers)) {
  const outfile = `${out}/${name}.js`
  await build({
    stdin: { contents, resolveDir: import.meta.dirname, sourcefile: `${name}.js` },
    outfile, bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'error', define: { 'process.env.NODE_ENV': '"production"' },
  })
  const bytes = readFileSync(outfile)
  const from = packageOf[name] ?? name
  const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/node_modules/${from}/package.json`))
  tell(`${from} ${version}`, bytes)
}
