// Package refuse holds what the relay answers when it will not take a call: a status, a code a program reads, and a
// sentence for whoever mends it.
package refuse

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Refusal is an answer of the relay's own. Value; copy freely.
type Refusal struct {
	Status  int
	Code    string
	Message string
}

// retryAfter in seconds, for 503: a call of the service takes about a second.
const retryAfter = 2

// Write answers with {"error":{"code","message"}}.
func (f Refusal) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if f.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if f.Status == http.StatusMethodNotAllowed && h.Get("Allow") == "" {
		h.Set("Allow", http.MethodPost)
	}
	w.WriteHeader(f.Status)
	type body struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.NewEncoder(w).Encode(map[string]body{"error": {f.Code, f.Message}}) // the caller may be gone
}
