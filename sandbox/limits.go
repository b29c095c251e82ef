package main

import "time"

// A quota is the limiter's pair of numbers; perBurst 0 means no burst ceiling.
type quota struct {
	perMinute int // requests in one unix-aligned minute
	perBurst  int // requests in any span of burstSpan
}

// The tiers of the guide's table (L2) and the generic pool (L10; its numbers are ours).
var (
	serverNotes  = quota{perMinute: 600, perBurst: 120}
	clientNotes  = quota{perMinute: 100, perBurst: 30}
	mediaWrites  = quota{perMinute: 100, perBurst: 30}
	statusReads  = quota{perMinute: 600}
	genericCalls = quota{perMinute: 60, perBurst: 20}
)

const (
	burstSpan         = 5 * time.Second // L2
	defaultRetryAfter = "60"            // seconds, L2 and Q1

	noteCap        = 2_097_152 // bytes of one note (Q5, "2 MB")
	batchCap       = 500       // notes of one call (Q5)
	statusCap      = 500       // noteId parameters of one status call (ours)
	bodyCap        = 8 << 20   // bytes of one whole body (ours)
	bulkCap        = 10_000    // notes of one bulk call (L11)
	bulkInflateCap = 64 << 20  // bytes of one bulk body, unpacked (ours)
	noteIDCap      = 255       // bytes of a noteId (ours)

	refusalRowBytes = 480                 // a 429's ledger row, LF included (L5)
	ledgerKeeps     = 30 * 24 * time.Hour // raw rows (L9.5)
	ticketRun       = 10                  // consecutive missing writes (L1, Thailand)
	missingRateCap  = 0.001               // missing rate stays below (L1, Japan)

	legacySpan  = 10 * time.Minute // L10: quota by IP address
	legacyCalls = 1000             // calls of one address in legacySpan (ours: 100/min)

	requestLogSize = 5000 // rows of /ops/requests
)

// legacyUntil is the last second of the old path (L10, Q4).
const legacyUntil = "2026-06-30T23:59:59+09:00"
