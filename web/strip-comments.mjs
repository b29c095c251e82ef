// Takes the lines that are comments out of scripts, in place: a third of what a page would load before the module. Comments
// behind code stay, and so does everything else as it is written. build.sh runs it on web/dist/.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** The script without its comment lines. No template literal of ours has a line that begins as a comment does. */
export const strip = (script) => script.replace(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*\n/gm, '').replace(/^[ \t]*\/\/.*\n/gm, '')

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const file of process.argv.slice(2)) writeFileSync(file, strip(readFileSync(file, 'utf8')))
}
