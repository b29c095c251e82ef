package outbox

import "errors"

// Code is a word of the closed list of errors that a page can meet (api.md). It is compared, never parsed.
type Code string

const (
	InvalidEvent       Code = "INVALID_EVENT"
	TooLarge           Code = "TOO_LARGE"
	UnfitContent       Code = "UNFIT_CONTENT"
	StorageFull        Code = "STORAGE_FULL"
	StorageUnavailable Code = "STORAGE_UNAVAILABLE"
	WasmUnavailable    Code = "WASM_UNAVAILABLE"
	AuthRequired       Code = "AUTH_REQUIRED"
	ScopeRequired      Code = "SCOPE_REQUIRED"
	Gone               Code = "GONE"
	Closed             Code = "CLOSED"
	Internal           Code = "INTERNAL"
)

// Refusal is the answer to something the outbox will not take; Message names the mend.
type Refusal struct {
	Code    Code
	Message string
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

func refuse(code Code, message string) *Refusal { return &Refusal{Code: code, Message: message} }

// StorageCode is the code of a store's error.
func StorageCode(err error) Code {
	if errors.Is(err, ErrFull) {
		return StorageFull
	}
	return StorageUnavailable
}

// storageRefusal says to the page what the store's error means. ErrClosed is a page that was frozen: it may hold no database.
func storageRefusal(err error) *Refusal {
	message := "the event could not be written (" + err.Error() + "); it was not taken: "
	if errors.Is(err, ErrFull) {
		return refuse(StorageFull, message+"free some space, or lower maxQueueBytes and retry")
	}
	return refuse(StorageUnavailable, message+"try again")
}

const goneMessage = "the service answered 410 Gone: this path was retired on 2026-06-30, set baseURL to the new domain and use /v1/keep (what was accepted before is kept)"
