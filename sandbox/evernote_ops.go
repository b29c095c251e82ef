package main

import (
	"bytes"
	"net/http"
)

// opsEvernoteNotes lists the notes in arrival order, NDJSON; ?user= restricts. content is the ENML as it came, so that a
// judge takes it apart by itself; resources are named by their MD5.
func (s *server) opsEvernoteNotes(w http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("user")
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	for _, n := range s.evernote.stored {
		if user != "" && n.user != user {
			continue
		}
		resources := []map[string]any{}
		for _, one := range n.resources {
			resources = append(resources, map[string]any{"md5": hexOf(one.hash), "mime": one.mime,
				"fileName": one.fileName, "bytes": len(one.body)})
		}
		out.Write(encodeLine(map[string]any{"guid": n.guid, "updateSequenceNum": n.usn, "title": *n.title, "content": *n.content,
			"sourceURL": n.attributes[15], "sourceApplication": n.attributes[16], "notebookGuid": n.notebookGUID,
			"created": n.created, "user": n.user, "key": n.key, "at": n.at.UnixMilli(), "resources": resources}))
	}
	writeLines(w, out.Bytes())
}

// opsEvernoteResource answers the bytes of the resource with ?md5=.
func (s *server) opsEvernoteResource(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.evernote.stored {
		for _, one := range n.resources {
			if hexOf(one.hash) == r.URL.Query().Get("md5") {
				w.Header().Set("Content-Type", "application/octet-stream")
				w.Write(one.body)
				return
			}
		}
	}
	writeJSON(w, http.StatusNotFound, apiError{"not_found", "no such resource"})
}
