// Package outbox is the durable outbox without its edges: it decides, the driver does. Step folds what happened into the
// core and answers with what must be done; nothing here reads a clock, draws a random number or touches a page.
//
// # States of an entry
//
//	append ──▶ open ──▶ sealed ──▶ on the wire ──▶ delivered          (ledger row, then forgotten)
//	             ▲        ▲ ▲          │   │  └──▶ dead               (kept with its reason, until retried or discarded)
//	             │        │ └──────────┘   └─────▶ uncertain ─▶ on the wire, same bytes
//	             │        └── parked ◀── more than 3 retries (L9.1); again in the next window, never dropped
//	             └─────────── conflict: written again as the next version (L7.2)
//
// A sealed batch goes in one or more steps (steps.go): LINE Keep uploads media before the note that names them, Evernote asks
// where the account stands before it writes. A step that may not simply be sent again is looked up first.
//
// An entry is in exactly one record: of `segments` (open), of `batches` (sealed, uncertain, parked) or of `dead`. Every
// arrow between them is one transaction. Hence accepted = delivered + pending + parked + dead, always.
//
// # Write order
//
//  1. append: segment (and key rows, and blobs)              then the page is told. A run of plain events is a pack:
//     its text stays with the page, which writes the segment (pack.go)
//  2. seal:   batch + state, minus the segments it took       then it may be sent
//  3. mark:   state "wire <batch>", the limiter's stamp       then the request goes out
//  4. settle: ledger row + state, minus the batch and its blobs, after the last step; then it is forgotten.
//     After any other: ledger row + state "step <batch> <next>", then again from 3
//
// # What if the page is killed here
//
//	before 1 is complete    the page was not told; nothing is there, or a whole segment that is sent as well
//	between 1 and 2         the scan at the next start finds the segment
//	during 2                the old or the new picture, never both: one transaction
//	between 2 and 3         the batch is found at the next start, not marked: it was never sent
//	between 3 and the reply "wire" stands on disk: the batch is uncertain and goes again, with the same bytes and noteIds;
//	                        the service answers "duplicate" for what it has. Where it knows none, the step is in doubt:
//	                        it is looked up, once the request can no longer arrive
//	between two steps       the state says which one is next; an upload that is done is not made again
//	between reply and 4     the same
//	after 4                 the ledger row stands, the batch is gone
//	clock set back          stamps are moved with it (retry.Rebase): no request more, no wait for a day
//
// # A sample record
//
//	segments[17] = {h: "0\t0\tn\t2\t1764012345678\t141\t0\t0a1b…-1\t\n", b: `{"noteId":"0a1b…-1","conversationId":"c-1","messages":[…]}`}
//	batches[3]   = {h: "batch\t0a1b…-3\t1764012346000\n17\t0\tn\t2\t…\n", b: the same bytes}
//	state["core"] = "install 0a1b…\nnext 4 9\n…\nlimiter w1 …\nbreaker b1 …\nwire 3\nbatch 3 0 0 0 0\n"
//	ledger[1764012347000, 9] = {"at":1764012347000,"kind":"attempt","api":"keep","status":200,"quota_remaining":98,…}
package outbox
