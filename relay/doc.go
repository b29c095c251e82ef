// Command relay is the small server beside a Mini-App. It does three things, each only if it is asked to:
//
//	-web DIR         serves the Mini-App's files
//	-hosts LIST      passes Evernote calls through, which answers no CORS preflight: a page can reach it only this way
//	-channels FILE   fleet mode: takes phones' batches for LINE Keep, and sends them on with the server tier's quota
//
// # Evernote
//
//	POST /relay/evernote/HOST/PATH   →   https://HOST/PATH
//
// Bytes in, bytes out. The relay reads no body, keeps nothing but the names of calls for some minutes (recent.go), and
// writes no token anywhere: a call's log line holds its host, status, sizes and time, never its path or its bytes. Relays of
// one NATS (below) know each other's calls; others only if the balancer before them sends a client to the same one.
//
// # Fleet mode
//
// The same requests, with the same bytes and noteIds, that a client would send to LINE Keep; only the base URL differs. The
// package's option relay: 'https://RELAY' makes it:
//
//	baseURL = https://RELAY/relay/line/{channelId}
//
//	POST {baseURL}/v1/keep/note     queued: 202 when it is durable
//	POST {baseURL}/v1/keep/hide     queued: 202 {"noteId","state":"hidden"}
//	GET  {baseURL}/v1/keep/status   passed on at once; a note that is still in the queue is "absent"
//	PUT  {baseURL}/v1/keep/media    passed on at once, ≤ 8,500,000 bytes: a medium is there before the note that names it
//	GET  https://RELAY/relay/lighthouse/{channelId}.json
//	                                {"channelId","a","remaining","at","validUntil"}: the lottery's admission for phones that
//	                                send directly; after validUntil (unix seconds) it says nothing
//
// Headers of a call, as for Keep: Authorization: Bearer with the user's LIFF access token (it says who it is, and goes no
// further: not stored, not logged, not sent to Keep), Content-Type: application/json, X-Line-Channel-ID (the path's, or
// none). CORS: the relay's own origin, and those of -origins.
//
// What 202 means: the batch is flushed to the disk in the relay's queue (with -nats, on a majority of -replicas machines; see
// docs/architecture.md), and from then on the relay owes it to Keep. The client may forget it. The body is Keep's own answer, so
// that a client that knows Keep needs nothing new:
//
//	202 {"results":[{"noteId","status":"stored","sha256"}]}      in request order; one note: {"noteId","sha256"}
//	202 … "status":"duplicate"                                   the same batch is in the queue already
//	200 … "status":"duplicate" or "conflict" for each note       other bytes under noteIds that are queued: nothing was
//	                                                             queued; one note: 409. The client writes it as key.v2
//
// The status tells a ledger whose word it is: 200 Keep's, 202 the relay's. Every answer has X-Line-Keep-Request-Id, the
// relay's own ("relay-…"), with which its log begins; queued answers have X-Liffkeep-State: queued, replayed or conflict.
// There are no quota headers: the bucket is not the phone's. What Keep never takes (a conflict with what others wrote, a
// note it refuses) ends among the relay's dead letters, with its bytes, for a person; nothing is dropped.
//
// # Refusals, always with a JSON body {"error":{"code","message"}}
//
//	400 INVALID_BODY TRUNCATED CHANNEL_DIFFERS   no JSON with notes; ended early; header and path differ
//	401 AUTH_REQUIRED, 403 SCOPE_REQUIRED        the user's token: missing, expired, of another channel; lacks -scope
//	403 FORBIDDEN_HOST, FORBIDDEN_ORIGIN         the host is not on the list; another site's page asks
//	404 UNKNOWN_CHANNEL, PATH                    not in -channels; no such call
//	400 KEY, 409 REPEATED                        Evernote: the call's name (Liff-Keep-Fetch) is too long; it was passed on
//	                                             already, a browser sent it twice by itself
//	405 METHOD, 415 CONTENT_TYPE
//	408 TIMEOUT                                  a post's body took longer than -post-timeout
//	413 TOO_LARGE                                above -max-body; a batch above 4,500,000 bytes, 500 notes, 2 MB a note;
//	                                             a medium above 8,500,000 bytes
//	429 QUOTA                                    status and media only: no permit now; Retry-After
//	502 UPSTREAM                                 the host did not answer, or redirected
//	503 BUSY STOPPING QUEUE_FULL QUEUE VERIFY    come again after Retry-After with the same bytes
//	504 TIMEOUT                                  an Evernote host, or its caller's body, took longer than -timeout
//
// A page takes each 5xx as "no word on the note", and sends the same again (Evernote: looks it up first): nothing is lost
// by a refusal, and the queue knows a batch again.
package main
