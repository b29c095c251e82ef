package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/retry"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func FuzzReadNotes(f *testing.F) {
	for _, s := range []string{`{"noteId":"a"}`, `{"notes":[{"noteId":"a"},{"noteId":"b","x":[1,{"noteId":"c"}]}]}`, ` { "notes" : [ ] } `, `{"notes":[{"noteId":"a"}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		notes, batch, err := readNotes(body)
		if err != nil {
			return
		}
		var std struct {
			Notes []json.RawMessage
		}
		if !json.Valid(body) {
			t.Fatalf("%q is no JSON", body)
		}
		for _, n := range notes {
			var one struct {
				NoteID *string `json:"noteId"`
			}
			if !json.Valid(n.raw) || json.Unmarshal(n.raw, &one) != nil && n.id == "" {
				t.Fatalf("%q is no note", n.raw)
			}
		}
		if batch && bytes.Count(body, []byte(`"notes"`)) == 1 && json.Unmarshal(body, &std) == nil && len(std.Notes) == len(notes) {
			for i := range notes {
				if !bytes.Equal(notes[i].raw, std.Notes[i]) {
					t.Fatalf("note %d is %q, not %q", i, notes[i].raw, std.Notes[i])
				}
			}
		}
	})
}

// login stands for LINE Login, which no test can reach: the two calls that its reference names.
func login(t *testing.T, asked *int) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		token := r.URL.Query().Get("access_token")
		if r.URL.Path == "/v2/profile" {
			token = bearer(r)
			_, _ = fmt.Fprintf(w, `{"userId":"user-of-%s","displayName":"x"}`, token)
			return
		}
		switch token {
		case "good", "short":
			_, _ = fmt.Fprintf(w, `{"scope":"profile keep.write","client_id":"%s","expires_in":%d}`, channel, map[string]int{"good": 2592000, "short": 1}[token])
		case "unscoped":
			_, _ = fmt.Fprintf(w, `{"scope":"profile","client_id":"%s","expires_in":100}`, channel)
		case "other":
			_, _ = w.Write([]byte(`{"scope":"keep.write","client_id":"77","expires_in":100}`))
		case "broken":
			w.WriteHeader(500)
		default:
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"error":"invalid_request","error_description":"access token expired"}`))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// L10.2, L14.6: whose token it is, and whether it may.
func TestIdentifyByLINELogin(t *testing.T) {
	asked := 0
	s := login(t, &asked)
	identify, err := ParseIdentify("line:"+s.URL, "keep.write", http.DefaultClient)
	require.NoError(t, err)
	for _, row := range []struct {
		token, user string
		login       []string
		status      int
	}{
		{"good", "user-of-good", nil, 0},
		{"good", "user-of-good", nil, 0},
		{"", "", nil, 401},
		{"expired", "", nil, 401},
		{"unscoped", "", nil, 403},
		{"other", "", nil, 401},
		{"other", "user-of-other", []string{"77"}, 0},
		{"good", "", []string{"77"}, 401},
		{"broken", "", nil, 503},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		if row.token != "" {
			r.Header.Set("Authorization", "Bearer "+row.token)
		}
		user, no := identify(r, Channel{ID: channel, LoginChannels: row.login})
		require.Equal(t, row.status, no.Status, row.token)
		require.Equal(t, row.user, user, row.token)
	}
	before := asked
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Authorization", "Bearer good")
	_, _ = identify(r, Channel{ID: channel})
	require.Equal(t, before, asked, "a good answer is remembered")
	for _, bad := range []string{"", "line:http://api.line.me", "line:x", "header:", "other:x"} {
		_, err := ParseIdentify(bad, "", http.DefaultClient)
		require.Error(t, err, bad)
	}
}

func TestARememberedTokenLivesNoLongerThanItself(t *testing.T) {
	asked := 0
	s := login(t, &asked)
	now := time.Date(2026, 2, 10, 1, 0, 0, 0, time.UTC)
	l := &lineLogin{base: s.URL, client: http.DefaultClient, now: func() time.Time { return now }, known: map[[32]byte]person{}}
	_, err := l.lookUp(t.Context(), "short")
	require.NoError(t, err)
	now = now.Add(999 * time.Millisecond)
	_, _ = l.lookUp(t.Context(), "short")
	require.Equal(t, 2, asked)
	now = now.Add(time.Millisecond)
	_, _ = l.lookUp(t.Context(), "short")
	require.Equal(t, 4, asked, "asked anew")
}

func TestChannelFile(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	one := func(fields string) string { return `{"channels":[{` + fields + `}]}` }
	base := `"channelId":"1","baseURL":"https://keep.example/","tokenFile":"` + token + `"`
	for _, row := range []struct{ text, want string }{
		{one(base), ""},
		{one(base + `,"mix":true,"drain":"offpeak"`), ""},
		{one(base + `,"colour":1`), "unknown field"},
		{one(base + `,"drain":"sometimes"`), "drain is"},
		{one(base + `,"tokenEnv":"X"`), "one of tokenFile and tokenEnv"},
		{one(`"channelId":"1","baseURL":"https://keep.example"`), "one of tokenFile and tokenEnv"},
		{one(`"channelId":"1","baseURL":"http://keep.example","tokenFile":"` + token + `"`), "not https"},
		{one(`"channelId":"1.2","baseURL":"https://keep.example","tokenFile":"` + token + `"`), "letters"},
		{one(`"channelId":"1","baseURL":"https://keep.example","tokenFile":"` + token + `.not"`), "read the token"},
		{`{"channels":[{` + base + `},{` + base + `}]}`, "twice"},
		{`{"channels":[]}`, "no channel"},
	} {
		file := filepath.Join(dir, "channels.json")
		require.NoError(t, os.WriteFile(file, []byte(row.text), 0o600))
		list, err := ReadChannels(file)
		if row.want == "" {
			require.NoError(t, err, row.text)
			require.Equal(t, "https://keep.example", list[0].BaseURL)
			continue
		}
		require.ErrorContains(t, err, row.want, row.text)
	}
}

// The lottery's step for a 200, worked by hand: T = 60, 30 s into the minute; used is what all phones have sent.
func TestLighthouseSteers(t *testing.T) {
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC) // 21:00 JST or not: the published number knows no hour
	for _, row := range []struct {
		steps []int // used, measurement after measurement
		want  string
	}{
		{[]int{0}, "1.414"},                                // L = 60×5/35 = 8.6: twice the room, a step is at most √2
		{[]int{30}, "1.000"},                               // L = 60×35/35 = 60: as meant
		{[]int{49}, "0.805"},                               // L = 92.6: √(60/92.6)
		{[]int{99}, "0.707"},                               // L = 178: at most halved, √½
		{[]int{0, 0}, "2.000"},                             // it goes on from where it was
		{slices.Repeat([]int{0}, 9), "8.000"},              // the ceiling
		{slices.Repeat([]int{99, 99, 100}, 9), "0.001"},    // the floor
		{append(slices.Repeat([]int{99}, 4), 30), "0.250"}, // as meant again: it stays there
	} {
		var l retry.Lottery
		var a float64
		for i, used := range row.steps {
			l, a = steer(l, now.Add(time.Duration(i)*time.Minute), 100-used, 30)
			again, err := retry.ParseLottery(l.AppendText(nil))
			require.NoError(t, err)
			l = again
		}
		require.Equal(t, row.want, fmt.Sprintf("%.3f", a), "%+v", row)
	}
}

func TestLighthousePublishesForFree(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(o *Options) {
		o.Channels[0].Lighthouse, o.LighthouseDir, o.Clock = true, dir, morning(t, 30)
	})
	var b beam
	eventually(t, "the second probe, and more room than phones", func() bool { // in a minute's first second there is nothing to tell yet
		text, err := os.ReadFile(filepath.Join(dir, channel+".json"))
		return err == nil && json.Unmarshal(text, &b) == nil && r.stats().ByStatus["405"] >= 2 && b.A > 1
	})
	require.Equal(t, 100, b.Remaining, "a probe costs no quota")
	require.EqualValues(t, 180, b.ValidUntil-b.At)
	answer, err := http.Get(r.server.URL + LighthousePrefix + channel + ".json")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, 200, answer.StatusCode)
	require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"))
}

// The guide's section 13.1, and its section 6.
func TestAlarms(t *testing.T) {
	type step struct {
		at        time.Duration
		times     int
		status    int
		remaining int
		wait      time.Duration
		users     int
	}
	for _, row := range []struct {
		name  string
		steps []step
		alarm string
		want  float64
	}{
		{"L13.1: 5 of 100 in 5 min is none", []step{{0, 95, 200, 500, -1, 1}, {time.Minute, 5, 429, 500, -1, 1}}, "RATE_429", 0},
		{"L13.1: 6 of 100 is one", []step{{0, 94, 200, 500, -1, 1}, {time.Minute, 6, 429, 500, -1, 1}}, "RATE_429", 1},
		{"L13.1: six minutes later it is over", []step{{0, 6, 429, 500, -1, 1}, {6 * time.Minute, 1, 200, 500, -1, 1}}, "RATE_429", 0},
		{"L13.2: two waits above 60 s are none", []step{{0, 2, 429, 500, 61 * time.Second, 1}}, "RETRY_AFTER_LONG", 0},
		{"L13.2: three are one", []step{{0, 3, 429, 500, 61 * time.Second, 1}}, "RETRY_AFTER_LONG", 1},
		{"L13.2: exactly 60 s is normal", []step{{0, 3, 429, 500, 60 * time.Second, 1}}, "RETRY_AFTER_LONG", 0},
		{"L13.2: of two users, two each", []step{{0, 4, 429, 500, 61 * time.Second, 2}}, "RETRY_AFTER_LONG", 0},
		{"L13.3: 9 % for 10 min", []step{{0, 1, 200, 54, -1, 1}, {5 * time.Minute, 1, 200, 54, -1, 1}, {10 * time.Minute, 1, 200, 54, -1, 1}}, "QUOTA_MEAN_LOW", 1},
		{"L13.3: 10 % is none", []step{{0, 1, 200, 60, -1, 1}, {10 * time.Minute, 1, 200, 60, -1, 1}}, "QUOTA_MEAN_LOW", 0},
		{"L13.3: 9 % for 5 min is none", []step{{0, 1, 200, 54, -1, 1}, {5 * time.Minute, 1, 200, 54, -1, 1}}, "QUOTA_MEAN_LOW", 0},
		{"L6.2: 50 users below 20 % are none", []step{{0, 50, 200, 119, -1, 50}}, "QUOTA_LOW_USERS", 0},
		{"L6.2: 51 are one", []step{{0, 51, 200, 119, -1, 51}}, "QUOTA_LOW_USERS", 1},
		{"L6.2: at 20 % none", []step{{0, 51, 200, 120, -1, 51}}, "QUOTA_LOW_USERS", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			began := time.Now()
			m := newMeasures(prometheus.NewRegistry())
			a := &alarms{measures: m, log: discard(), channels: map[string]*signs{}}
			for _, s := range row.steps {
				a.clock = at(began.Add(s.at))
				for i := range s.times {
					a.saw(reply{channel: channel, users: []string{"U" + itoa(i%s.users)}, status: s.status, remaining: s.remaining, limit: 600, retryAfter: s.wait})
				}
			}
			require.Equal(t, row.want, testutil.ToFloat64(m.alarm.WithLabelValues(channel, row.alarm)))
			require.Equal(t, row.want == 1, strings.Contains(strings.Join(a.showing(channel), " "), row.alarm))
		})
	}
}

// L12.2, L14.7: two relays, one bucket. Each asks as often as it can, by a clock of its own that differs by 80 ms.
func TestTwoRelaysShareOneLimiter(t *testing.T) {
	r := newRig(t, nil)
	var taken []time.Time
	buckets, now := []*bucket{}, time.Now()
	for _, ahead := range []time.Duration{0, 80 * time.Millisecond} {
		buckets = append(buckets, &bucket{kv: r.fleet.engine.state, key: "limiter.test.note", policy: retry.LineServer(), clock: at(now.Add(ahead))})
	}
	for i := 0; len(taken) < 110; i++ {
		p, wait, err := buckets[i%2].try(t.Context())
		require.NoError(t, err)
		require.Zero(t, wait, "permit %d", len(taken))
		taken = append(taken, p.at.Truncate(time.Millisecond))
	}
	for _, b := range buckets {
		_, wait, err := b.try(t.Context())
		require.NoError(t, err)
		require.Positive(t, wait, "the 111th in 5 s waits, whoever asks (L2.5)")
	}
	for i := 1; i < len(taken); i++ {
		require.False(t, taken[i].Before(taken[i-1]), "the later clock counts")
	}
}

// What a machine of the cluster says that has not heard of the last order yet does not undo it.
func TestAnOlderWordDoesNotUndoTheSwitch(t *testing.T) {
	c := &control{log: discard(), off: map[string]bool{}, as: map[string]uint64{}}
	for _, row := range []struct {
		revision uint64
		on, want bool
	}{{7, false, false}, {5, true, false}, {7, false, false}, {9, true, true}, {7, false, true}} {
		c.apply(everywhere, row.on, row.revision)
		require.Equal(t, row.want, c.on(channel), "%+v", row)
	}
}
