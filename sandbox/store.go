package main

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A note is one stored note. raw is what stood in the body, byte for byte.
type note struct {
	channel   string
	id        string
	raw       []byte
	sha256    string
	hidden    bool
	legacy    bool
	requestID string // of the call that stored it
	at        time.Time
}

func (n *note) state() string {
	if n.hidden {
		return "hidden"
	}
	return "stored"
}

// A medium is one stored upload.
type medium struct {
	channel   string
	id        string
	raw       []byte
	sha256    string
	requestID string
	at        time.Time
}

// A store keeps notes and media in arrival order. A noteId is unique over all
// channels and stays used after hide (L7.1, L7.2). Guarded by the server's mutex.
type store struct {
	notes  []*note
	byID   map[string]*note
	media  []*medium
	medium map[string]*medium
}

func newStore() *store {
	return &store{byID: map[string]*note{}, medium: map[string]*medium{}}
}

// put stores n, or says "duplicate" (same id, same bytes) or "conflict" (same
// id, other bytes). It returns the note that holds the id now.
func (s *store) put(n *note) (outcome string, held *note) {
	if old := s.byID[n.id]; old != nil {
		if old.sha256 == n.sha256 {
			return "duplicate", old
		}
		return "conflict", old
	}
	s.byID[n.id] = n
	s.notes = append(s.notes, n)
	return "stored", n
}

func (s *store) putMedium(m *medium) (outcome string, held *medium) {
	if old := s.medium[m.id]; old != nil {
		if old.sha256 == m.sha256 {
			return "duplicate", old
		}
		return "conflict", old
	}
	s.medium[m.id] = m
	s.media = append(s.media, m)
	return "stored", m
}

// forget loses the named notes and the newest count ones, as if they had never
// arrived: their ids are free again. It returns how many were lost.
func (s *store) forget(ids []string, count int) int {
	lost := map[string]bool{}
	for _, id := range ids {
		if s.byID[id] != nil {
			lost[id] = true
		}
	}
	for i := len(s.notes) - 1; i >= 0 && count > 0; i-- {
		if !lost[s.notes[i].id] {
			lost[s.notes[i].id] = true
			count--
		}
	}
	var kept []*note
	for _, n := range s.notes {
		if lost[n.id] {
			delete(s.byID, n.id)
		} else {
			kept = append(kept, n)
		}
	}
	s.notes = kept
	return len(lost)
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
