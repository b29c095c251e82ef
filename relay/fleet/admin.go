package fleet

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/relay/refuse"
	"github.com/liff-keep/liff-keep/retry"
)

// listed is how many dead letters one page of the list has.
const listed = 1000

var (
	badOrder  = refuse.Refusal{Status: 400, Code: "INVALID_BODY", Message: `send {"on":true} or {"on":false}, with "channelId" for one channel`}
	noLetter  = refuse.Refusal{Status: 404, Code: "NOT_FOUND", Message: "no dead letter has this number"}
	queueDown = refuse.Refusal{Status: 503, Code: "QUEUE", Message: "the queue does not answer"}
)

// Admin serves what an operator asks, on the admin listener only:
//
//	GET  /admin/realtime                     {"on":true,"off":[]}
//	POST /admin/realtime {"on":false}        the kill switch; "channelId" for one channel
//	GET  /admin/queue                        each channel: waiting, under way, limiter, breaker, alarms
//	GET  /admin/dead?channel=…&from=…        the dead letters, at most 1000 from a number on
//	GET  /admin/dead/{seq}                   one letter's bytes
//	POST /admin/dead/{seq}/retry, /discard   send it again; let it go
func (f *Fleet) Admin(mux *http.ServeMux) {
	own := http.NewCrossOriginProtection()
	handle := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, own.Handler(h)) }
	handle("GET /admin/realtime", f.getRealtime)
	handle("POST /admin/realtime", f.setRealtime)
	handle("GET /admin/queue", f.getQueue)
	handle("GET /admin/dead", f.getDead)
	handle("GET /admin/dead/{seq}", f.getLetter)
	handle("POST /admin/dead/{seq}/retry", f.moveLetter)
	handle("POST /admin/dead/{seq}/discard", f.moveLetter)
}

func (f *Fleet) getRealtime(w http.ResponseWriter, _ *http.Request) {
	off := []string{}
	for _, c := range f.channels {
		if !f.control.on(c.ID) {
			off = append(off, c.ID)
		}
	}
	writeJSON(w, 200, map[string]any{"on": f.control.on(""), "off": off})
}

func (f *Fleet) setRealtime(w http.ResponseWriter, r *http.Request) {
	var order struct {
		On      *bool  `json:"on"`
		Channel string `json:"channelId"`
	}
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	if d.Decode(&order) != nil || order.On == nil {
		badOrder.Write(w)
		return
	}
	if _, known := f.intake.channels[order.Channel]; order.Channel != "" && !known {
		noChannel.Write(w)
		return
	}
	if err := f.control.set(r.Context(), order.Channel, *order.On, f.clock.Now()); err != nil {
		f.log.Error("kill switch not set", "api", "relay", "error", err.Error())
		queueDown.Write(w)
		return
	}
	f.getRealtime(w, r)
}

func (f *Fleet) getQueue(w http.ResponseWriter, r *http.Request) {
	type row struct {
		Channel  string   `json:"channelId"`
		Waiting  uint64   `json:"waiting"`
		UnderWay int      `json:"underWay"`
		On       bool     `json:"on"`
		Drain    string   `json:"drain"`
		Left     int      `json:"left"` // requests of this minute, by the shared limiter
		Until    string   `json:"lockedUntil,omitempty"`
		Breaker  string   `json:"breaker"`
		Reason   string   `json:"reason,omitempty"`
		Alarms   []string `json:"alarms"`
	}
	rows := []row{}
	for _, s := range f.senders {
		info, err := s.consumer.Info(r.Context())
		if err != nil {
			queueDown.Write(w)
			return
		}
		one := row{Channel: s.channel.ID, Waiting: info.NumPending, UnderWay: info.NumAckPending, On: f.control.on(s.channel.ID),
			Drain: s.channel.Drain, Alarms: f.alarms.showing(s.channel.ID)}
		err = s.bucket.change(r.Context(), func(state *bucketState, l retry.Limiter, now time.Time) (retry.Limiter, bool) {
			one.Left, one.Breaker, one.Reason = l.Left(s.bucket.policy, now), state.Breaker.State(now).String(), state.Reason
			if until := l.LockedUntil(); until.After(now) {
				one.Until = until.Format(time.RFC3339)
			}
			return l, false
		})
		if err != nil {
			queueDown.Write(w)
			return
		}
		rows = append(rows, one)
	}
	writeJSON(w, 200, map[string]any{"channels": rows, "clock": f.clock.Now().UTC().Format(time.RFC3339Nano)})
}

func (f *Fleet) getDead(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.ParseUint(r.URL.Query().Get("from"), 10, 64) // none: from the first
	channel := r.URL.Query().Get("channel")
	if _, known := f.intake.channels[channel]; channel != "" && !known {
		noChannel.Write(w)
		return
	}
	letters, err := f.dead.list(r.Context(), channel, from, listed)
	if err != nil {
		f.log.Error("dead letters not listed", "api", "relay", "error", err.Error())
		queueDown.Write(w)
		return
	}
	writeJSON(w, 200, map[string]any{"letters": letters})
}

func (f *Fleet) getLetter(w http.ResponseWriter, r *http.Request) {
	seq, _ := strconv.ParseUint(r.PathValue("seq"), 10, 64) // 0 is no letter's number
	m, err := f.dead.get(r.Context(), seq)
	if err != nil {
		f.noLetter(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(m.Data) // the caller may be gone
}

func (f *Fleet) moveLetter(w http.ResponseWriter, r *http.Request) {
	seq, _ := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	move, word := f.dead.discard, "discarded"
	if r.URL.Path == "/admin/dead/"+r.PathValue("seq")+"/retry" {
		move, word = f.dead.retry, "queued"
	}
	if err := move(r.Context(), seq); err != nil {
		f.noLetter(w, err)
		return
	}
	f.log.Warn("dead letter "+word, "api", "relay", "seq", seq)
	writeJSON(w, 200, map[string]any{"seq": seq, "state": word})
}

func (f *Fleet) noLetter(w http.ResponseWriter, err error) {
	if errors.Is(err, errNoLetter) {
		noLetter.Write(w)
		return
	}
	f.log.Error("dead letter not moved", "api", "relay", "error", err.Error())
	queueDown.Write(w)
}
