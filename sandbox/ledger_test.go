package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// LINE guide §5: a 429's row has 480 bytes, whatever the call looked like.
func TestL5_1_RefusalRowsHave480Bytes(t *testing.T) {
	for _, channel := range []string{"1650000001", "1", strings.Repeat("9", 500), `<"\` + strings.Repeat("é", 90)} {
		r := newRig(t)
		r.burst("a", 32, "X-Line-Channel-ID: "+channel)
		rows := r.lines("/ops/ledger")
		require.Len(t, rows, 32)
		for _, row := range rows[30:] {
			require.Len(t, row, 480, channel)
			require.True(t, strings.HasSuffix(row, " \n"))
			var v struct {
				Status  int
				Payload string
			}
			require.NoError(t, json.Unmarshal([]byte(row), &v))
			require.Equal(t, 429, v.Status)
			require.Empty(t, v.Payload)
		}
	}
}

// LINE guide §1: which calls leave a row.
func TestL1_1_WhichCallsLeaveARow(t *testing.T) {
	for _, row := range []struct {
		name, method, target, body string
		rows                       int
	}{
		{"a note", "POST", "/v1/keep/note", noteJSON("a"), 1},
		{"a duplicate", "POST", "/v1/keep/note", noteJSON("there"), 1},
		{"a conflict", "POST", "/v1/keep/note", `{"noteId":"there"}`, 1},
		{"a batch", "POST", "/v1/keep/note", batch(3), 1},
		{"media", "PUT", "/v1/keep/media?mediaId=m", "x", 1},
		{"hide", "POST", "/v1/keep/hide", `{"noteId":"there"}`, 1},
		{"status, a metadata call", "GET", "/v1/keep/status?noteId=there", "", 1},
		{"too large", "POST", "/v1/keep/note", batch(501), 0},
		{"the old path", "POST", "/liff/v2/keep/note", noteJSON("a"), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t)
			r.note("there")
			w := r.send(row.method, row.target, row.body)
			rows := r.lines("/ops/ledger")
			require.Len(t, rows, 1+row.rows)
			if row.rows > 0 {
				require.Contains(t, rows[1], w.Header().Get("X-Line-Keep-Request-Id"))
			}
		})
	}
}

// LINE guide §1: ten missing in a row open a ticket, 0.1 % is too many.
func TestL1_2_L1_3_MissingWritesAsAuditorsCount(t *testing.T) {
	ids := func(from, to int) (out []string) {
		for i := from; i < to; i++ {
			out = append(out, fmt.Sprintf("n%d", i))
		}
		return out
	}
	for _, row := range []struct {
		name            string
		expected        []string
		missing, run    int
		ticket, passing bool
	}{
		{"all there", ids(0, 500), 0, 0, false, true},
		{"nine in a row", ids(0, 509), 9, 9, false, false},
		{"ten in a row", ids(0, 510), 10, 10, true, false},
		{"ten, but not in a row", append(ids(495, 504), "n1", "n900"), 5, 4, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t)
			require.Equal(t, 200, r.send("POST", "/v1/keep/note", batch(500)).Code)
			body, _ := json.Marshal(map[string]any{"expected": row.expected})
			got := r.json(r.ops("POST", "/ops/audit", string(body)))
			require.Len(t, got["missing"], row.missing)
			require.EqualValues(t, row.run, got["longestMissingRun"])
			require.Equal(t, row.ticket, got["ticketTH"])
			require.Equal(t, row.passing, got["passJP"])
		})
	}
}

// LINE guide §1, §5: a storm as the auditor sees it, a run of ten empty writes included.
func TestL5_1_L1_2_AuditCounts(t *testing.T) {
	for _, row := range []struct{ refused, runs int }{{9, 0}, {10, 1}, {25, 1}} {
		r := newRig(t)
		r.burst("a", 30+row.refused)
		got := r.audit()
		for name, want := range map[string]int{"rows": 30 + row.refused, "accepted": 30, "refused": row.refused,
			"refusedBytes": row.refused * 480, "notes": 30, "longestEmptyRun": row.refused, "emptyRuns": row.runs, "duplicates": 0} {
			require.EqualValues(t, want, got[name], "%s after %d refusals", name, row.refused)
		}
		require.InDelta(t, float64(row.refused)/float64(30+row.refused), got["emptyRate"], 1e-9)
		require.EqualValues(t, len(strings.Join(r.lines("/ops/ledger"), "")), got["bytes"])
	}
}

// LINE guide §9.5: raw rows are kept 30 days.
func TestL9_5_RowsAreKept30Days(t *testing.T) {
	r := newRig(t)
	r.note("a")
	r.at(30 * 86400)
	require.Len(t, r.lines("/ops/ledger"), 1)
	r.at(30*86400 + 1)
	require.Empty(t, r.lines("/ops/ledger"))
}

// LINE guide §10, Q4: the old path and its end in Japanese time.
func TestL10_1_L10_5_LegacyPathAndItsEnd(t *testing.T) {
	for _, row := range []struct {
		start  string
		status int
	}{
		{"2026-06-30T23:59:59+09:00", 200},
		{"2026-06-30T23:59:59.9+09:00", 200},
		{"2026-07-01T00:00:00+09:00", 410},
		{"2026-06-30T15:00:00Z", 410},
	} {
		r := newRig(t)
		r.clock.start = parseTime(t, row.start)
		w := r.send("POST", "/liff/v2/keep", noteJSON("a"))
		require.Equal(t, row.status, w.Code, row.start)
		require.Empty(t, r.lines("/ops/ledger"), "no audit row")
		if row.status == 410 {
			require.Contains(t, w.Body.String(), "/v1/keep/note")
		}
	}
}

// LINE guide §10: the old quota goes by address and ten minutes, not by channel.
func TestL10_1_L10_5_LegacyQuotaByAddress(t *testing.T) {
	r := newRig(t)
	for i := range legacyCalls {
		require.Equal(t, 200, r.send("POST", "/liff/v2/keep", noteJSON(fmt.Sprint(i))).Code)
	}
	r.at(599)
	w := r.send("POST", "/liff/v2/keep", noteJSON("x"))
	require.Equal(t, 429, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	require.Equal(t, 200, r.note("new path").Code)
	r.at(600)
	require.Equal(t, 200, r.send("POST", "/liff/v2/keep", noteJSON("x")).Code)
	require.Len(t, r.lines("/ops/ledger"), 1, "only the new path's row")
}

// LINE guide §13.2: "api:keep AND status:429, grouped by channelId", and a request id of each for LINE support.
func TestL13_6_RefusalsByChannelWithTheirRequestIDs(t *testing.T) {
	r := newRig(t)
	asked := map[string][]string{} // request ids of the 429s, by channel
	for _, row := range []struct {
		channel       string
		calls, refuse int
	}{{"1650000001", 33, 3}, {"1650000002", 31, 1}, {"1650000003", 29, 0}} {
		for i := range row.calls {
			w := r.note(fmt.Sprintf("%s-%d", row.channel, i), "X-Line-Channel-ID: "+row.channel)
			if w.Code == 429 {
				asked[row.channel] = append(asked[row.channel], w.Header().Get("X-Line-Keep-Request-Id"))
			}
		}
		require.Len(t, asked[row.channel], row.refuse, row.channel)
		bucket := r.stats()["buckets"].(map[string]any)[row.channel+"/note"].(map[string]any)
		refused, _ := bucket["byStatus"].(map[string]any)["429"].(float64)
		require.EqualValues(t, row.refuse, refused, "the statistics of %s", row.channel)
	}
	found := map[string][]string{}
	for _, line := range r.lines("/ops/ledger") {
		var v struct {
			Status             int
			Channel, RequestID string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		if v.Status == 429 {
			found[v.Channel] = append(found[v.Channel], v.RequestID)
		}
	}
	require.Equal(t, asked, found)
}
