// Bundles <keep-status> with uPlot into one file: node web/bundle.mjs OUT (from the project's root).
import { readFileSync } from 'node:fs'
import { build } from 'esbuild'

const licence = readFileSync(new URL('node_modules/uplot/LICENSE', import.meta.url), 'utf8').trim()

// uPlot makes a number format of navigator.language as it loads, and throws where that is no language (WebKit in the
// locale C). The numbers of our axes are below 1,000: any language writes them alike.
const anyLanguage = {
  name: 'any-language',
  setup: ({ onLoad }) => onLoad({ filter: /uPlot\.esm\.js$/ }, ({ path }) => {
    const parts = readFileSync(path, 'utf8').split('nav.language')
    if (parts.length !== 2) throw new Error(`${path}: expected nav.language once: look whether uPlot still needs this`)
    return { contents: parts.join("'en'"), loader: 'js' }
  }),
}

await build({
  entryPoints: ['web/src/status.js'],
  outfile: process.argv[2],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  loader: { '.css': 'text' },
  legalComments: 'none',
  banner: { js: `/*! <keep-status> of liff-keep, MIT licence. It holds uPlot:\n${licence}\n*/` },
  plugins: [anyLanguage],
})
