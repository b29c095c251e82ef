package kill

import (
	"context"
	"encoding/json"
	"time"
)

// arm prepares the window; the channel tells once that its moment has come.
func (r *round) arm(ctx context.Context, window Window) (<-chan error, error) {
	moment := make(chan error, 1)
	switch {
	case window.Random:
		wait := time.Duration(r.rnd.Int64N(int64(window.Jitter)))
		time.AfterFunc(wait, func() { moment <- nil })
	case window.Hang != "":
		script := []map[string]any{{"kind": "hang", "when": window.Hang, "path": "/v1/keep/note"}}
		writes, err := r.sandbox.LedgerRows(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.sandbox.Faults(ctx, script); err != nil {
			return nil, err
		}
		go func() { moment <- r.awaitHang(ctx, window.Hang, writes) }()
	default:
		skip := 0
		if window.Skips > 0 {
			skip = r.rnd.IntN(window.Skips)
		}
		if err := r.control.Do(ctx, "arm", map[string]any{"window": window.Name, "skip": skip}, nil); err != nil {
			return nil, err
		}
		go func() {
			select {
			case <-r.reached:
				moment <- nil
			case <-ctx.Done():
			}
		}()
	}
	return moment, nil
}

// awaitHang waits until the sandbox holds the request: one held before its commit
// has used the fault up, one held after it has its row in the audit ledger.
func (r *round) awaitHang(ctx context.Context, when string, writes int) error {
	for {
		left, err := r.sandbox.FaultsLeft(ctx)
		if err != nil {
			return err
		}
		rows, err := r.sandbox.LedgerRows(ctx)
		if err != nil {
			return err
		}
		if left == 0 && (when == "before" || rows > writes) {
			return nil
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// onEvent holds the page's synchronous call until the browser is gone.
func (r *round) onEvent(name string, value json.RawMessage) {
	var text string
	switch name {
	case "window":
		r.mu.Lock()
		killed := r.killed
		r.mu.Unlock()
		select {
		case r.reached <- struct{}{}:
		default: // told already
		}
		<-killed
	case "pageError":
		r.mu.Lock()
		defer r.mu.Unlock()
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		r.errors = append(r.errors, text)
	}
}

// kill ends the browser with SIGKILL and lets go of what waited for that.
func (r *round) kill() {
	r.browser.Close()
	r.mu.Lock()
	close(r.killed)
	r.killed = make(chan struct{})
	r.mu.Unlock()
	r.control.Drop()
	select {
	case <-r.reached: // a moment that came beside the kill
	default:
	}
}
