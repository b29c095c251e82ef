package outbox_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// A script is a page's life, one command a line; it begins with two lines of why. The clock starts at 12:00:00 JST.
//
//	append KEY "TEXT" [messages=N]      burst N PREFIX [messages=N]      hide NOTEID
//	sleep DURATION                      flush                            realtime on|off
//	reply STATUS [HEADER=VALUE …]       what the next request is answered; "lost": stored, but no answer comes;
//	                                    "offline": no network; "ok": the truth. "reply 3 429" answers three requests so.
//	hold, release                       the next replies wait; the one that waits arrives
//	token on|off|offered                kill, open, restart              show, hide-page
//	taken NOTEID BYTES                  another device has used this noteId
//	expect TIME[~DURATION] NOTEID …     the next request, between TIME and TIME + DURATION; "×N" for N notes
//	expect nothing                      no further request so far
//	status NAME=VALUE …                 pending, sealed, uncertain, parked, dead, delivered, breaker, token, waits, alarms
//	stored NOTEID="TEXT" …              the service has it
//	ledger STATUS …                     the status of every attempt
func runScript(t *testing.T, lines []string) {
	p := openPage(t)
	for i, line := range lines {
		words := split(line)
		if len(words) == 0 {
			continue
		}
		where := fmt.Sprintf("line %d, at %s: %s", i+1, clock(p.now), line)
		require.True(t, p.command(words, where), "unknown command; %s", where)
	}
	require.Empty(t, p.sent(), "the script ends, and these requests were not expected")
}

// split parts a line at blanks outside quotes, and drops comments.
func split(line string) (words []string) {
	quoted, word := false, ""
	for _, r := range line + " " {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted:
			if word != "" {
				words = append(words, word)
			}
			word = ""
			continue
		case r == '#' && !quoted && word == "":
			return words
		}
		word += string(r)
	}
	return words
}

func (p *page) command(words []string, where string) bool {
	t, args := p.t, words[1:]
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, where)
		return n
	}
	messages := 1
	if n := len(args); n > 0 && strings.HasPrefix(args[n-1], "messages=") {
		messages, args = number(args[n-1][len("messages="):]), args[:n-1]
	}
	switch words[0] {
	case "append":
		p.appendN(args[0], strings.Trim(args[1], `"`), messages)
	case "burst":
		p.burst(number(args[0]), args[1], messages)
	case "hide":
		p.hide(args[0])
	case "sleep":
		d, err := time.ParseDuration(args[0])
		require.NoError(t, err, where)
		p.sleep(d)
	case "flush":
		p.flush()
	case "realtime":
		p.post(outbox.RealtimeSet{On: args[0] == "on"})
	case "reply":
		p.scriptReply(args, number)
	case "hold":
		p.holding = true
	case "release":
		p.release()
	case "token":
		if p.hasToken = args[0] != "off"; args[0] == "offered" {
			p.post(outbox.TokenOffered{})
		}
	case "kill":
		p.kill(0)
		p.holding = false
	case "open":
		p.open()
	case "restart":
		p.restart()
	case "show", "hide-page":
		p.post(outbox.Shown{Visible: words[0] == "show"})
	case "taken":
		p.keep[args[0]] = args[1]
	case "expect":
		p.scriptExpect(args, where)
	case "status":
		p.scriptStatus(args, where)
	case "stored":
		for _, a := range args {
			id, text, _ := strings.Cut(a, "=")
			require.Contains(t, p.keep, id, where)
			if text != "" {
				require.Equal(t, strings.Trim(text, `"`), p.textOf(id), where)
			}
		}
	case "ledger":
		var got []string
		for _, r := range p.ledger() {
			got = append(got, strconv.Itoa(r.Status))
		}
		require.Equal(t, args, got, where)
	default:
		return false
	}
	return true
}

func (p *page) scriptReply(args []string, number func(string) int) {
	n := 1
	if len(args) > 1 && !strings.Contains(args[1], "=") {
		n, args = number(args[0]), args[1:]
	}
	a := &answer{headers: map[string]string{}}
	switch args[0] {
	case "ok":
		a = truthful
	case "lost":
		a.timeout, a.stores = true, true
	case "offline":
	default:
		a.status = number(args[0])
	}
	for _, h := range args[1:] {
		name, value, _ := strings.Cut(h, "=")
		a.headers[name] = value
	}
	p.answer(times(n, a)...)
}

func (p *page) scriptExpect(args []string, where string) {
	if args[0] == "nothing" {
		require.Empty(p.t, p.sent(), where)
		return
	}
	require.Less(p.t, p.seen, len(p.requests), "no request went; %s", where)
	q := p.requests[p.seen]
	p.seen++
	if strings.HasPrefix(args[0], "+") { // "+1 00:00:00": the next day
		args = append([]string{args[0] + " " + args[1]}, args[2:]...)
	}
	text, spread, ranged := strings.Cut(args[0], "~")
	if !ranged {
		spread = "0s"
	}
	d, err := time.ParseDuration(spread)
	require.NoError(p.t, err, where)
	from := instant(p.t, text)
	require.False(p.t, q.at.Before(from) || q.at.After(from.Add(d)), "sent at %s; %s", clock(q.at), where)
	if n, ok := strings.CutPrefix(args[1], "×"); ok {
		require.Equal(p.t, n, strconv.Itoa(len(q.ids)), where)
		return
	}
	ids := args[1:]
	if ids[0] == "hide" {
		require.Equal(p.t, outbox.Hide, q.kind, where)
		ids = ids[1:]
	}
	require.Len(p.t, q.ids, len(ids), "%v went; %s", q.ids, where)
	for i, id := range ids { // "k.v2*": what comes behind is this session's own
		if start, ok := strings.CutSuffix(id, "*"); ok {
			require.True(p.t, strings.HasPrefix(q.ids[i], start), "%s went; %s", q.ids[i], where)
			continue
		}
		require.Equal(p.t, id, q.ids[i], where)
	}
}

// instant reads what clock writes.
func instant(t *testing.T, text string) time.Time {
	days := 0
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		_, err := fmt.Sscan(rest, &days)
		require.NoError(t, err, text)
		_, text, _ = strings.Cut(rest, " ")
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05.999", noon.Format("2006-01-02 ")+text, jst)
	require.NoError(t, err, text)
	return at.AddDate(0, 0, days)
}

func (p *page) scriptStatus(args []string, where string) {
	s := p.status()
	got := map[string]string{"pending": strconv.Itoa(s.Pending), "sealed": strconv.Itoa(s.Sealed), "dead": strconv.Itoa(s.Dead),
		"uncertain": strconv.Itoa(s.Uncertain), "parked": strconv.Itoa(s.Parked), "delivered": strconv.Itoa(s.Delivered),
		"breaker": s.Breaker.State, "token": s.Token, "waits": s.WaitsFor, "alarms": strings.ReplaceAll(p.alarms(), " ", ",")}
	for _, a := range args {
		name, want, _ := strings.Cut(a, "=")
		require.Contains(p.t, got, name, where)
		require.Equal(p.t, want, got[name], "%s; %s", name, where)
	}
}

// TestL9_2_L5_2_L5_3_Scripts plays testdata/*.txt: the main ways of an event, from append to its ledger row.
func TestL9_2_L5_2_L5_3_Scripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 6)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			f, err := os.Open(file)
			require.NoError(t, err)
			defer f.Close()
			var lines []string
			for s := bufio.NewScanner(f); s.Scan(); {
				lines = append(lines, s.Text())
			}
			require.True(t, len(lines) > 2 && strings.HasPrefix(lines[0], "# ") && strings.HasPrefix(lines[1], "# "), "two lines of why")
			runScript(t, lines)
		})
	}
}
