// Vite 6 packs dependencies anew for its development server and loses the module on the way: EXCLUDE is the README's line.
const exclude = process.env.EXCLUDE ? ['liff-keep'] : []

export default {
  optimizeDeps: { exclude },
  cacheDir: process.env.OUT + '/cache',
  build: {
    outDir: process.env.OUT + '/dist', emptyOutDir: true,
    rollupOptions: { input: ['index.html', 'url.html'].map((name) => new URL(name, import.meta.url).pathname) },
  },
}
