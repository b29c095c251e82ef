// What an outbox needs once it is open: who sends, what the pages say to each other, and what happens to this one.
export { Leader } from './leader.js'
export { Packs } from './packs.js'
export { watchPage } from './page.js'
export { plainMessages, runs } from './plain.js'
export { Tabs } from './tabs.js'
