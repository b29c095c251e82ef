package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Options of Open.
type Options struct {
	Engine        Engine
	Channels      []Channel
	Identify      string        // ParseIdentify's text
	Scope         string        // that the user's token must hold; empty: none is asked for
	Origins       []string      // of pages that may call from elsewhere
	Workers       int           // of each channel, in this process
	Posts         int           // under way at once
	PostTimeout   time.Duration // of a phone's post
	CallTimeout   time.Duration // of a call of Keep
	Linger        time.Duration // what a worker waits for company
	LighthouseDir string
	Clock         *Clock
}

// Fleet is a running relay's fleet mode. Safe for several goroutines.
type Fleet struct {
	engine   *engine
	intake   *intake
	control  *control
	alarms   *alarms
	beams    *lighthouse
	dead     *dead
	senders  []*sender
	channels []Channel
	clock    *Clock
	measures *measures
	log      *slog.Logger
	name     string

	stop context.CancelFunc
	work sync.WaitGroup
}

var noHint = retry.NoHint()

// Open connects the queue and starts the workers.
func Open(ctx context.Context, o Options, registry prometheus.Registerer, log *slog.Logger) (*Fleet, error) {
	client := &http.Client{Timeout: o.CallTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second, ForceAttemptHTTP2: true}}
	identify, err := ParseIdentify(o.Identify, o.Scope, client)
	if err != nil {
		return nil, fmt.Errorf("-identify: %w", err)
	}
	o.Engine.Channels = nil
	for _, c := range o.Channels {
		o.Engine.Channels = append(o.Engine.Channels, c.ID)
	}
	e, err := openEngine(ctx, o.Engine)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // a name for people and keys; the process id alone does as well
	f := &Fleet{engine: e, channels: o.Channels, clock: o.Clock, measures: newMeasures(registry), log: log, dead: &dead{e},
		name: safeName(host) + "-" + strconv.Itoa(os.Getpid())}
	f.alarms = &alarms{clock: o.Clock, measures: f.measures, log: log, channels: map[string]*signs{}}
	f.control = &control{kv: e.state, log: log, off: map[string]bool{}, as: map[string]uint64{}}
	f.beams = &lighthouse{kv: e.state, client: client, clock: o.Clock, dir: o.LighthouseDir, log: log, beams: map[string]beam{}}
	if err := patiently(ctx, func() error { return f.control.read(ctx, f.ids()) }); err != nil {
		e.close()
		return nil, err
	}
	if err := patiently(ctx, func() error { return o.Clock.measure(ctx, e.state, f.name) }); err != nil {
		e.close()
		return nil, err
	}
	f.wire(o, identify, client)
	for _, c := range o.Channels {
		if err := f.addSender(ctx, c, o); err != nil {
			e.close()
			return nil, err
		}
	}
	f.start(o)
	return f, nil
}

// wire makes what stands between the phones and the queue.
func (f *Fleet) wire(o Options, identify Identify, client *http.Client) {
	f.intake = &intake{e: f.engine, channels: map[string]Channel{}, identify: identify, origins: map[string]bool{}, measures: f.measures,
		log: f.log, timeout: o.PostTimeout, slots: make(chan struct{}, o.Posts), uploads: make(chan struct{}, max(1, o.Posts/8)),
		through: &through{keeps: map[string]*keep{}, buckets: map[string]map[string]*bucket{"status": {}, "media": {}}}}
	for _, origin := range o.Origins {
		f.intake.origins[origin] = true
	}
	for _, c := range o.Channels {
		f.intake.channels[c.ID] = c
		f.intake.through.keeps[c.ID] = newKeep(c, client, f.log, f.saw)
		f.intake.through.buckets["status"][c.ID] = f.bucket(c, "status", retry.LineStatus())
		f.intake.through.buckets["media"][c.ID] = f.bucket(c, "media", retry.LineMedia())
		if c.Lighthouse {
			f.beams.channels = append(f.beams.channels, c)
		}
	}
}

func (f *Fleet) addSender(ctx context.Context, c Channel, o Options) error {
	consumer, err := f.engine.queues[c.ID].consumer(ctx, f.engine.ackWait)
	if err != nil {
		return err
	}
	f.senders = append(f.senders, &sender{channel: c, keep: f.intake.through.keeps[c.ID], bucket: f.bucket(c, "note", retry.LineServer()),
		consumer: consumer, dead: f.dead, measures: f.measures, log: f.log, ackWait: o.Engine.AckWait, linger: o.Linger, suspects: map[uint64]suspect{}})
	return nil
}

// bucket of a channel's calls of one kind. The note bucket also waits for the quiet hours where the channel asks for it.
func (f *Fleet) bucket(c Channel, kind string, p retry.Policy) *bucket {
	return &bucket{kv: f.engine.state, key: "limiter." + c.ID + "." + kind, policy: p, clock: f.clock, gate: func(now time.Time) bool {
		return f.control.on(c.ID) && (kind != "note" || c.Drain != offPeak || quiet(p, now))
	}}
}

// quiet says whether now is in 00:00-04:00 JST (L5.3): the next night's start is then a day after this one's.
func quiet(p retry.Policy, now time.Time) bool {
	since := now.Sub(p.NextOffPeak(now, 0).Add(-24 * time.Hour))
	return since < time.Duration(p.OffPeakTo-p.OffPeakFrom)*time.Hour
}

func (f *Fleet) start(o Options) {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, s := range f.senders {
		for range o.Workers {
			f.work.Go(func() { s.run(ctx) })
		}
		f.work.Go(func() { f.engine.queues[s.channel.ID].sweep(ctx, s.consumer, f.log) })
	}
	f.work.Go(func() { f.control.follow(ctx, f.ids()) })
	f.work.Go(func() { f.watch(ctx) })
	if len(f.beams.channels) > 0 {
		f.work.Go(func() { f.beams.run(ctx) })
	}
}

// watch keeps the gauges and the clock.
func (f *Fleet) watch(ctx context.Context) {
	const every = 5 * time.Second
	for n := 0; ; n++ {
		if n%12 == 11 {
			if err := f.clock.measure(ctx, f.engine.state, f.name); err != nil && ctx.Err() == nil {
				f.log.Warn("clock not measured", "api", "relay", "error", err.Error())
			}
		}
		f.gauge(ctx)
		f.alarms.look()
		t := time.NewTimer(every)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (f *Fleet) gauge(ctx context.Context) {
	for _, s := range f.senders {
		if info, err := s.consumer.Info(ctx); err == nil {
			f.measures.waiting.WithLabelValues(s.channel.ID).Set(float64(info.NumPending))
			f.measures.underWay.WithLabelValues(s.channel.ID).Set(float64(info.NumAckPending))
		}
		on := 0.0
		if f.control.on(s.channel.ID) {
			on = 1
		}
		f.measures.realtime.WithLabelValues(s.channel.ID).Set(on)
	}
	if info, err := f.engine.dead.Info(ctx); err == nil {
		f.measures.letters.Set(float64(info.State.Msgs))
	}
}

// saw counts one answer of Keep.
func (f *Fleet) saw(r reply) {
	f.measures.calls.WithLabelValues(r.channel, statusLabel(r.status)).Inc()
	f.measures.callSeconds.WithLabelValues(r.channel).Observe(r.took.Seconds())
	if r.remaining >= 0 {
		f.measures.remaining.WithLabelValues(r.channel).Set(float64(r.remaining))
	}
	f.alarms.saw(r)
}

func (f *Fleet) ids() (ids []string) {
	for _, c := range f.channels {
		ids = append(ids, c.ID)
	}
	return ids
}

// Handler serves the phones' calls, at Prefix and LighthousePrefix.
func (f *Fleet) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Prefix, f.intake)
	mux.Handle(LighthousePrefix, f.beams)
	return mux
}

// Ready says whether posts can be made durable now.
func (f *Fleet) Ready() bool { return !f.intake.stopping.Load() && f.engine.conn.IsConnected() }

// Stop tells phones to come again later; calls under way go on.
func (f *Fleet) Stop() { f.intake.stopping.Store(true) }

// Close ends the workers, each after the call it has under way, and then the queue. What is not at Keep stays in it.
func (f *Fleet) Close() {
	f.Stop()
	f.stop()
	f.work.Wait()
	f.engine.close()
}

func isTimeout(err error) bool {
	return errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrNoMessages) || errors.Is(err, context.DeadlineExceeded)
}

func hostPort(address string) (string, int, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%q is no port", text)
	}
	if !isLoopback(host) {
		return "", 0, fmt.Errorf("%s is no loopback address: the embedded server knows no passwords; further machines need a cluster, -nats", host)
	}
	return host, port, nil
}

// safeName makes a key's token of a host's name.
func safeName(s string) string {
	out := []byte(s)
	for i, c := range out {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
			out[i] = '_'
		}
	}
	return string(out)
}

// outcomeOf reads an answer that was passed through: its status, quota and hint.
func outcomeOf(k *keep, answer *http.Response, body []byte) outbox.Outcome {
	return k.service.Decode(outbox.Batch{}, 0, outbox.Attempt{}, outbox.Reply{Status: answer.StatusCode, Header: answer.Header.Get, Body: body})
}
