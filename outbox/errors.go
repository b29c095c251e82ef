package outbox

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
