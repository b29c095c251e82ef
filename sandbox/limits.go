package main

import "time"

// A quota is the limiter's pair of numbers; perBurst 0 means no burst ceiling.
type quota struct {
	perMinute int // requests in one unix-aligned minute
	perBurst  int // requests in any span of burstSpan
}

// The tiers of the guide's table and the generic pool.
var (
	serverNotes  = quota{perMinute: 600, perBurst: 120} // L2.1
	clientNotes  = quota{perMinute: 100, perBurst: 30}  // L2.2
	mediaWrites  = quota{perMinute: 100, perBurst: 30}  // L2.2
	statusReads  = quota{perMinute: 600}                // L2.3
	genericCalls = quota{perMinute: 60, perBurst: 20}   // L10.3: "lower quota"; the numbers are ours
)

const (
	burstSpan         = 5 * time.Second // L2.1, L2.2
	defaultRetryAfter = "60"            // seconds, L2.4; may change (L14.1)

	noteCap        = 2_097_152 // bytes of one note (L14.5, "2 MB")
	batchCap       = 500       // notes of one call (L14.5)
	statusCap      = 500       // noteId parameters of one status call (ours)
	bodyCap        = 8 << 20   // bytes of one whole body (ours)
	bulkCap        = 10_000    // notes of one bulk call (L11.1)
	bulkInflateCap = 64 << 20  // bytes of one bulk body, unpacked (ours)
	noteIDCap      = 255       // bytes of a noteId (ours)

	refusalRowBytes = 480                 // a 429's ledger row, LF included (L5.1)
	ledgerKeeps     = 30 * 24 * time.Hour // raw rows (L9.5)
	ticketRun       = 10                  // consecutive missing writes (L1.2, Thailand)
	missingRateCap  = 0.001               // missing rate stays below (L1.3, Japan)

	legacySpan  = 10 * time.Minute // L10.1: quota by IP address
	legacyCalls = 1000             // calls of one address in legacySpan (ours: 100/min)

	requestLogSize = 5000 // rows of /ops/requests
)

// legacyUntil is the last second of the old path (L10.1).
const legacyUntil = "2026-06-30T23:59:59+09:00"
