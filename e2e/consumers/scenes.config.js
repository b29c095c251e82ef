// One Vite 8 build for all pages that the scenes of liff_test.go open. A development build: React's StrictMode runs effects
// twice only there.
import { fileURLToPath } from 'node:url'

const page = (name) => fileURLToPath(new URL(`${name}/index.html`, import.meta.url))

export default {
  root: fileURLToPath(new URL('.', import.meta.url)),
  mode: 'development',
  cacheDir: process.env.OUT + '/cache',
  build: {
    outDir: process.env.OUT + '/dist', emptyOutDir: true, minify: false,
    rollupOptions: { input: ['liff', 'react', 'vue'].map(page) },
  },
}
