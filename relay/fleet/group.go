package fleet

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// group publishes a queue's messages so that many of them share a flush of the disk. The server flushes after each message,
// under one lock: then 16 phones that post at once wait for 16 flushes in turn. As long as few wait, each is published by
// itself, which is the quickest; when many do, they go as one atomic batch, which costs about a dozen flushes whatever
// its size. Every message is answered only after the flush it belongs to. Safe for several goroutines.
type group struct {
	conn *nats.Conn
	js   jetstream.JetStream

	mu      sync.Mutex
	waiting []*waiter
	flying  int  // messages published singly that are not answered yet
	whole   bool // a batch is under way: nothing else is
}

// waiter is a message that is to be published. done is closed when ack and err are set.
type waiter struct {
	msg  *nats.Msg
	ack  *jetstream.PubAck
	err  error
	done chan struct{}
}

const (
	groupFrom  = 16      // messages waiting, from which a batch is quicker than one after the other
	groupMost  = 512     // messages; the server takes 1000
	groupBytes = 8 << 20 // besides the first message's
	groupFly   = 8       // singly at once
)

// publish returns when m is durable. When ctx ends before, m may become durable all the same.
func (g *group) publish(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	w := &waiter{msg: m, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	g.next()
	g.mu.Unlock()
	select {
	case <-w.done:
		return w.ack, w.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// next sends what may go now; with the lock held.
func (g *group) next() {
	switch n := len(g.waiting); {
	case g.whole || n == 0:
	case n < groupFrom:
		for g.flying < groupFly && len(g.waiting) > 0 {
			w := g.waiting[0]
			g.waiting = g.waiting[1:]
			g.flying++
			go func() {
				g.single(w)
				g.mu.Lock()
				g.flying--
				g.next()
				g.mu.Unlock()
			}()
		}
	case g.flying == 0:
		some := g.cut()
		g.whole = true
		go func() {
			g.together(some)
			g.mu.Lock()
			g.whole = false
			g.next()
			g.mu.Unlock()
		}()
	}
}

// cut takes the next batch from those that wait.
func (g *group) cut() []*waiter {
	n, size := 0, 0
	for n < min(len(g.waiting), groupMost) && (n == 0 || size+len(g.waiting[n].msg.Data) <= groupBytes) {
		size += len(g.waiting[n].msg.Data)
		n++
	}
	some := g.waiting[:n:n]
	g.waiting = append([]*waiter(nil), g.waiting[n:]...)
	return some
}

func (g *group) single(w *waiter) {
	ctx, cancel := context.WithTimeout(context.Background(), publishTime)
	defer cancel()
	w.ack, w.err = g.js.PublishMsg(ctx, w.msg)
	close(w.done)
}

// together publishes a batch. The server takes all of it or nothing: a message it knows already, or one above the queue's
// ceiling, refuses the others as well. Then, and when its answer is lost, each is published by itself; the queue knows
// those again that it has.
func (g *group) together(some []*waiter) {
	if g.batch(some) {
		for _, w := range some {
			w.ack = &jetstream.PubAck{}
			close(w.done)
		}
		return
	}
	var all sync.WaitGroup
	for _, w := range some {
		for _, name := range []string{headerBatch, headerBatchSeq, headerBatchEnd} {
			w.msg.Header.Del(name)
		}
		all.Go(func() { g.single(w) })
	}
	all.Wait()
}

// Headers of a message of an atomic batch, of NATS.
const (
	headerBatch    = "Nats-Batch-Id"
	headerBatchSeq = "Nats-Batch-Sequence"
	headerBatchEnd = "Nats-Batch-Commit"
)

// batch says whether all of some are durable now.
func (g *group) batch(some []*waiter) bool {
	id := nuid.Next()
	last := len(some) - 1
	for i, w := range some {
		w.msg.Header.Set(headerBatch, id)
		w.msg.Header.Set(headerBatchSeq, strconv.Itoa(i+1))
		if i < last {
			if g.conn.PublishMsg(w.msg) != nil {
				return false
			}
		}
	}
	some[last].msg.Header.Set(headerBatchEnd, "1")
	ctx, cancel := context.WithTimeout(context.Background(), publishTime)
	defer cancel()
	answer, err := g.conn.RequestMsgWithContext(ctx, some[last].msg)
	if err != nil {
		return false
	}
	var ack struct {
		Error *json.RawMessage `json:"error"`
		Batch string           `json:"batch"`
		Count int              `json:"count"`
	}
	return json.Unmarshal(answer.Data, &ack) == nil && ack.Error == nil && ack.Batch == id && ack.Count == len(some)
}
