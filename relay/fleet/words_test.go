package fleet

import (
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

func first[A, B any](a A, _ B) A { return a }

// many are n notes with names of their own.
func many(n int) (notes []string) {
	for i := range n {
		notes = append(notes, noteOf("m-"+itoa(i), "x"))
	}
	return notes
}

// body replaces a request's.
func body(text string) func(*http.Request) {
	return func(q *http.Request) {
		q.Body, q.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// at is a clock that stands at t for as long as a test's step takes.
func at(t time.Time) *Clock { return &Clock{factor: 1e-9, from: time.Now(), shows: t} }
