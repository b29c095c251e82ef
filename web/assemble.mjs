// Makes the scripts that ship from web/src: comment lines are taken out, and what a page loads before the module becomes one
// file, because a phone pays for every request. dist/index.js names what is public, dist/front-end.js holds it, and every
// source that went into it becomes a line that points there, so that a late file shares its classes. build.sh runs it.
//
// It knows the forms that our sources use, and no other: `import { a, b } from './x.js'`, `import './x.js'`, and `export` before
// a declaration. Two files that declare one name make a script that does not parse: the build says so.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const BUNDLE = 'front-end.js'
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
  const names = /^export \{ (.+) \}\n/m
  const [, listed] = ships['index.js'].match(names)
  const functions = [...ships['index.js'].matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name)
  const bundle = order.map((name) => ships[name].replace(imports, '').replace(names, '').trim()).join('\n\n')
  for (const name of order) ships[name] = `export * from './${BUNDLE}'\n`
  ships['index.js'] = `export { ${[...listed.split(', '), ...functions].join(', ')} } from './${BUNDLE}'\n`
  ships[BUNDLE] = `${bundle}\n`
  return ships
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [from, to] = process.argv.slice(2).map((path) => pathToFileURL(`${path}/`))
  for (const [name, text] of Object.entries(assemble(from))) writeFileSync(new URL(name, to), text)
  await import(new URL('index.js', to)) // it parses, and finds what it names
}
