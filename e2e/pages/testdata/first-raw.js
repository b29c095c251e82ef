// The same with the browser's own calls: open, one put, complete.
import { event, next } from '/e2e/first.js'

const opening = indexedDB.open('raw', 1)
opening.onupgradeneeded = () => opening.result.createObjectStore('events', { autoIncrement: true })
opening.onsuccess = () => {
  const tx = opening.result.transaction('events', 'readwrite', { durability: 'strict' })
  tx.objectStore('events').put({ text: JSON.stringify(event), at: Date.now() })
  tx.oncomplete = () => next(performance.now())
}
