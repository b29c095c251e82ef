// Package liffkeep is the map of liff-keep, a durable outbox for LINE Mini-Apps: Go compiled to WebAssembly (C1) keeps
// conversation-end events in IndexedDB and uploads them under a quota. It holds no code. Below it, in import order:
// wasm/ (the edge: bridge, loop, fetch), destination/ (one wire format each: linekeep, googlechat, evernote),
// indexeddb/ (the store, over the card's go-indexeddb and safejs, C2), outbox/ (the pure core: Step), retry/ (windows,
// breaker, back-off, off-peak). Beside it: web/ (the npm package), sandbox/ (the services as the guides describe them),
// relay/, e2e/ and bench/. The top level is the card's (C3). Every rule has an id in RULES.md; the test here fails when
// an id lacks code or test.
package liffkeep
