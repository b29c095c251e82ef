package outbox_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// vault is a destination that is everything Keep is not, and the service behind it. As "log" it stores whatever comes, as often
// as it comes, and can only be asked to read its log from some place on: whoever doubts has to look. As "wall" it takes a
// batch in parts, knows each part by the name that the client gave it, and says at times no more than "that name is taken".
type vault struct {
	r    *rig
	kind string

	log     []string // names of what was stored, others' among it
	parts   map[string]string
	uploads map[string]string // id → bytes
	late    []arrival         // requests that the client has given up and the network has not
}

type arrival struct {
	at  time.Time
	run func()
}

func (v *vault) Limits() outbox.Limits {
	return outbox.Limits{NoteBytes: 1 << 20, BatchBytes: 1 << 20, BatchNotes: 6, BatchMessages: 12, MediaBytes: 100}
}
func (v *vault) Policy(bucket string) retry.Policy { return v.r.line.Policy(bucket) }
func (v *vault) Cannot(what string) string         { return "a vault cannot " + what }

func (v *vault) Plan(b outbox.Batch, cursor string) (steps []outbox.Step) {
	if v.kind == "log" && cursor == "" {
		steps = append(steps, outbox.Step{})
	}
	for range b.Entries[0].Media {
		steps = append(steps, outbox.Step{Bucket: outbox.BucketMedia})
	}
	if v.kind == "log" {
		return append(steps, outbox.Step{Probed: true})
	}
	for range 1 + len(b.Entries)%3 {
		steps = append(steps, outbox.Step{})
	}
	return steps
}

func (v *vault) Digest(b outbox.Batch) (text []byte) {
	if v.kind == "log" {
		return nil
	}
	for _, e := range b.Entries {
		text = append(text, e.Raw...)
	}
	return text
}

// media is the medium that the step uploads, if it is an upload.
func (v *vault) medium(b outbox.Batch, step int) *outbox.Media {
	if v.kind == "log" && b.Cursor == "" {
		step--
	}
	if media := b.Entries[0].Media; step >= 0 && step < len(media) {
		return &media[step]
	}
	return nil
}

func (v *vault) Encode(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	if m := v.medium(b, step); m != nil {
		return outbox.Request{Parts: []outbox.Part{{Bytes: []byte(m.ID + "=")}, {Media: m.ID}}}
	}
	body := fmt.Sprintf("%s %d %s\n", b.Name, step, a.SHA256)
	for _, e := range b.Entries {
		body += string(e.Raw)
	}
	return outbox.Request{Body: []byte(body)}
}

func (v *vault) EncodeProbe(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	return outbox.Request{Body: []byte("probe " + b.Name)}
}

func (v *vault) Decode(b outbox.Batch, step int, _ outbox.Attempt, r outbox.Reply) outbox.Outcome {
	o := outbox.Outcome{Status: r.Status, Hint: retry.NoHint(), Cause: outbox.ServerFailed}
	word, rest, _ := strings.Cut(string(r.Body), " ")
	switch {
	case r.Status == 0 && r.TimedOut, r.Status == 200 && word != "ok":
		o.Cause = outbox.Unclear
	case r.Status == 0:
		o.Cause = outbox.Unreached
	case r.Status == 200:
		o.Cause, o.Cursor = outbox.Accepted, rest
		if step == len(b.Steps)-1 {
			o.Verdicts = make([]outbox.Verdict, len(b.Entries))
		}
	default:
		for status, cause := range map[int]outbox.Cause{429: outbox.Throttled, 401: outbox.TokenRefused, 403: outbox.ScopeMissing,
			413: outbox.BodyTooLarge, 400: outbox.Refused, 409: outbox.Taken} {
			if r.Status == status {
				o.Cause = cause
			}
		}
	}
	return o
}

func (v *vault) DecodeProbe(b outbox.Batch, step int, a outbox.Attempt, r outbox.Reply) outbox.Outcome {
	word, rest, _ := strings.Cut(string(r.Body), " ")
	if r.Status == 200 && word == "absent" {
		return outbox.Outcome{Cause: outbox.Absent, Status: 200, Hint: retry.NoHint()}
	}
	if r.Status == 200 && word == "more" {
		return outbox.Outcome{Cause: outbox.More, Status: 200, Cursor: rest, Hint: retry.NoHint()}
	}
	return v.Decode(b, step, a, r)
}

// serve answers one request, as the schedule's dice say.
func (v *vault) serve(b outbox.Batch, step int, probe bool, a outbox.Attempt, body string) *outbox.Reply {
	rng := v.r.rng
	reply := func(status int, text string) *outbox.Reply { return &outbox.Reply{Status: status, Body: []byte(text)} }
	if b.Steps[step].Bucket == "" {
		if over := v.r.keep.over(); over != "" {
			v.r.fail("the quota was exceeded: %s", over)
		}
	}
	if rng.Intn(4) == 0 {
		v.log = append(v.log, "somebody else's")
	}
	fault := ""
	if rng.Intn(100) < v.r.keep.faults {
		fault = []string{"never arrives", "arrives late", "answer lost", "500", "500 and stored", "429", "401", "403", "413", "garbage", "409"}[rng.Intn(11)]
	}
	switch fault {
	case "never arrives":
		return nil
	case "arrives late":
		if !probe {
			v.late = append(v.late, arrival{v.r.true.Add(time.Duration(rng.Int63n(int64(v.r.deadline)))), func() { v.apply(b, step, a, body) }})
		}
		return nil
	case "500":
		return reply(500, "")
	case "429", "401", "403":
		status, _ := strconv.Atoi(fault)
		return reply(status, "")
	case "413":
		if len(b.Entries) > 1 || rng.Intn(4) == 0 {
			return reply(413, "")
		}
	case "409":
		if v.kind == "wall" && !probe {
			return reply(409, "") // and it is not there at all
		}
		if v.kind == "log" && !probe && b.Steps[step].Probed { // the browser sent it twice, and the relay says so while the first is on its way
			v.late = append(v.late, arrival{v.r.true.Add(time.Duration(rng.Int63n(int64(v.r.deadline)))), func() { v.apply(b, step, a, body) }})
			return reply(409, "")
		}
	}
	text := ""
	if probe {
		text = v.look(b, step, a)
	} else if text = v.apply(b, step, a, body); text == "taken" {
		return reply(409, "")
	}
	switch fault {
	case "answer lost":
		return nil
	case "500 and stored":
		return reply(500, "")
	case "garbage":
		return reply(200, "<html>")
	}
	return reply(200, text)
}

// apply does what the request asks for.
func (v *vault) apply(b outbox.Batch, step int, a outbox.Attempt, body string) string {
	if m := v.medium(b, step); m != nil {
		id, blob, _ := strings.Cut(body, "=")
		v.uploads[id] = blob
		return "ok"
	}
	last := step == len(b.Steps)-1
	if v.kind == "log" && !last {
		return "ok " + strconv.Itoa(len(v.log))
	}
	if v.kind == "wall" {
		id := fmt.Sprint(b.Name, " ", step)
		if have, known := v.parts[id]; known {
			if have != body {
				v.r.fail("%s came with other bytes", id)
			}
			return []string{"ok", "taken"}[v.r.rng.Intn(2)]
		}
		v.parts[id] = body
	}
	if !last {
		return "ok"
	}
	v.log = append(v.log, b.Name)
	for _, e := range b.Entries {
		for _, m := range e.Media {
			if v.uploads[m.ID] != blobOf(e) {
				v.r.fail("%s names the medium %s, which the service does not have", e.NoteID, m.ID)
			}
		}
		if v.r.keep.notes[e.NoteID] != nil {
			v.r.fail("%s was stored twice", e.NoteID)
		}
		v.r.keep.notes[e.NoteID] = &stored{raw: bytes.Clone(e.Raw), ours: true}
	}
	return "ok " + map[string]string{"log": strconv.Itoa(len(v.log)), "wall": ""}[v.kind]
}

// look reads two rows of the log from the cursor on, or asks for one part.
func (v *vault) look(b outbox.Batch, step int, a outbox.Attempt) string {
	if v.kind == "wall" {
		if _, there := v.parts[fmt.Sprint(b.Name, " ", step)]; there {
			return "ok"
		}
		return "absent"
	}
	from, _ := strconv.Atoi(a.Cursor)
	for i := from; i < len(v.log); i++ {
		if i == from+2 {
			return "more " + strconv.Itoa(i)
		}
		if v.log[i] == b.Name {
			return "ok"
		}
	}
	return "absent"
}

// arrive lets come in what is late enough.
func (v *vault) arrive() {
	kept := v.late[:0]
	for _, a := range v.late {
		if a.at.After(v.r.true) {
			kept = append(kept, a)
			continue
		}
		a.run()
	}
	v.late = kept
}

// blobOf is what the schedule put into the media of an entry: its marker.
func blobOf(e outbox.Entry) string {
	_, rest, _ := strings.Cut(string(e.Raw), "<")
	marker, _, _ := strings.Cut(rest, ">")
	return "<" + marker + ">"
}
