package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

// LedgerReport sums the page's own ledger up and holds it against the sandbox.
type LedgerReport struct {
	Rows     int            `json:"rows"`
	ByStatus map[string]int `json:"byStatus"` // attempts
	Notes    int            `json:"notes"`    // notes that it lists as stored
	// Unlisted are notes that the sandbox holds and the ledger does not list, WrongHash
	// those that it lists with another sha256: noteIds.
	Unlisted  []string `json:"unlisted"`
	WrongHash []string `json:"wrongHash"`
}

// SumLedger reads the page's ledger, NDJSON rows {"status", "notes": [{"noteId",
// "sha256"}]}. The error names the first row that cannot be read.
func SumLedger(text string, stored []judge.Stored) (*LedgerReport, error) {
	sum := &LedgerReport{ByStatus: map[string]int{}, Unlisted: []string{}, WrongHash: []string{}}
	listed := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var row struct {
			Status *int
			Notes  []struct{ NoteID, SHA256 string }
		}
		err := decoder.Decode(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", sum.Rows+1, err)
		}
		sum.Rows++
		if row.Status != nil {
			sum.ByStatus[fmt.Sprint(*row.Status)]++
		}
		for _, note := range row.Notes {
			listed[note.NoteID] = note.SHA256
		}
	}
	sum.Notes = len(listed)
	for _, note := range stored {
		switch hash, ok := listed[note.NoteID]; {
		case !ok:
			sum.Unlisted = append(sum.Unlisted, note.NoteID)
		case hash != note.SHA256:
			sum.WrongHash = append(sum.WrongHash, note.NoteID)
		}
	}
	return sum, nil
}
