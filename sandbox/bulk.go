package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
)

// postBulk is the announced append-only endpoint (L11.1): one gzip body of NDJSON,
// at most 10,000 notes, for one request of quota. It answers like a batch. A
// note is its line without white space at the ends; empty lines are skipped.
func (k *keep) postBulk(c *call) answer {
	if c.header.Get("Content-Encoding") != "gzip" {
		return refusal(415, "unsupported_encoding", "bulk is sent with Content-Encoding: gzip")
	}
	plain, err := inflate(c.body)
	if err != nil {
		return refusal(400, "invalid_gzip", "the body is no gzip stream")
	}
	if len(plain) > bulkInflateCap {
		return refusal(413, "payload_too_large", fmt.Sprintf("at most %d bytes unpacked", bulkInflateCap))
	}
	var raws []json.RawMessage
	for line := range bytes.Lines(plain) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			raws = append(raws, line)
		}
	}
	if len(raws) == 0 {
		return refusal(400, "invalid_batch", "the body holds no note")
	}
	c.notes = len(raws)
	drafts, bad := draftsOf(raws, bulkCap)
	if bad != nil {
		return *bad
	}
	return k.limited(c, func() answer { return k.storeBatch(c, drafts) })
}

// inflate unpacks at most one byte more than bulkInflateCap.
func inflate(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, bulkInflateCap+1))
}
