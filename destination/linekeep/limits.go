// Package linekeep speaks LINE Keep's wire contract: it turns a sealed batch into one request and a reply into an
// outcome. Pure; values only.
//
// The guide is the only source for this service, no public Keep write API answers today: everything here is emulated per
// the guide, and every address is configuration.
package linekeep

import (
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// Sizes of one request, each below what the gateway answers 413 to.
const (
	maxNoteBytes     = 2_000_000 // guide: 2 MB (L14.5); binary or decimal is open, so the smaller
	maxBatchBytes    = 4_000_000 // ours
	maxBatchNotes    = 500       // guide: ≤ 500 a batch (L14.5)
	maxBatchMessages = 500       // guide: ≤ 500 messages a call (L4.1)
	noteOverhead     = 1         // the comma
	maxMediaBytes    = 8_000_000 // ours
	unheardBytes     = 16 << 10  // ours: no proxy that lets a page through refuses so little for its size
	batchPrefix      = `{"notes":[`
	batchSuffix      = `]}`
)

// Tier of the credentials.
type Tier string

const (
	MiniApp Tier = "miniapp" // client token: 100 a minute, 30 in 5 s (L2.2)
	Server  Tier = "server"  // 600 a minute, 120 in 5 s (L2.1)
)

// The service's own ceilings a minute: what a Quota-Remaining is a part of.
const (
	miniAppPerMinute = 100 // L2.2
	serverPerMinute  = 600 // L2.1
	genericPerMinute = 60  // L10.3, ours: "lower quota"
)

// Service is one channel's Keep.
type Service struct {
	BaseURL   string // without a slash at the end
	Relay     string // address of a relay in front of it, without a slash at the end; empty: none
	ChannelID string // empty: billed to the generic pool (L10.3)
	Tier      Tier
	NoteBytes int // 0: maxNoteBytes
	Forbid    []string
}

// Limits of one request.
func (s Service) Limits() outbox.Limits {
	note := s.NoteBytes
	if note <= 0 {
		note = maxNoteBytes
	}
	return outbox.Limits{NoteBytes: note, BatchBytes: maxBatchBytes, BatchNotes: maxBatchNotes,
		BatchMessages: maxBatchMessages, NoteOverhead: noteOverhead, UnheardBytes: unheardBytes,
		MediaBytes: maxMediaBytes, Copies: true, Forbid: s.Forbid}
}

// Cannot: Keep hides, and can be asked what it has.
func (s Service) Cannot(string) string { return "" }

// Policy of the note bucket, or of the media bucket (L2.2).
func (s Service) Policy(bucket string) retry.Policy {
	switch {
	case bucket == outbox.BucketMedia:
		return retry.LineMedia()
	case s.ChannelID == "":
		return retry.LineGeneric()
	case s.Tier == Server:
		return retry.LineServer()
	}
	return retry.LineMiniApp()
}

// Fleet is the lottery of the note bucket, which all phones of the Mini-App share (L14.7); a server's token is one sender's
// own, and has none.
func (s Service) Fleet() retry.Fleet {
	if s.Tier == Server && s.ChannelID != "" {
		return retry.Fleet{}
	}
	return retry.LineFleet(s.perMinute())
}

// perMinute is the service's ceiling of the note bucket.
func (s Service) perMinute() int {
	switch {
	case s.ChannelID == "":
		return genericPerMinute
	case s.Tier == Server:
		return serverPerMinute
	}
	return miniAppPerMinute
}
