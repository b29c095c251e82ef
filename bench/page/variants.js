// The variants by name. Each: {open({strict, address}) → {append(event) → promise, clear(), close(), …}}.
const from = {
  'liff-keep': ['keep', 'keep'],
  'liff-keep plugin': ['keep', 'plugin'],
  'raw transaction': ['raw', 'transaction'],
  'raw transaction, commit()': ['raw', 'committed'],
  'raw group commit': ['raw', 'group'],
  idb: ['idb', 'idb'],
  Dexie: ['dexie', 'dexie'],
  localForage: ['localforage', 'localForage'],
  'workbox-background-sync': ['workbox', 'workbox'],
  '@tanstack/offline-transactions': ['tanstack', 'tanstack'],
  'mixpanel batcher': ['mixpanel', 'mixpanel'],
}

/** Loads the variant of that name. */
export async function load(name) {
  const [file, variant] = from[name]
  return (await import(`/bench/page/variants/${file}.js`))[variant]
}
