package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// serveOps answers the tests' side door. It always allows CORS, also with
// -cors=false, and is in no traffic figure.
func (s *server) serveOps(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w)
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodOptions {
		allowCalls(w, "Content-Type")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	calls := map[string]func(http.ResponseWriter, *http.Request){
		"GET /ops/notes":             s.opsNotes,
		"GET /ops/media":             s.opsMedia,
		"GET /ops/evernote/notes":    s.opsEvernoteNotes,
		"GET /ops/evernote/resource": s.opsEvernoteResource,
		"GET /ops/messages":          s.opsMessages,
		"GET /ops/attachments":       s.opsAttachments,
		"GET /ops/ledger":            s.opsLedger,
		"GET /ops/audit":             s.opsAudit,
		"POST /ops/audit":            s.opsAudit,
		"GET /ops/stats":             s.opsStats,
		"GET /ops/requests":          s.opsRequests,
		"GET /ops/clock":             s.opsClock,
		"POST /ops/clock":            s.opsClock,
		"GET /ops/faults":            s.opsFaults,
		"POST /ops/faults":           s.opsFaults,
		"POST /ops/reset":            s.opsReset,
	}
	if serve := calls[r.Method+" "+r.URL.Path]; serve != nil {
		serve(w, r)
		return
	}
	writeJSON(w, http.StatusNotFound, apiError{"not_found", "no such /ops call"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(encodeLine(v))
}

func writeLines(w http.ResponseWriter, lines []byte) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Length", strconv.Itoa(len(lines)))
	w.Write(lines)
}

// opsNotes lists the notes in arrival order; ?channel= restricts, &raw=1 gives
// the bytes of each note and LF, nothing else. A note whose JSON is spread over
// lines stands in "noteText" instead of "note", as a string; its raw form has
// those line ends too.
func (s *server) opsNotes(w http.ResponseWriter, r *http.Request) {
	channel, raw := r.URL.Query().Get("channel"), r.URL.Query().Get("raw") == "1"
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	for _, n := range s.keep.store.notes {
		if channel != "" && n.channel != channel {
			continue
		}
		if raw {
			out.Write(n.raw)
			out.WriteByte('\n')
			continue
		}
		row := encodeLine(map[string]any{"channel": n.channel, "noteId": n.id, "sha256": n.sha256,
			"state": n.state(), "requestId": n.requestID, "at": n.at.UnixMilli(), "bytes": len(n.raw), "legacy": n.legacy})
		out.Write(row[:len(row)-2]) // without "}" and LF: the note goes in as it is
		if bytes.ContainsAny(n.raw, "\r\n") {
			text := encodeLine(string(n.raw))
			out.WriteString(`,"noteText":`)
			out.Write(text[:len(text)-1])
		} else {
			out.WriteString(`,"note":`)
			out.Write(n.raw)
		}
		out.WriteString("}\n")
	}
	writeLines(w, out.Bytes())
}

// opsMedia lists the media; ?mediaId= gives the bytes of one.
func (s *server) opsMedia(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := r.URL.Query().Get("mediaId"); id != "" {
		m := s.keep.store.medium[id]
		if m == nil {
			writeJSON(w, http.StatusNotFound, apiError{"not_found", "no such medium"})
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(m.raw)
		return
	}
	var out bytes.Buffer
	for _, m := range s.keep.store.media {
		out.Write(encodeLine(map[string]any{"channel": m.channel, "mediaId": m.id, "sha256": m.sha256,
			"bytes": len(m.raw), "requestId": m.requestID, "at": m.at.UnixMilli()}))
	}
	writeLines(w, out.Bytes())
}

func (s *server) opsLedger(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep.ledger.expire(s.clock.now())
	var out bytes.Buffer
	for _, row := range s.keep.ledger.rows {
		out.Write(row.line)
	}
	writeLines(w, out.Bytes())
}

// opsAudit answers an auditReport. POST {"expected":[noteId,…]} adds what of
// the sender's list is missing.
func (s *server) opsAudit(w http.ResponseWriter, r *http.Request) {
	var posted struct {
		Expected []string `json:"expected"`
	}
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		if err := strict(body, &posted); err != nil {
			writeJSON(w, http.StatusBadRequest, apiError{"invalid_json", err.Error()})
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	report := s.keep.ledger.audit(s.clock.now())
	if r.Method == http.MethodPost {
		report.missingReport = s.keep.ledger.missing(posted.Expected, s.keep.store)
	}
	writeJSON(w, http.StatusOK, report)
}

func (s *server) opsStats(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, http.StatusOK, s.traffic.report())
}

func (s *server) opsRequests(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	for _, row := range s.traffic.log {
		out.Write(encodeLine(row))
	}
	writeLines(w, out.Bytes())
}

// opsClock shows the sandbox clock; POST {"advanceSeconds":n} moves it forward.
func (s *server) opsClock(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var posted struct {
			AdvanceSeconds float64 `json:"advanceSeconds"`
		}
		body, _ := io.ReadAll(r.Body)
		if err := strict(body, &posted); err != nil || posted.AdvanceSeconds < 0 {
			writeJSON(w, http.StatusBadRequest, apiError{"invalid_json", `want {"advanceSeconds":n}, n not negative`})
			return
		}
		s.clock.advance(time.Duration(posted.AdvanceSeconds * float64(time.Second)))
	}
	now := s.clock.now()
	w.Header().Set("Date", httpDate(now))
	writeJSON(w, http.StatusOK, map[string]any{"now": unixMilli(now), "factor": s.clock.factor})
}

// opsFaults shows what is left of the script, or appends {"script":[…]} to it.
func (s *server) opsFaults(w http.ResponseWriter, r *http.Request) {
	var posted []*fault
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		var err error
		if posted, err = readScript(body); err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_fault",
				"message": err.Error(), "kinds": kindNames()})
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range posted {
		if requestFault(f.Kind) || f.Skip > 0 {
			s.script.entries = append(s.script.entries, f)
		} else {
			s.obey(*f)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"script": append([]*fault{}, s.script.entries...),
		"active": s.keep.active()})
}

func (s *server) opsReset(w http.ResponseWriter, _ *http.Request) {
	s.reset()
	writeJSON(w, http.StatusOK, json.RawMessage(`{"reset":true}`))
}

// active lists the state faults that are in force.
func (k *keep) active() map[string]any {
	a := map[string]any{"expiredTokens": len(k.tokens.expired), "unscopedTokens": len(k.tokens.unscoped),
		"headersHidden": k.hideHeaders, "retryAfter": k.retryAfter}
	if k.load != nil {
		a["load"] = map[string]any{"percent": k.load.percent, "channel": k.load.channel,
			"from": unixMilli(k.load.from), "until": unixMilli(k.load.until)}
	}
	return a
}
