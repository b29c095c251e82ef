// Package fleet is the relay's fleet mode: phones post their sealed batches here in place of LINE Keep, and a few workers
// send them on with the server tier's quota, 600 requests a minute of up to 500 notes, in place of the phones' 100. It
// stands on NATS JetStream: in this process, with files in a directory, or a cluster.
//
// Way of a batch, and the order in which things become durable:
//
//	phone   POST /relay/line/{channelId}/v1/keep/note       the bytes it would send to Keep
//	intake  who is it, is it whole, publish                 message id = hash of channel, user, noteIds
//	queue   JetStream: flushed, or on R machines            ← the phone is told 202 only here
//	sender  pull, pack ≤ 500 notes, permit of the bucket    one limiter a channel for all machines, by compare-and-set
//	Keep    POST /v1/keep/note, server tier                 its verdict on each note
//	sender  stored, duplicate: done · conflict, refused: dead letter, on disk
//	queue   acknowledge the message, sweep it away          ← the relay forgets only here
//
// What a phone is told. 202 with Keep's own answer, {"results":[{"noteId","status":"stored","sha256"}]}: the relay has it
// on disk, and from then on owes it to Keep or to a person. It does not wait for Keep's verdict: a page that is being
// closed has no time, and with a full bucket the verdict may be hours away. So 202 in a phone's ledger reads "the relay
// took it", 200 "Keep took it". What Keep will never take ends among the dead letters, with its bytes; it is never dropped.
//
// What if it is killed:
//
//	before the queue has it      the phone has no answer, keeps the batch and posts the same again
//	after that, before 202       the same post again is the same message id: one message, and 202
//	before the permit is used    the permit counts as spent; the message comes again after 30 s
//	after the request, before    the message comes again; Keep knows the noteIds and bytes, and says duplicate
//	  its answer, or the ack
//	between dead letter and ack  the letter is written again under the same id: one letter
//	at a dead letter's retry     it is queued and still listed; a second retry is the same message id
//
// A duplicate window ends after -dedup (15 min); a batch that comes again later is a second message, whose notes Keep
// calls duplicates. Nothing here relies on the window, it only saves requests.
//
// The limiter's state is one entry a channel, e.g. limiter.1650000001.note:
//
//	{"limiter":"w1 0 0 1764039600123 102 98.","breaker":{…},"failures":0,"last":1764039600323,"lockedAt":0,"probe":0}
package fleet
