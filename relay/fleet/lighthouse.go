package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/retry"
	"github.com/nats-io/nats.go/jetstream"
)

// lighthouse measures a channel's Mini-App bucket once a minute, for all phones that send directly, and publishes one
// number, the admission a of the lottery. A phone reads it in place of having to learn it. One relay probes, the others
// read what it found: the state is an entry of the key-value store, changed by compare-and-set.
//
// The probe is GET /v1/keep/note without a token: Keep refuses it before its limiter, and every answer carries
// Quota-Remaining (L6.1). So it costs no quota. An answer without that header publishes nothing, and the number grows old.
type lighthouse struct {
	kv       jetstream.KeyValue
	client   *http.Client
	clock    *Clock
	dir      string // of the static files; "": only served
	channels []Channel
	log      *slog.Logger

	mu    sync.RWMutex
	beams map[string]beam
}

// beam is the published file. a is a probability above 1 capped by the client; a file older than validUntil says nothing.
type beam struct {
	Channel    string  `json:"channelId"`
	A          float64 `json:"a"`
	Remaining  int     `json:"remaining"`
	At         int64   `json:"at"`         // unix seconds
	ValidUntil int64   `json:"validUntil"` // unix seconds
}

// beamState is the entry of the key-value store: what is published, and the lottery's own text, from which it goes on.
type beamState struct {
	beam
	Lottery string `json:"lottery"`
}

const (
	LighthousePrefix = "/relay/lighthouse/"

	probeEvery = time.Minute
	beamLife   = 3 * time.Minute
	clientMost = 100 // requests a minute (L2.2)
)

// aboard is the fleet as the lighthouse sees it. Its curve is flat: a is published as it is learned, and each phone divides
// by its own hour.
var aboard = func() retry.Fleet {
	f := retry.LineFleet(clientMost)
	f.Curve = slices.Repeat(retry.Curve{1}, 24)
	return f
}()

// steer folds one measurement into the lottery, e seconds into the server's minute, and returns the admission to publish. It
// is the lottery's own rule for a 200. A phone's answer counts its own request, a probe's does not: hence one less.
func steer(l retry.Lottery, now time.Time, remaining int, e float64) (retry.Lottery, float64) {
	l = l.Answered(aboard, now, retry.Measured{Remaining: max(0, remaining-1), Second: e}, 0)
	return l, l.Admission(aboard, now)
}

func (l *lighthouse) run(ctx context.Context) {
	for {
		for _, c := range l.channels {
			if err := l.look(ctx, c); err != nil && ctx.Err() == nil {
				l.log.Warn("lighthouse", "api", "relay", "channelId", c.ID, "error", err.Error())
			}
		}
		if !l.clock.Sleep(ctx, probeEvery/6) {
			return
		}
	}
}

// look probes if nobody did in the last minute, and takes over the number that holds.
func (l *lighthouse) look(ctx context.Context, c Channel) error {
	key := "lighthouse." + c.ID
	b := beamState{beam: beam{Channel: c.ID, A: 1}}
	entry, err := l.kv.Get(ctx, key)
	if err == nil {
		err = json.Unmarshal(entry.Value(), &b)
	}
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("read the number: %w", err)
	}
	now := l.clock.Now()
	if now.Sub(time.Unix(b.At, 0)) >= probeEvery || b.At > now.Unix()+60 {
		remaining, e, err := l.probe(ctx, c)
		if err != nil {
			return err
		}
		state, _ := retry.ParseLottery([]byte(b.Lottery)) // damaged, or none: it learns anew
		state, b.A = steer(state, now, remaining, e)
		b.Lottery, b.Remaining, b.At = string(state.AppendText(nil)), remaining, now.Unix()
		b.ValidUntil = now.Add(beamLife).Unix()
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		if entry == nil {
			_, err = l.kv.Create(ctx, key, text)
		} else {
			_, err = l.kv.Update(ctx, key, text, entry.Revision())
		}
		if errors.Is(err, jetstream.ErrKeyExists) || wrongRevision(err) {
			return nil // another relay probed; its number comes with the next look
		}
		if err != nil {
			return fmt.Errorf("write the number: %w", err)
		}
	}
	l.mu.Lock()
	l.beams[c.ID] = b.beam
	l.mu.Unlock()
	return l.publish(b.beam)
}

func (l *lighthouse) probe(ctx context.Context, c Channel) (remaining int, second float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.BaseURL+"/v1/keep/note", nil)
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("X-Line-Channel-ID", c.ID)
	answer, err := l.client.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("probe: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	answer.Body.Close()
	remaining, err = strconv.Atoi(answer.Header.Get("X-Line-Keep-Quota-Remaining"))
	if err != nil {
		return 0, 0, fmt.Errorf("probe: the answer %d does not tell the quota", answer.StatusCode)
	}
	at, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return 0, 0, errors.New("probe: the answer has no Date")
	}
	return remaining, float64(at.Second()), nil
}

// publish writes the file beside itself and renames it: whoever reads sees the old one or the new one.
func (l *lighthouse) publish(b beam) error {
	if l.dir == "" {
		return nil
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	file := filepath.Join(l.dir, b.Channel+".json")
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("publish the number: %w", err)
	}
	return os.Rename(file+".new", file)
}

// ServeHTTP answers GET /relay/lighthouse/{channelId}.json; any page may read it, it is of nobody.
func (l *lighthouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, LighthousePrefix), ".json")
	l.mu.RLock()
	b, known := l.beams[id]
	l.mu.RUnlock()
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if !ok || !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=30")
	_ = json.NewEncoder(w).Encode(b)
}
