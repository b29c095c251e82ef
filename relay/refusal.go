package main

import "github.com/liff-keep/liff-keep/relay/refuse"

// refusal is an answer of the relay's own.
type refusal = refuse.Refusal

var (
	badPath       = refusal{Status: 404, Code: "PATH", Message: "calls go to /relay/evernote/HOST/PATH"}
	badMethod     = refusal{Status: 405, Code: "METHOD", Message: "Thrift over HTTP is POST"}
	badType       = refusal{Status: 415, Code: "CONTENT_TYPE", Message: "only application/x-thrift is passed through"}
	foreignOrigin = refusal{Status: 403, Code: "FORBIDDEN_ORIGIN", Message: "only the Mini-App's own pages may call; serve them from this origin"}
	foreignHost   = refusal{Status: 403, Code: "FORBIDDEN_HOST", Message: "the host is not on the relay's list; add it to -hosts if it is meant"}
	badKey        = refusal{Status: 400, Code: "KEY", Message: "Liff-Keep-Fetch is at most 100 bytes"}
	repeated      = refusal{Status: 409, Code: "REPEATED", Message: "this very call was passed on already; ask the host what came of it"}
	tooLarge      = refusal{Status: 413, Code: "TOO_LARGE", Message: "the body is larger than -max-body"}
	noUpstream    = refusal{Status: 502, Code: "UPSTREAM", Message: "the host did not answer"}
	redirected    = refusal{Status: 502, Code: "UPSTREAM", Message: "the host redirects; put the address it names into noteStoreURL"}
	busy          = refusal{Status: 503, Code: "BUSY", Message: "too many calls are under way; come again after Retry-After"}
	nobodyKnows   = refusal{Status: 503, Code: "QUEUE", Message: "NATS does not answer whether this call was passed on already; come again after Retry-After"}
	draining      = refusal{Status: 503, Code: "STOPPING", Message: "the relay is being stopped; come again after Retry-After"}
	timedOut      = refusal{Status: 504, Code: "TIMEOUT", Message: "the call took longer than -timeout"}
)
