package indexeddb

import (
	"errors"

	"github.com/liff-keep/liff-keep/outbox"
)

// Error says what was tried on what and how it failed. errors.Is compares with the closed list of outbox.
type Error struct {
	Verb    string // "commit", "open"
	Object  string // "change", the database's name
	Name    string // the DOM exception's name or the event's; empty: the browser gave none
	Detail  string // the DOM exception's message
	Kind    error  // outbox.ErrFull, ErrUnavailable, ErrClosed, ErrNotFound, ErrDamaged, ErrFenced
	Unknown bool   // a write that may have reached the disk all the same: time-out, Close, or a connection that died
}

func (e *Error) Error() string {
	s := "indexeddb: " + e.Verb + " " + e.Object + ": " + e.Kind.Error()
	if e.Name != "" {
		s += ": " + e.Name
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap gives errors.Is the sentinel.
func (e *Error) Unwrap() error { return e.Kind }

// Unknown reports whether err leaves open if the write reached the disk. Every other error means "not stored".
// The way on is to open the store again and Load.
func Unknown(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if e, ok := err.(*Error); ok {
			return e.Unknown
		}
	}
	return false
}

// kindOf maps a DOM exception's name to the sentinel that callers compare with.
func kindOf(name string) error {
	if name == "QuotaExceededError" {
		return outbox.ErrFull
	}
	return outbox.ErrUnavailable
}

// deadConnection reports whether an abort with this name says that the whole connection is gone, not one transaction:
// WebKit's "Connection to Indexed Database server lost" is an UnknownError.
func deadConnection(name string) bool { return name == "UnknownError" || name == "InvalidStateError" }
