package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A faultKind is a row of the table of faults: which fields it takes beside
// kind, path and skip, and what they must hold.
type faultKind struct {
	name   string
	call   bool // spoils calls; takes "times"
	fields string
	check  func(f *fault) error
}

var faultKinds = []faultKind{
	{"status", true, "status retryAfter body contentType", checkStatus},
	{"cut", true, "when", checkWhen},
	{"half", true, "", nil},
	{"garbage", true, "", nil},
	{"delay", true, "ms when", checkDelay},
	{"hang", true, "when", checkWhen},
	{"type", true, "contentType", checkType},
	{"redirect", true, "location", checkRedirect},
	{"proxy", true, "status body contentType overBytes cors", checkProxy},
	{"edam", true, "class code seconds parameter", checkEdam},
	{"expire-token", false, "", nil},
	{"revoke-scope", false, "", nil},
	{"grant-scope", false, "", nil},
	{"hide-headers", false, "", nil},
	{"show-headers", false, "", nil},
	{"retry-after", false, "value", nil},
	{"load", false, "percent seconds channel", checkLoad},
	{"lose-notes", false, "count noteIds", checkLose},
}

func kindNamed(name string) *faultKind {
	for i := range faultKinds {
		if faultKinds[i].name == name {
			return &faultKinds[i]
		}
	}
	return nil
}

func requestFault(kind string) bool { return kindNamed(kind).call }

func kindNames() []string {
	var names []string
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return names
}

// readScript returns the entries of {"script":[…]}, checked and with defaults
// filled in. One bad entry refuses the whole script.
func readScript(body []byte) ([]*fault, error) {
	var posted struct {
		Script []json.RawMessage `json:"script"`
	}
	if err := strict(body, &posted); err != nil {
		return nil, fmt.Errorf(`read {"script":[…]}: %w`, err)
	}
	if posted.Script == nil {
		return nil, errors.New(`the body is no {"script":[…]}`)
	}
	var out []*fault
	for i, raw := range posted.Script {
		f, err := readFault(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func readFault(raw []byte) (*fault, error) {
	var f fault
	if err := strict(raw, &f); err != nil {
		return nil, err
	}
	kind := kindNamed(f.Kind)
	if kind == nil {
		return nil, fmt.Errorf("unknown kind %q", f.Kind)
	}
	takes := append(strings.Fields(kind.fields), "kind", "path", "skip")
	if kind.call {
		takes = append(takes, "times")
	}
	given, _ := members(raw)
	for name := range given {
		if !slices.Contains(takes, name) {
			return nil, fmt.Errorf("%s takes no %q", f.Kind, name)
		}
	}
	if f.Skip < 0 || f.Times < 0 {
		return nil, errors.New("skip and times are not negative")
	}
	if f.Path != "" && !strings.HasPrefix(f.Path, "/") {
		return nil, errors.New(`path begins with "/"`)
	}
	if kind.call && given["times"] == nil {
		f.Times = 1
	}
	if kind.call && f.Times == 0 {
		return nil, errors.New("times is at least 1")
	}
	if kind.check != nil {
		return &f, kind.check(&f)
	}
	return &f, nil
}

func checkStatus(f *fault) error {
	if f.Status < 200 || f.Status > 599 {
		return errors.New("status is 200 to 599")
	}
	if f.Body != nil && len(f.Body.text()) == 0 {
		return errors.New("an empty body cannot be ordered")
	}
	return nil
}

func checkType(f *fault) error {
	if f.ContentType == "" {
		return errors.New("contentType says which")
	}
	return nil
}

func checkRedirect(f *fault) error {
	if f.Location == "" {
		f.Location = "/log-in"
	}
	return nil
}

// checkEdam fills in the class system. Only a note store can throw such a thing.
func checkEdam(f *fault) error {
	if f.Class == "" {
		f.Class = "system"
	}
	switch {
	case edamClasses[f.Class] == 0:
		return errors.New("class is user, system, notFound or application")
	case !isUnder(f.Path, evernotePrefix):
		return errors.New(`path begins with "` + evernotePrefix + `": no other service throws it`)
	case f.Code < 0 || f.Code > 99 || f.Class != "notFound" && f.Code == 0:
		return errors.New("code is 1 to 99")
	case f.Seconds < 0 || f.Seconds > 86_400:
		return errors.New("seconds is 0 to 86400")
	}
	return nil
}

// checkProxy fills in 413, the answer of a proxy to what it finds too large.
func checkProxy(f *fault) error {
	if f.Status == 0 {
		f.Status = http.StatusRequestEntityTooLarge
	}
	if f.OverBytes < 0 {
		return errors.New("overBytes is not negative")
	}
	return checkStatus(f)
}

// checkWhen fills in "before", the default of delay and hang and cut.
func checkWhen(f *fault) error {
	if f.When == "" {
		f.When = "before"
	}
	if f.When != "before" && f.When != "after" {
		return errors.New(`when is "before" or "after"`)
	}
	return nil
}

func checkDelay(f *fault) error {
	if f.MS <= 0 {
		return errors.New("ms is at least 1")
	}
	return checkWhen(f)
}

func checkLoad(f *fault) error {
	if f.Percent < 0 || f.Percent > 10_000 {
		return errors.New("percent is 0 to 10000")
	}
	if f.Percent > 0 && f.Seconds <= 0 {
		return errors.New("seconds is above 0")
	}
	return nil
}

func checkLose(f *fault) error {
	if f.Count <= 0 && len(f.NoteIDs) == 0 {
		return errors.New("count or noteIds says which notes")
	}
	return nil
}

// strict decodes exactly one JSON value without unknown fields.
func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}

// rawText is a body in a script: a JSON string stands for its text, any other
// value for its own JSON.
type rawText json.RawMessage

func (t *rawText) UnmarshalJSON(raw []byte) error {
	*t = append((*t)[:0], raw...)
	return nil
}

func (t rawText) MarshalJSON() ([]byte, error) { return t, nil }

func (t rawText) text() []byte {
	var s string
	if json.Unmarshal(t, &s) == nil {
		return []byte(s)
	}
	return t
}
