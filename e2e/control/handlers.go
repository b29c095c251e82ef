package control

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	session := r.FormValue("session")
	deadline := time.NewTimer(pollFor)
	defer deadline.Stop()
	for first := r.FormValue("hello") != ""; ; first = false {
		s.mu.Lock()
		if first {
			s.drop()
			s.session = session
			s.loads++
			s.wake()
		}
		if s.session != session {
			s.mu.Unlock()
			http.Error(w, "another page took over", http.StatusGone)
			return
		}
		if len(s.queue) > 0 {
			// under the lock: a poll that is already cut must not take the command with it
			if r.Context().Err() == nil {
				one := s.queue[0]
				s.queue = s.queue[1:]
				s.mu.Unlock()
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(one) // a page that went away is noticed by its successor
				return
			}
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			w.WriteHeader(http.StatusNoContent)
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) result(w http.ResponseWriter, r *http.Request) {
	var got result
	if !decode(w, r, &got) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiter, ok := s.waiting[got.ID]; ok {
		waiter <- got
		delete(s.waiting, got.ID)
	}
}

func (s *Server) takeReceipts(w http.ResponseWriter, r *http.Request) {
	var got []Receipt
	if !decode(w, r, &got) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, receipt := range got {
		if receipt.Index < 0 || receipt.Index >= len(s.lines) {
			http.Error(w, "no such index", http.StatusBadRequest)
			return
		}
		s.receipts[receipt.Index] = receipt
		if receipt.Code == "" {
			s.millis = append(s.millis, receipt.Millis)
		}
	}
}

func (s *Server) event(w http.ResponseWriter, r *http.Request) {
	var got struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
	}
	if !decode(w, r, &got) {
		return
	}
	s.eventMu.Lock()
	defer s.eventMu.Unlock()
	if s.OnEvent != nil {
		s.OnEvent(got.Name, got.Value)
	}
}

func (s *Server) input(w http.ResponseWriter, r *http.Request) {
	from, err1 := strconv.Atoi(r.FormValue("from"))
	count, err2 := strconv.Atoi(r.FormValue("count"))
	if err1 != nil || err2 != nil || from < 0 || count < 0 {
		http.Error(w, "from and count are numbers", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	for i := from; i < from+count && i < len(s.lines); i++ {
		_, _ = w.Write(s.lines[i]) // a page that went away asks again
		_, _ = w.Write([]byte("\n"))
	}
}

func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}
