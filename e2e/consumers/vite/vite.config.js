// Vite 8 needs nothing for liff-keep; these lines keep the test's leftovers together.
export default {
  cacheDir: process.env.OUT + '/cache',
  build: { outDir: process.env.OUT + '/dist', emptyOutDir: true },
}
