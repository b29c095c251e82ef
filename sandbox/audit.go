package main

import "time"

// An auditReport is the ledger as an auditor counts it (L1.2, L1.3), over the last 30
// days. An empty row is a 429's: a write that is missing at that moment. What
// is missing for good only the sender can say; post its list to /ops/audit.
type auditReport struct {
	Rows         int     `json:"rows"`
	Bytes        int     `json:"bytes"`        // of all rows
	Accepted     int     `json:"accepted"`     // rows answered 200
	Conflicts    int     `json:"conflicts"`    // rows answered 409
	Refused      int     `json:"refused"`      // rows answered 429
	RefusedBytes int     `json:"refusedBytes"` // 480 each
	Notes        int     `json:"notes"`        // distinct notes with an accepted row
	Duplicates   int     `json:"duplicates"`   // note writes that were already there
	EmptyRate    float64 `json:"emptyRate"`    // 429 rows / all rows, of writes
	LongestEmpty int     `json:"longestEmptyRun"`
	EmptyRuns    int     `json:"emptyRuns"` // runs of ≥ 10 empty write rows

	*missingReport
}

// A missingReport compares the ledger with what a sender was told is durable.
type missingReport struct {
	Expected       int      `json:"expected"`
	Missing        []string `json:"missing"` // no accepted row
	Absent         []string `json:"absent"`  // not stored now, whatever the ledger says
	MissingRate    float64  `json:"missingRate"`
	LongestMissing int      `json:"longestMissingRun"`
	TicketTH       bool     `json:"ticketTH"` // ≥ 10 consecutive missing (L1.2, Thailand)
	PassJP         bool     `json:"passJP"`   // rate < 0.1 % (L1.3, Japan)
}

func (l *ledger) audit(now time.Time) auditReport {
	l.expire(now)
	var r auditReport
	run, writes, empty := 0, 0, 0
	for _, row := range l.rows {
		r.Rows++
		r.Bytes += len(row.line)
		switch row.status {
		case 200:
			r.Accepted++
		case 409:
			r.Conflicts++
		case 429:
			r.Refused++
			r.RefusedBytes += len(row.line)
		}
		for _, n := range row.notes {
			if n.NoteID != "" && n.Outcome == "duplicate" {
				r.Duplicates++
			}
		}
		if !row.write {
			continue
		}
		writes++
		if row.status != 429 {
			run = 0
			continue
		}
		run++
		empty++
		r.LongestEmpty = max(r.LongestEmpty, run)
		if run == ticketRun {
			r.EmptyRuns++
		}
	}
	r.Notes = len(l.acceptedIDs())
	r.EmptyRate = share(empty, writes)
	return r
}

func (l *ledger) acceptedIDs() map[string]bool {
	ids := map[string]bool{}
	for _, row := range l.rows {
		for _, n := range row.notes {
			if n.NoteID != "" && (n.Outcome == "stored" || n.Outcome == "duplicate") {
				ids[n.NoteID] = true
			}
		}
	}
	return ids
}

// missing compares expected, in the sender's order, with the ledger and store.
func (l *ledger) missing(expected []string, s *store) *missingReport {
	r := &missingReport{Expected: len(expected), Missing: []string{}, Absent: []string{}}
	accepted := l.acceptedIDs()
	run := 0
	for _, id := range expected {
		if s.byID[id] == nil {
			r.Absent = append(r.Absent, id)
		}
		if accepted[id] {
			run = 0
			continue
		}
		r.Missing = append(r.Missing, id)
		run++
		r.LongestMissing = max(r.LongestMissing, run)
	}
	r.MissingRate = share(len(r.Missing), len(expected))
	r.TicketTH = r.LongestMissing >= ticketRun
	r.PassJP = r.MissingRate < missingRateCap
	return r
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
