package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// channelQueue is one channel's queue: a stream and a consumer of its own, so that what one channel cannot send keeps no
// other waiting, and a channel whose queue is full refuses nobody else's phones. Safe for several goroutines.
type channelQueue struct {
	channel string
	stream  jetstream.Stream
	js      jetstream.JetStream
	group   *group // nil: this server cannot
}

const (
	sweepEvery  = 10 * time.Second
	publishTime = 5 * time.Second // what the queue gets to confirm
)

func (e *engine) openQueue(ctx context.Context, channel string, o Engine) (*channelQueue, error) {
	// Messages go when a sweep takes them, not when they are acknowledged (WorkQueuePolicy): each removal is written and
	// flushed by itself, under the lock that posts wait for.
	stream, err := e.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: queueStream + channel, Subjects: []string{queuePrefix + channel},
		Description: "batches of phones, gone when Keep has them", Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage,
		Replicas: o.Replicas, Discard: jetstream.DiscardNew, MaxBytes: o.QueueBytes, MaxMsgSize: -1, Duplicates: o.Dedup,
		AllowAtomicPublish: e.takesBatches()})
	if err != nil {
		return nil, err
	}
	q := &channelQueue{channel: channel, stream: stream, js: e.js}
	if o.Replicas == 1 && stream.CachedInfo().Config.AllowAtomicPublish { // a cluster's log gathers messages by itself
		q.group = &group{conn: e.conn, js: e.js}
	}
	return q, nil
}

// takesBatches says whether the server knows atomic batches: NATS 2.12 and newer.
func (e *engine) takesBatches() bool {
	var major, minor int
	_, err := fmt.Sscanf(e.conn.ConnectedServerVersion(), "%d.%d", &major, &minor)
	return err == nil && (major > 2 || major == 2 && minor >= 12)
}

// publish returns when m is durable.
func (q *channelQueue) publish(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	if q.group != nil {
		return q.group.publish(ctx, m)
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	return q.js.PublishMsg(ctx, m)
}

// consumer is what all workers of all machines pull from.
func (q *channelQueue) consumer(ctx context.Context, ackWait time.Duration) (c jetstream.Consumer, err error) {
	err = patiently(ctx, func() (err error) {
		c, err = q.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: "send",
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 2000})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the consumer of channel %s: %w", q.channel, err)
	}
	return c, nil
}

// sweep removes at the start and every ten seconds what is acknowledged, up to the first message that is not. Until then a
// batch that comes again is known with its bytes.
func (q *channelQueue) sweep(ctx context.Context, c jetstream.Consumer, log *slog.Logger) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if err := q.sweepOnce(ctx, c); err != nil && ctx.Err() == nil {
			log.Warn("queue not swept", "api", "relay", "channelId", q.channel, "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (q *channelQueue) sweepOnce(ctx context.Context, c jetstream.Consumer) error {
	worked, err := c.Info(ctx)
	if err != nil {
		return err
	}
	there, err := q.stream.Info(ctx)
	if err != nil {
		return err
	}
	done := worked.AckFloor.Stream
	if there.State.Msgs == 0 || there.State.FirstSeq > done {
		return nil
	}
	return q.stream.Purge(ctx, jetstream.WithPurgeSequence(done+1))
}
