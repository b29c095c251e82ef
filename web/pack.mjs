// Makes what is published from web/dist: the npm package, and the files for a plain script tag.
//
//   node web/pack.mjs stage DIR    the package's directory, ready for `npm pack`
//   node web/pack.mjs cdn DIR      the script, the module and their packed forms under names that hold their hash
import { build } from 'esbuild'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants as z, gzipSync } from 'node:zlib'

const web = dirname(fileURLToPath(import.meta.url))
const root = dirname(web)
const dist = join(web, 'dist')
const manifest = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'))

/** One file that defines the global liffKeep. It finds keep.wasm beside itself, wherever the page lies. */
async function script(wasm) {
  const { outputFiles: [file] } = await build({
    entryPoints: [join(dist, 'index.js')], bundle: true, write: false, format: 'iife', globalName: 'liffKeep', target: 'es2022',
    minify: true, legalComments: 'none', logLevel: 'warning',
    // currentScript is there only while the script runs for the first time
    banner: { js: `/*! liff-keep ${manifest.version}, MIT */\nvar liffKeepAt=document.currentScript?.src||location.href;` },
    define: { 'import.meta.url': 'liffKeepAt' },
    plugins: [{ name: 'wasm-name', setup: (b) => b.onLoad({ filter: /loader\.js$/ }, ({ path }) => ({ contents: named(readFileSync(path, 'utf8'), wasm) })) }],
  })
  return Buffer.from(file.contents)
}

function named(loader, wasm) {
  const parts = loader.split("'./keep.wasm'")
  if (parts.length !== 2) throw new Error('loader.js: expected the name of keep.wasm once')
  return parts.join(`'./${wasm}'`)
}

const sha384 = (bytes) => 'sha384-' + createHash('sha384').update(bytes).digest('base64')
const withHash = (name, bytes) => name.replace(/(\.\w+)$/, `-${createHash('sha256').update(bytes).digest('hex').slice(0, 10)}$1`)

/** The directory that `npm pack` packs: no scripts, no development dependencies, no packed forms (bundlers make their own). */
async function stage(to) {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  cpSync(dist, join(to, 'dist'), { recursive: true, filter: (path) => !/\.(br|gz)$/.test(path) })
  writeFileSync(join(to, 'dist', 'cdn.js'), await script('keep.wasm'))
  const integrity = Object.fromEntries(['keep.wasm', 'cdn.js'].map((name) => [name, sha384(readFileSync(join(to, 'dist', name)))]))
  writeFileSync(join(to, 'dist', 'integrity.json'), JSON.stringify(integrity, null, 2) + '\n')
  const { devDependencies, ...published } = manifest
  writeFileSync(join(to, 'package.json'), JSON.stringify(published, null, 2) + '\n')
  for (const name of ['README.md', 'README.ja.md', 'CHANGELOG.md', 'LICENSE']) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(to, name))
  }
}

/** Names that change with their content, so that every file may be cached for ever: LIFF's cache cannot be cleared. */
async function cdn(to) {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  const files = {}
  const put = (name, bytes) => {
    const called = withHash(name, bytes)
    writeFileSync(join(to, called), bytes)
    writeFileSync(join(to, called + '.gz'), gzipSync(bytes, { level: 9 }))
    const packed = join(dist, name + '.br') // the build has it already
    writeFileSync(join(to, called + '.br'), existsSync(packed) ? readFileSync(packed) : brotliCompressSync(bytes, { params: { [z.BROTLI_PARAM_QUALITY]: 11 } }))
    files[name] = { file: called, integrity: sha384(bytes) }
    return called
  }
  const wasm = put('keep.wasm', readFileSync(join(dist, 'keep.wasm')))
  put('keep.js', await script(wasm))
  writeFileSync(join(to, 'manifest.json'), JSON.stringify({ version: manifest.version, files }, null, 2) + '\n')
}

const [verb, to] = process.argv.slice(2)
if (verb === 'stage' && to) await stage(to)
else if (verb === 'cdn' && to) await cdn(to)
else throw new Error('usage: node web/pack.mjs stage|cdn DIR')
