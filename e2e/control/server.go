// Package control talks with a page that runs in a real browser, without a driver
// and without eval (the page's Content-Security-Policy forbids it): the page asks
// for commands by long poll, runs them by name, and posts the results, the
// receipts it was given and what it saw.
//
//	GET  /next?session=S           the next command, or 204 after a while: ask again
//	POST /result?session=S         {"id", "value"} or {"id", "error": {"code", "message"}}
//	POST /receipts?session=S       [{"index", "noteId", "ms"} or {"index", "code", "message"}]
//	POST /event?session=S          {"name", "value"}
//	GET  /input?from=I&count=N     lines of the input, as they stand in the file
//
// Every load of the page is a session of its own. A command that was under way
// when the page went away fails with ErrPageGone; a receipt posted before counts.
// All paths start with a secret, so that no other page of the machine can answer.
package control

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// ErrPageGone says that the page was reloaded or killed before it answered.
var ErrPageGone = errors.New("the page went away")

// pollFor is how long a poll without a command stays open.
const pollFor = 20 * time.Second

// PageError is an error that the page reports.
type PageError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *PageError) Error() string { return e.Code + ": " + e.Message }

// Receipt is the page's answer to one append.
type Receipt struct {
	Index  int     `json:"index"`
	NoteID string  `json:"noteId"`
	Millis float64 `json:"ms"`
	// Code and Message are set when it was refused.
	Code    string `json:"code"`
	Message string `json:"message"`
}

type command struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Args any    `json:"args"`
}

type result struct {
	ID    int             `json:"id"`
	Value json.RawMessage `json:"value"`
	Error *PageError      `json:"error"`
	gone  bool
}

// Server is the page's other end. Safe for use by several goroutines.
type Server struct {
	// OnEvent is called with what the page saw, one at a time; set before the page starts.
	OnEvent func(name string, value json.RawMessage)

	url   string
	lines [][]byte
	http  *http.Server

	mu       sync.Mutex
	session  string
	loads    int
	changed  chan struct{} // closed and replaced when a page comes, a command waits or a page is dropped
	queue    []command
	waiting  map[int]chan result
	lastID   int
	receipts map[int]Receipt
	millis   []float64

	eventMu sync.Mutex
}

// Start serves on a free port of 127.0.0.1; lines is the input.
func Start(lines [][]byte) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the page: %w", err)
	}
	secret := rand.Text()
	s := &Server{
		url:      "http://" + listener.Addr().String() + "/" + secret,
		lines:    lines,
		changed:  make(chan struct{}),
		waiting:  map[int]chan result{},
		receipts: map[int]Receipt{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+secret+"/next", s.next)
	mux.HandleFunc("POST /"+secret+"/result", s.result)
	mux.HandleFunc("POST /"+secret+"/receipts", s.takeReceipts)
	mux.HandleFunc("POST /"+secret+"/event", s.event)
	mux.HandleFunc("GET /"+secret+"/input", s.input)
	s.http = &http.Server{Handler: allowPage(mux)}
	go func() { _ = s.http.Serve(listener) }() // ends with Close
	return s, nil
}

// allowPage lets a page of another port read the answers.
func allowPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// URL is what the page is given as ?control=.
func (s *Server) URL() string { return s.url }

// Close ends the server and every poll.
func (s *Server) Close() {
	s.Drop()
	_ = s.http.Close()
}

// wake tells all waiters that something changed; the lock is held.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Loads returns how often a page has come up.
func (s *Server) Loads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads
}

// AwaitLoad waits until a page has come up more than after times.
func (s *Server) AwaitLoad(ctx context.Context, after int) error {
	for {
		s.mu.Lock()
		loads, changed := s.loads, s.changed
		s.mu.Unlock()
		if loads > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("no page came up: %w", context.Cause(ctx))
		}
	}
}

// Drop forgets the present page: what it was asked fails with ErrPageGone.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

func (s *Server) drop() {
	s.session = ""
	s.queue = nil
	for id, waiter := range s.waiting {
		waiter <- result{gone: true}
		delete(s.waiting, id)
	}
	s.wake()
}

// Do has the page run a command and decodes its value into reply (nil: not wanted).
// Errors: *PageError, ErrPageGone, or the context's.
func (s *Server) Do(ctx context.Context, name string, args, reply any) error {
	if args == nil {
		args = struct{}{}
	}
	s.mu.Lock()
	s.lastID++
	id := s.lastID
	waiter := make(chan result, 1)
	s.waiting[id] = waiter
	s.queue = append(s.queue, command{id, name, args})
	s.wake()
	s.mu.Unlock()
	select {
	case got := <-waiter:
		switch {
		case got.gone:
			return fmt.Errorf("%s: %w", name, ErrPageGone)
		case got.Error != nil:
			return fmt.Errorf("%s: %w", name, got.Error)
		case reply == nil:
			return nil
		}
		if err := json.Unmarshal(got.Value, reply); err != nil {
			return fmt.Errorf("%s: decode the page's value: %w", name, err)
		}
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
}

// Receipts returns a copy of the page's answers so far, by index of the input.
func (s *Server) Receipts() map[int]Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[int]Receipt, len(s.receipts))
	for index, receipt := range s.receipts {
		all[index] = receipt
	}
	return all
}

// Acknowledged returns how many inputs have an answer.
func (s *Server) Acknowledged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.receipts)
}

// Millis returns how long each successful append took, in the order of the answers.
func (s *Server) Millis() []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]float64(nil), s.millis...)
}
