package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

// DevTools speaks Chromium's protocol over the pipe of --remote-debugging-pipe: JSON
// that ends with a zero byte, in on the browser's file 3, out on its file 4. There is
// no port that another program could find. Safe for use by several goroutines.
type DevTools struct {
	out *os.File
	in  *os.File

	mu      sync.Mutex
	last    int
	waiting map[int]chan answer
	ended   chan struct{}
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// LaunchDevTools is Launch for Chromium with a line to its developer tools, which
// ends with the browser.
func LaunchDevTools(ctx context.Context, engine Engine, profile, address string) (*Browser, *DevTools, error) {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("pipe to the browser: %w", err)
	}
	defer theirIn.Close()
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		ourOut.Close()
		return nil, nil, fmt.Errorf("pipe from the browser: %w", err)
	}
	defer theirOut.Close()
	args := append([]string{"--remote-debugging-pipe"}, engine.Args(profile, address)...)
	b, err := launch(ctx, engine, profile, args, []*os.File{theirIn, theirOut})
	if err != nil {
		ourOut.Close()
		ourIn.Close()
		return nil, nil, err
	}
	d := &DevTools{out: ourOut, in: ourIn, waiting: map[int]chan answer{}, ended: make(chan struct{})}
	go d.read()
	return b, d, nil
}

func (d *DevTools) read() {
	defer close(d.ended)
	defer d.in.Close()
	for reader := bufio.NewReader(d.in); ; {
		message, err := reader.ReadBytes(0)
		if err != nil {
			return // the browser ended
		}
		var got answer
		if json.Unmarshal(message[:len(message)-1], &got) != nil || got.ID == 0 {
			continue // an event: nobody listens
		}
		d.mu.Lock()
		waiter := d.waiting[got.ID]
		delete(d.waiting, got.ID)
		d.mu.Unlock()
		if waiter != nil {
			waiter <- got
		}
	}
}

// Call runs one method, in a session of Attach or, with "", on the browser itself, and
// decodes its result into reply (nil: not wanted).
func (d *DevTools) Call(ctx context.Context, session, method string, params map[string]any, reply any) error {
	waiter := make(chan answer, 1)
	d.mu.Lock()
	d.last++
	id := d.last
	d.waiting[id] = waiter
	message := map[string]any{"id": id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if session != "" {
		message["sessionId"] = session
	}
	text, err := json.Marshal(message)
	if err == nil {
		_, err = d.out.Write(append(text, 0))
	}
	d.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case got := <-waiter:
		if got.Error != nil {
			return fmt.Errorf("%s: %s", method, got.Error.Message)
		}
		if reply == nil {
			return nil
		}
		if err := json.Unmarshal(got.Result, reply); err != nil {
			return fmt.Errorf("%s: decode the result: %w", method, err)
		}
		return nil
	case <-d.ended:
		return fmt.Errorf("%s: %w", method, errors.New("the browser ended"))
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
}

// Open opens a tab of its own on address and returns its target id.
func (d *DevTools) Open(ctx context.Context, address string) (target string, err error) {
	var made struct{ TargetID string }
	err = d.Call(ctx, "", "Target.createTarget", map[string]any{"url": address}, &made)
	return made.TargetID, err
}

// Target returns the id of the first tab whose address begins with prefix, "" when there is none.
func (d *DevTools) Target(ctx context.Context, prefix string) (string, error) {
	var all struct {
		TargetInfos []struct{ TargetID, Type, URL string }
	}
	if err := d.Call(ctx, "", "Target.getTargets", nil, &all); err != nil {
		return "", err
	}
	for _, one := range all.TargetInfos {
		if one.Type == "page" && len(one.URL) >= len(prefix) && one.URL[:len(prefix)] == prefix {
			return one.TargetID, nil
		}
	}
	return "", nil
}

// Attach begins a session with a tab.
func (d *DevTools) Attach(ctx context.Context, target string) (session string, err error) {
	var made struct{ SessionID string }
	err = d.Call(ctx, "", "Target.attachToTarget", map[string]any{"targetId": target, "flatten": true}, &made)
	return made.SessionID, err
}

// Close closes a tab the way a person does: the page is told.
func (d *DevTools) Close(ctx context.Context, target string) error {
	return d.Call(ctx, "", "Target.closeTarget", map[string]any{"targetId": target}, nil)
}
