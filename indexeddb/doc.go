// Package indexeddb keeps the outbox on disk (C4, L4.2): Store over the page's IndexedDB (js and wasm), Memory with the
// same contract for tests of the core (any platform). The contract is outbox.Store; contract_test.go runs it on both.
// Opening and upgrading go through hack-pad's go-indexeddb and safejs (C2); open.go and tx.go close their traps.
//
// # States of a Store
//
//	opening ──success──▶ open ──Close──────────────────────────▶ closed   later operations: ErrClosed
//	   │                   └──versionchange, close event, ─────▶ lost     later operations: ErrUnavailable,
//	   └─error, time-out       time-out, dead connection                  OnLost once; open a new Store and Load
//
// # Write order
//
// One Commit is one readwrite transaction; one of packs alone is made by the page's script in one call (web/src/packs.js). All its requests are issued in one go, deletes first, then commit() where the
// engine has it. A Lead and a Commit with a Fence ask for the lease first and issue the rest, or abort, in the success event
// of that request; no other tab's write comes between, and without commit() the transaction ends by itself. Every write names the object store segments in its scope, so the browser runs writes one after the
// other: they complete in the order in which they were called, over all tabs. done comes after the complete event and never before
// (L9.2); abort means "not stored", whatever its error (WebKit gives none on a full disk), unless the connection died with it:
// then the outcome is open too.
//
// # What if killed here
//
//	before commit() is called           nothing of it is on disk
//	between commit() and complete       all or nothing; nobody was told. The next start reads what is there
//	between lease and decision          nothing of it is on disk: the requests were not issued yet
//	holding the lease                   it stays until its time is over; then the next page takes it, with the next token
//	between complete and done           all of it is on disk; nobody was told. The same as above
//	at a time-out, Close or loss        the answer is an error, but the outcome is open: see Unknown and Trace
//
// # Schema, version 3 (1 had no media; until 2 a segment was always bytes)
//
//	object store   key                            value
//	segments       number, given by the browser   {h, b}: both Uint8Array, or both text, which JavaScript wrote of a pack (packs.go)
//	batches        number, the batch's ID         {h: Uint8Array, b: Uint8Array}
//	dead           string, the entry's ID         {h, b}
//	keys           string, the business key       {v: version, at: unix ms, h: hash, 16 hex digits}
//	ledger         [at, n], added, never put      Uint8Array of JSON text
//	archive        [at, id] of a delivered batch  {h, b}; goes by range, the sha256 stays in the ledger (L7.3)
//	state          "core"                         Uint8Array
//	               "lease", stays over a purge    {owner, until: unix ms, fence: the token}
//	media          string, the media's ID         Blob, as the page gave it
//
// A record: segments[17] = {h: Uint8Array(64), b: Uint8Array(392)}. What h and b hold is outbox's business (codec.go).
package indexeddb
