package main

// durable is what each acknowledgement is worth; read in the sources of the versions in package-lock.json.
var durable = []Durable{
	{ours, true, "the promise resolves after the transaction's complete event (indexeddb/tx.go); killed browsers lose nothing: ./build.sh test --kill"},
	{plugin, true, "the same, or the complete event of the inbox's transaction (web/src/inbox.js) before the module is there"},
	{rawSingle, true, "resolves in oncomplete (page/variants/raw.js)"},
	{rawCommit, true, "the same; commit() only saves the browser a look for more requests"},
	{rawGroup, true, "the same, for all events of the group at once"},
	{"idb", true, "db.add awaits tx.done, which is the complete event (build/index.js, getMethod); no way to ask for strict in that call"},
	{"Dexie", true, "table.add outside a transaction awaits the completion of its own; idbtrans.oncomplete (dist/dexie.mjs); strict by chromeTransactionDurability"},
	{"localForage", true, "setItem resolves in transaction.oncomplete (src/drivers/indexeddb.js); always the browser's default durability"},
	{"workbox-background-sync", true, "pushRequest awaits tx.done of a transaction that is always relaxed (src/lib/QueueDb.ts); made for service workers, which the LIFF browser has not"},
	{"@tanstack/offline-transactions", false, "IndexedDBAdapter.set resolves at request.onsuccess, before the transaction is complete (src/storage/IndexedDBAdapter.ts): it can still be aborted or killed; and the promise the caller gets, isPersisted, is of the delivery, not of the disk"},
	{"mixpanel batcher", false, "resolves when localStorage.setItem returned (src/request-queue.js): in memory; the browser writes it to disk some seconds later. Each event writes the whole queue anew"},
}
