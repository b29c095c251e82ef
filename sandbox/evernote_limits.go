package main

import "time"

// Evernote's numbers, from its published Limits.thrift and its guide.
const (
	evernotePrefix    = "/shard"              // of every noteStoreUrl
	evernoteNoteStore = "/shard/s1/notestore" // this account's

	evernoteWindow      = time.Hour        // E1.1
	evernoteSandboxWait = 15 * time.Second // E4.1
	evernoteCalls       = 1000             // calls of one key for one user in a window; unpublished, so a flag

	titleCap      = 255        // EDAM_NOTE_TITLE_LEN_MAX, characters
	contentCap    = 5_242_880  // EDAM_NOTE_CONTENT_LEN_MAX, characters
	edamNoteCap   = 26_214_400 // EDAM_NOTE_SIZE_MAX_FREE, content and resources
	resourceCount = 1000       // EDAM_NOTE_RESOURCES_MAX
	attributeCap  = 4096       // EDAM_ATTRIBUTE_LEN_MAX
	chunkCap      = 256        // entries of one sync chunk (ours)
	thriftCap     = 32 << 20   // bytes of one message (ours)

	// The notebook that every account has. Its own update number is 1.
	defaultNotebook = "8c2a4a5e-0000-4000-8000-000000000001"
)

// EDAMErrorCode, as far as this service throws it by itself.
const (
	edamBadDataFormat  = 2
	edamPermission     = 3
	edamDataRequired   = 5
	edamLimitReached   = 6
	edamInvalidAuth    = 8
	edamAuthExpired    = 9
	edamENMLValidation = 11
	edamRateLimit      = 19
)

// hourly counts the calls of one API key for one user (E1.1, E1.2). The window begins with the first call.
type hourly struct {
	until time.Time // end of the window
	used  int
}

// take spends one call at now, or says how many seconds to wait. In Evernote's sandbox a refusal ends the window 15 seconds
// later (E4.1).
func (h *hourly) take(now time.Time, limit int, sandboxed bool) (seconds int, ok bool) {
	if !now.Before(h.until) {
		h.until, h.used = now.Add(evernoteWindow), 0
	}
	if h.used < limit {
		h.used++
		return 0, true
	}
	if end := now.Add(evernoteSandboxWait); sandboxed && end.Before(h.until) {
		h.until = end
	}
	left := h.until.Sub(now)
	return int((left + time.Second - 1) / time.Second), false
}
