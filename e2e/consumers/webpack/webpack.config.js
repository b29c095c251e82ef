// webpack 5 needs nothing for liff-keep.
import { fileURLToPath } from 'node:url'

export default {
  mode: 'production',
  context: fileURLToPath(new URL('.', import.meta.url)),
  entry: './main.js',
  output: { path: process.env.OUT + '/dist', filename: 'main.js', clean: true },
}
