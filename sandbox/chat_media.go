package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An upload is an attachment's bytes; it is nothing a person sees until a message names it.
type upload struct {
	space, token, resourceName string
	name, mediaType            string
	raw                        []byte
	at                         time.Time
}

// upload stores bytes and answers the token that a message names them with:
// POST /upload/v1/spaces/S/attachments:upload?uploadType=multipart, multipart/related with {"filename"} and the bytes. Each
// upload counts as a write in the space.
func (s *chat) upload(c *call) answer {
	if kind := c.query.Get("uploadType"); kind != "multipart" {
		return invalid("upload_type %q: the sandbox takes multipart", kind)
	}
	name, mediaType, raw, err := readRelated(c)
	switch {
	case err != nil:
		return invalid("multipart body: %v", err)
	case name == "":
		return invalid("filename is required")
	case len(raw) == 0 || len(raw) > chatUploadCap:
		return invalid("an attachment has 1 to %d bytes", chatUploadCap)
	}
	return s.limited(c, func() answer {
		s.serial++
		sum := hashOf([]byte(c.requestID))
		u := &upload{space: c.channel, token: "AATT+" + sum[:32] + "/=", resourceName: "spaces/" + c.channel + "/attachments/" + sum[:24],
			name: name, mediaType: mediaType, raw: raw, at: c.now}
		s.uploads[u.token], s.files[u.resourceName] = u, u
		return jsonAnswer(200, map[string]any{"attachmentDataRef": map[string]string{"resourceName": u.resourceName, "attachmentUploadToken": u.token}})
	})
}

// readRelated takes a multipart/related body apart: metadata, then the bytes.
func readRelated(c *call) (name, mediaType string, raw []byte, err error) {
	kind, params, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" {
		return "", "", nil, http.ErrNotMultipart
	}
	parts := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	head, err := parts.NextRawPart()
	if err != nil {
		return "", "", nil, err
	}
	var meta struct {
		Filename string `json:"filename"`
	}
	if err := json.NewDecoder(head).Decode(&meta); err != nil {
		return "", "", nil, err
	}
	body, err := parts.NextRawPart()
	if err != nil {
		return "", "", nil, err
	}
	if raw, err = io.ReadAll(body); err != nil {
		return "", "", nil, err
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		return "", "", nil, http.ErrNotSupported
	}
	return meta.Filename, body.Header.Get("Content-Type"), raw, nil
}

// download answers an attachment's bytes: GET /v1/media/RESOURCE?alt=media.
func (s *chat) download(c *call) answer {
	u := s.files[strings.TrimPrefix(c.path, chatMediaPrefix+"/")]
	if u == nil || c.query.Get("alt") != "media" {
		return googleError(404, "Media not found.")
	}
	return s.limited(c, func() answer {
		return answer{status: 200, header: http.Header{"Content-Type": {u.mediaType}}, body: u.raw}
	})
}

// spaceOf names the space of a resource, "" when there is none.
func (s *chat) spaceOf(resourceName string) string {
	if u := s.files[resourceName]; u != nil {
		return u.space
	}
	return ""
}

// opsMessages lists a space's messages, or all, in order of arrival: what a judge reads notes from.
func (s *server) opsMessages(w http.ResponseWriter, r *http.Request) {
	space := r.URL.Query().Get("space")
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(s.chat.spaces)) {
		if space != "" && name != space {
			continue
		}
		for _, m := range s.chat.spaces[name].messages {
			files := []any{}
			for _, f := range m.files {
				files = append(files, map[string]any{"resourceName": f.resourceName, "name": f.name, "type": f.mediaType,
					"bytes": len(f.raw), "sha256": hashOf(f.raw)})
			}
			out.Write(encodeLine(map[string]any{"space": m.space, "name": "spaces/" + m.space + "/messages/" + m.id, "messageId": m.clientID,
				"requestId": m.requestID, "threadKey": m.threadKey, "text": m.text, "sha256": hashOf([]byte(m.text)), "attachments": files,
				"at": m.at.UnixMilli()}))
		}
	}
	writeLines(w, out.Bytes())
}

// opsAttachments gives the bytes of one attachment, ?resourceName=.
func (s *server) opsAttachments(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.chat.files[r.URL.Query().Get("resourceName")]
	if u == nil {
		writeJSON(w, http.StatusNotFound, apiError{"not_found", "no such attachment"})
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(u.raw)
}
