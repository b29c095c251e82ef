package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// names are the names of calls that relays of one NATS have passed on to Evernote: a browser that sends a call again by itself
// may reach another relay with it (E6.1). They live in memory, of the machines of the cluster, for as long as a relay would
// remember them. Batches for Keep need none of this: the queue knows them.
const (
	callsBucket = "LIFFKEEP_CALLS"
	callsBytes  = 16 << 20 // about 100,000 names
	callsTime   = 2 * time.Second
)

func (e *engine) openNames(ctx context.Context, o Engine) (err error) {
	if o.NATS == "" && o.Listen == "" || o.Remember == 0 { // alone: its own memory knows as much
		return nil
	}
	e.names, err = e.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: callsBucket, TTL: o.Remember, History: 1,
		Storage: jetstream.MemoryStorage, Replicas: o.Replicas, MaxBytes: callsBytes})
	if err != nil {
		return fmt.Errorf("make the names of calls: %w", err)
	}
	return nil
}

// FirstCall says whether no relay of this NATS has passed on a call of this name, and remembers that this one does. After an
// error nobody knows, and it must not be passed on.
func (f *Fleet) FirstCall(ctx context.Context, name string) (bool, error) {
	if f.engine.names == nil {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callsTime)
	defer cancel()
	_, err := f.engine.names.Create(ctx, hexSum([]byte(name)), nil)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remember the call: %w", err)
	}
	return true, nil
}
