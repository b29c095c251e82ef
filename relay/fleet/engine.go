package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Names in JetStream. All relays of one NATS share them.
const (
	queueStream = "LIFFKEEP_LINE_" // + channel id: each channel's queue is a stream of its own
	queuePrefix = "liffkeep.line." // + channel id
	deadStream  = "LIFFKEEP_DEAD"
	deadPrefix  = "liffkeep.dead." // + channel id
	stateBucket = "LIFFKEEP_STATE" // limiters, the kill switch, the lighthouse, the clock
)

const payload = 8 << 20 // of one message of the embedded server

// Engine says where the queue lives.
type Engine struct {
	Dir        string        // of the embedded server's files
	Listen     string        // host:port of the embedded server for further relays; empty: none
	NATS       string        // address of a server or cluster, in place of the embedded one
	Replicas   int           // copies of each message in a cluster
	Sync       bool          // the embedded server flushes each message to the disk before it says so
	QueueBytes int64         // the ceiling of a channel's queue; beyond it its phones are told 503
	Channels   []string      // whose queues there are
	Remember   time.Duration // how long relays of one NATS know each other's calls of Evernote; 0: not at all
	Dedup      time.Duration // how long the queue knows a batch again
	// AckWait is how long a worker that died keeps its messages from the others. A living one says every third of it
	// that it is still at work.
	AckWait time.Duration
}

// engine is an open connection with its streams. Safe for several goroutines.
type engine struct {
	embedded *server.Server
	unlock   func()
	conn     *nats.Conn
	js       jetstream.JetStream
	queues   map[string]*channelQueue // by channel id
	dead     jetstream.Stream
	state    jetstream.KeyValue
	names    jetstream.KeyValue // nil: nobody to share them with
	ackWait  time.Duration
}

func openEngine(ctx context.Context, o Engine) (*engine, error) {
	e := &engine{unlock: func() {}, ackWait: o.AckWait, queues: map[string]*channelQueue{}}
	if err := e.open(ctx, o); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *engine) open(ctx context.Context, o Engine) (err error) {
	options := []nats.Option{nats.Name("liff-keep relay"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.RetryOnFailedConnect(true), nats.Timeout(5 * time.Second)}
	address := o.NATS
	if address == "" {
		if err := e.embed(o); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(e.embedded))
	}
	if e.conn, err = nats.Connect(address, options...); err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	if err := e.conn.FlushTimeout(30 * time.Second); err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	if most := e.conn.MaxPayload(); most < maxBodyBytes+4096 {
		return fmt.Errorf("NATS takes messages of %d bytes, a batch has up to %d: raise its max_payload to 8MB", most, maxBodyBytes)
	}
	if e.js, err = jetstream.New(e.conn, jetstream.WithDefaultTimeout(5*time.Second)); err != nil {
		return err
	}
	return patiently(ctx, func() error { return e.streams(ctx, o) })
}

// patiently tries again for a minute: a cluster that is starting has no leader for a while, and answers 503 or nothing.
func patiently(ctx context.Context, try func() error) error {
	for until := time.Now().Add(time.Minute); ; {
		err := try()
		var api *jetstream.APIError
		starting := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
			errors.As(err, &api) && api.Code == 503
		if !starting || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// embed starts a NATS server inside this process. Its directory is locked: two servers would tear each other's files.
func (e *engine) embed(o Engine) (err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("make the queue's directory: %w", err)
	}
	if e.unlock, err = lockDir(o.Dir); err != nil {
		e.unlock = func() {}
		return err
	}
	options := &server.Options{ServerName: "liffkeep", JetStream: true, StoreDir: o.Dir, SyncAlways: o.Sync,
		MaxPayload: payload, DontListen: o.Listen == "", NoSigs: true, NoLog: true, NoSystemAccount: false,
		JetStreamMaxStore:  o.QueueBytes*int64(len(o.Channels)+1) + 1<<30, // a ceiling is reserved for each stream
		JetStreamMaxMemory: 64 << 20}
	if o.Listen != "" {
		if options.Host, options.Port, err = hostPort(o.Listen); err != nil {
			return err
		}
	}
	if e.embedded, err = server.NewServer(options); err != nil {
		return fmt.Errorf("make the embedded NATS server: %w", err)
	}
	e.embedded.Start()
	if !e.embedded.ReadyForConnections(30 * time.Second) {
		return errors.New("the embedded NATS server does not start: is its address free, its directory whole?")
	}
	return nil
}

// streams makes what is missing. Every relay does it at its start; the same configuration changes nothing.
func (e *engine) streams(ctx context.Context, o Engine) (err error) {
	for _, channel := range o.Channels {
		if e.queues[channel], err = e.openQueue(ctx, channel, o); err != nil {
			return fmt.Errorf("make the queue of channel %s: %w", channel, err)
		}
	}
	e.dead, err = e.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: deadStream, Subjects: []string{deadPrefix + "*"},
		Description: "what Keep refused for good, until a person decides", Retention: jetstream.LimitsPolicy,
		Storage: jetstream.FileStorage, Replicas: o.Replicas, Discard: jetstream.DiscardNew, MaxBytes: o.QueueBytes, Duplicates: o.Dedup})
	if err != nil {
		return fmt.Errorf("make the dead letters: %w", err)
	}
	e.state, err = e.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: stateBucket, History: 1,
		Storage: jetstream.FileStorage, Replicas: o.Replicas, MaxBytes: 64 << 20})
	if err != nil {
		return fmt.Errorf("make the shared state: %w", err)
	}
	return e.openNames(ctx, o)
}

// close ends the connection first: what is not acknowledged stays in the queue.
func (e *engine) close() {
	if e.conn != nil {
		_ = e.conn.FlushTimeout(2 * time.Second) // what workers gave back at the last moment; else it comes after AckWait
		e.conn.Close()
	}
	if e.embedded != nil {
		e.embedded.Shutdown()
		e.embedded.WaitForShutdown()
	}
	e.unlock()
}
