package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/service"
)

const channel = "1650000001"

// set is one sandbox and one browser with the demo in it. One goroutine.
type set struct {
	ctx                              context.Context
	root, binary, profile, directory string
	out                              io.Writer

	sandbox *service.Sandbox
	control *control.Server
	tools   *browser.DevTools
	session string
	broken  string // the first thing that the page complained of
}

// screen is what the page is looked at with; sizes are CSS pixels.
type screen struct {
	width, height int
	scale         float64
	mobile        bool
}

var (
	phone   = screen{390, 844, 2, true}
	desktop = screen{1120, 900, 1, false}
)

// play tells one story from its beginning, in a browser of its own.
func (s *set) play(one story) error {
	var err error
	if s.sandbox, err = service.Start(s.ctx, service.Options{Binary: s.binary, Dir: s.root, Dist: "web/dist", ClockStart: one.clock}); err != nil {
		return err
	}
	defer s.sandbox.Close()
	if s.control, err = control.Start(one.lines()); err != nil {
		return err
	}
	defer s.control.Close()
	s.control.OnEvent = func(name string, value json.RawMessage) {
		if name == "pageError" && s.broken == "" {
			s.broken = string(value)
		}
	}
	engine, err := browser.Lookup("chromium")
	if err != nil {
		return err
	}
	b, tools, err := browser.LaunchDevTools(s.ctx, engine, s.profile, "about:blank")
	if err != nil {
		return err
	}
	defer b.Close()
	s.tools = tools
	target, err := tools.Open(s.ctx, "about:blank")
	if err != nil {
		return err
	}
	if s.session, err = tools.Attach(s.ctx, target); err != nil {
		return err
	}
	// the words of a story are Japanese evening; the machine may be anywhere
	if err := s.call("Emulation.setTimezoneOverride", map[string]any{"timezoneId": "Asia/Tokyo"}); err != nil {
		return err
	}
	if err := s.call("Emulation.setScrollbarsHidden", map[string]any{"hidden": true}); err != nil { // a phone has none
		return err
	}
	if err := s.look(one.screen, one.theme); err != nil {
		return err
	}
	address := fmt.Sprintf("%s/?lang=%s&control=%s", s.sandbox.URL, one.lang, s.control.URL())
	if err := s.call("Page.navigate", map[string]any{"url": address}); err != nil {
		return err
	}
	if err := s.control.AwaitLoad(s.ctx, 0); err != nil {
		return fmt.Errorf("%w; the browser says:\n%s", err, b.Log(2000))
	}
	if err := s.do("open", map[string]any{"channelId": channel, "clock": true}); err != nil {
		return err
	}
	if err := one.play(s); err != nil {
		return err
	}
	if s.broken != "" {
		return errors.New("the page complained: " + s.broken)
	}
	return nil
}

func (s *set) call(method string, params map[string]any) error {
	return s.tools.Call(s.ctx, s.session, method, params, nil)
}

// look changes the screen and the theme, "light" or "dark".
func (s *set) look(at screen, theme string) error {
	if err := s.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": at.width, "height": at.height, "deviceScaleFactor": at.scale, "mobile": at.mobile}); err != nil {
		return err
	}
	return s.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}}})
}

// shoot writes what is seen as name.png.
func (s *set) shoot(name string) error {
	if err := s.settled(); err != nil {
		return err
	}
	var taken struct{ Data []byte }
	if err := s.tools.Call(s.ctx, s.session, "Page.captureScreenshot", map[string]any{"format": "png"}, &taken); err != nil {
		return err
	}
	picture, err := png.Decode(bytes.NewReader(taken.Data))
	if err != nil {
		return fmt.Errorf("read the picture: %w", err)
	}
	var text bytes.Buffer // the browser packs for speed
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&text, reduce(picture)); err != nil {
		return fmt.Errorf("pack the picture: %w", err)
	}
	if text.Len() > maxBytes {
		return fmt.Errorf("%s.png has %d bytes; %d is the most", name, text.Len(), maxBytes)
	}
	path := filepath.Join(s.directory, name+".png")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	fmt.Fprintf(s.out, "%s  %d x %d, %d bytes\n", path, picture.Bounds().Dx(), picture.Bounds().Dy(), text.Len())
	return nil
}

// settled waits until the page has drawn what it knows: its fonts, and a few frames.
func (s *set) settled() error {
	const script = `document.activeElement?.blur(), document.fonts.ready.then(() => new Promise((done) => {
		let frames = 30
		const next = () => (--frames ? requestAnimationFrame(next) : done())
		next()
	}))`
	return s.call("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true})
}

func (s *set) do(name string, args map[string]any) error { return s.control.Do(s.ctx, name, args, nil) }

func (s *set) click(selector string) error {
	return s.do("click", map[string]any{"selector": selector})
}

// until waits until the page's status is as wanted.
func (s *set) until(what string, holds func(status) bool) error {
	for {
		var now status
		if err := s.control.Do(s.ctx, "status", nil, &now); err != nil {
			return err
		}
		if holds(now) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-s.ctx.Done():
			return fmt.Errorf("wait for %s: %w; the status is %+v", what, context.Cause(s.ctx), now)
		}
	}
}

// shows waits until the element has the text.
func (s *set) shows(selector, text string) error {
	for {
		var seen struct{ Text string }
		err := s.control.Do(s.ctx, "read", map[string]any{"selector": selector}, &seen)
		if err == nil && bytes.Contains([]byte(seen.Text), []byte(text)) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-s.ctx.Done():
			return fmt.Errorf("wait for %q in %s: %w; it shows %q, %v", text, selector, context.Cause(s.ctx), seen.Text, err)
		}
	}
}

// status is the part of the page's status() that stories wait for.
type status struct {
	Pending, Parked, Dead, Delivered int
	Breaker                          struct{ State string }
}

// later lets time pass for the sandbox and the page.
func (s *set) later(d time.Duration) error {
	if err := s.sandbox.Advance(s.ctx, d); err != nil {
		return err
	}
	return s.do("clock", nil)
}
