// Makes the scripts that ship from web/src: comment lines are taken out, and all that a page loads before the module becomes
// one file, because a phone pays for every request and for every level of them. dist/index.js holds it; every source that
// went into it becomes a line that points there, so that a late file shares its classes. What only those files use has a name
// with a _ in dist/index.js. build.sh runs it.
//
// It knows the forms that our sources use, and no other: `import { a, b } from './x.js'`, `import './x.js'`, and `export` before
// a declaration. Two files that declare one name make a script that does not parse: the build says so.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const imports = /^import (?:[^'"()]* from )?'\.\/([\w-]+\.js)'\n/gm

const strip = (script) => script.replace(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*\n/gm, '').replace(/^[ \t]*\/\/.*\n/gm, '')

/** What ships, by name, of the scripts in a directory. */
export function assemble(directory) {
  const read = (name) => strip(readFileSync(new URL(name, directory), 'utf8'))
  const ships = Object.fromEntries(readdirSync(directory).filter((name) => name.endsWith('.js')).map((name) => [name, read(name)]))
  const order = [] // what a file imports comes before it
  const visit = (name) => {
    if (order.includes(name)) return
    for (const [, other] of ships[name].matchAll(imports)) visit(other)
    order.push(name)
  }
  visit('index.js')
  const listing = /^export \{ (.+) \}\n/m
  const declared = /^export (?=(?:async )?(?:function|const|class) (\w+))/gm
  const own = (name) => [...ships[name].matchAll(declared)].map(([, word]) => word)
  const listed = [...ships['index.js'].match(listing)[1].split(', '), ...own('index.js')]
  const bundle = order.map((name) => ships[name].replace(imports, '').replace(listing, '').replace(declared, '').trim()).join('\n\n')
  const outside = (word) => (listed.includes(word) ? word : `_${word}`)
  const alias = (from, to) => (from === to ? from : `${from} as ${to}`)
  const inner = []
  for (const name of order) {
    if (name === 'index.js') continue
    const words = own(name)
    inner.push(...words.filter((word) => !listed.includes(word)))
    ships[name] = words.length === 0 ? '' : `export { ${words.map((word) => alias(outside(word), word)).join(', ')} } from './index.js'\n`
  }
  ships['index.js'] = `${bundle}\n\nexport { ${[...listed, ...inner.map((word) => alias(word, outside(word)))].join(', ')} }\n`
  return ships
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [from, to] = process.argv.slice(2).map((path) => pathToFileURL(`${path}/`))
  for (const [name, text] of Object.entries(assemble(from))) writeFileSync(new URL(name, to), text)
  await import(new URL('index.js', to)) // it parses, and finds what it names
}
