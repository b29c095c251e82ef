// Command sandbox emulates LINE Keep and Google Chat as their guides describe them
// (and Evernote, see evernote.go): quotas, the
// hard burst cap, the audit ledger and the faults a client has to live through.
// No public Keep write API answers today, so this is the service the product
// talks to, and it is an independent judge: it imports nothing of the product
// and repeats every number from the guide in limits.go.
//
// Way of a call:
//
//	read the body          at most bodyCap bytes, more is remembered as "too large"
//	route                  which service, which bucket, is it a write
//	state faults           expire-token, load, … that are due take effect
//	admit                  404 405 401 403 410: free, no ledger row (L10.1, L10.2)
//	request fault, before  status · cut · delay · hang: nothing is stored
//	serve                  413 and 400 (free, L14.5) → limiter (L2.1-L2.5) → commit → ledger row (L1.1, L5.1)
//	request fault, after   cut · half · garbage · delay · hang: stored, answer lost
//	answer                 Date from the sandbox clock, quota headers, CORS
//
// One mutex guards everything; time is read once for a call, under it. All
// rules run on the sandbox clock, so a test advances an instant, never sleeps.
//
// What is stored is the exact bytes of each note as they stood in the body. The
// sandbox never encodes a note again, and sha256 is taken over those bytes (L7.3).
package main
