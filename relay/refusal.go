package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refusal is an answer of the relay's own.
type refusal struct {
	status  int
	code    string
	message string
}

var (
	badPath       = refusal{404, "PATH", "calls go to /relay/evernote/HOST/PATH"}
	badMethod     = refusal{405, "METHOD", "Thrift over HTTP is POST"}
	badType       = refusal{415, "CONTENT_TYPE", "only application/x-thrift is passed through"}
	foreignOrigin = refusal{403, "FORBIDDEN_ORIGIN", "only the Mini-App's own pages may call; serve them from this origin"}
	foreignHost   = refusal{403, "FORBIDDEN_HOST", "the host is not on the relay's list; add it to -hosts if it is meant"}
	badKey        = refusal{400, "KEY", "Liff-Keep-Fetch is at most 100 bytes"}
	repeated      = refusal{409, "REPEATED", "this very call was passed on already; ask the host what came of it"}
	tooLarge      = refusal{413, "TOO_LARGE", "the body is larger than -max-body"}
	noUpstream    = refusal{502, "UPSTREAM", "the host did not answer"}
	redirected    = refusal{502, "UPSTREAM", "the host redirects; put the address it names into noteStoreURL"}
	busy          = refusal{503, "BUSY", "too many calls are under way; come again after Retry-After"}
	draining      = refusal{503, "STOPPING", "the relay is being stopped; come again after Retry-After"}
	timedOut      = refusal{504, "TIMEOUT", "the call took longer than -timeout"}
)

// retryAfter in seconds, for 503: a call of the service takes about a second.
const retryAfter = 2

// write answers with {"error":{"code","message"}}.
func (f refusal) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if f.status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	w.WriteHeader(f.status)
	type body struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.NewEncoder(w).Encode(map[string]body{"error": {f.code, f.message}}) // the caller may be gone
}
