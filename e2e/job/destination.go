package job

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/liff-keep/liff-keep/e2e/faults"
	"github.com/liff-keep/liff-keep/e2e/judge"
)

// destination is what differs between the services that a job can archive to.
type destination struct {
	name string
	// faultPath is where faults that name no path act; "" leaves them to the sandbox: Keep's writes.
	faultPath string
	// relayed: pages of another origin may not call the service, so it is reached through the relay on the page's own.
	relayed bool
	// sandbox are further flags of the sandbox.
	sandbox []string
	// open are the page's options for the service at this origin, behind the relay if it is relayed.
	open func(j *job, origin string) map[string]any
	// stored reads back what the service holds, and the raw notes, one a line.
	stored func(ctx context.Context, j *job) (all []judge.Stored, raw []byte, err error)
}

var destinations = []destination{
	{name: "line", open: openLine, stored: storedByLine},
	{name: "chat", open: openChat, stored: storedByChat},
	{name: "evernote", faultPath: "/shard/s1/notestore/createNote", relayed: true, sandbox: []string{"-evernote-sandbox"},
		open: openEvernote, stored: storedByEvernote},
}

func destinationNamed(name string) (destination, error) {
	var names []string
	for _, d := range destinations {
		if d.name == name {
			return d, nil
		}
		names = append(names, d.name)
	}
	return destination{}, fmt.Errorf("unknown destination %q: there are %s", name, strings.Join(names, ", "))
}

// Destinations returns the names of all.
func Destinations() (names []string) {
	for _, d := range destinations {
		names = append(names, d.name)
	}
	return names
}

// aimed returns the fault's entries as they reach this service.
func (d destination) aimed(entries []faults.Entry) []faults.Entry {
	if d.faultPath == "" {
		return entries
	}
	all := make([]faults.Entry, len(entries))
	for i, e := range entries {
		all[i] = faults.Entry{"path": d.faultPath}
		for name, value := range e {
			all[i][name] = value
		}
	}
	return all
}

func openLine(j *job, origin string) map[string]any {
	open := map[string]any{"channelId": j.channel}
	if j.otherOrigin() {
		open["baseURL"] = origin
	}
	return open
}

func storedByLine(ctx context.Context, j *job) ([]judge.Stored, []byte, error) {
	rows, err := j.sandbox.Notes(ctx, j.channel, false)
	if err != nil {
		return nil, nil, err
	}
	all, err := judge.ReadStored(bytes.NewReader(rows))
	if err != nil {
		return nil, nil, err
	}
	raw, err := j.sandbox.Notes(ctx, j.channel, true)
	return all, raw, err
}

// openChat gives each job a space of its own, named as its channel.
func openChat(j *job, origin string) map[string]any {
	return map[string]any{"destination": "chat", "space": j.channel, "baseURL": origin}
}

func storedByChat(ctx context.Context, j *job) ([]judge.Stored, []byte, error) {
	rows, err := j.sandbox.ChatMessages(ctx, j.channel)
	if err != nil {
		return nil, nil, err
	}
	all, err := judge.UnpackChat(bytes.NewReader(rows), func(name string) ([]byte, error) { return j.sandbox.ChatAttachment(ctx, name) })
	return all, judge.Lines(all), err
}

// evernoteCalls is what the page may do in an hour: less than the sandbox's limit, and more than a job needs.
const evernoteCalls = 900

func openEvernote(_ *job, origin string) map[string]any {
	return map[string]any{"destination": "evernote", "noteStoreURL": origin + "/shard/s1/notestore",
		"sandbox": true, "callsPerHour": evernoteCalls}
}

func storedByEvernote(ctx context.Context, j *job) ([]judge.Stored, []byte, error) {
	rows, err := j.sandbox.EvernoteNotes(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := judge.UnpackEvernote(bytes.NewReader(rows))
	return all, judge.Lines(all), err
}

// fits says whether a fault is of this destination.
func (d destination) fits(f faults.Fault) error {
	if len(f.Only) > 0 && !slices.Contains(f.Only, d.name) {
		return fmt.Errorf("the fault %s is for %s, not for %s", f.Name, strings.Join(f.Only, ", "), d.name)
	}
	return nil
}
