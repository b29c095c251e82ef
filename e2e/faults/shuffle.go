package faults

import (
	"math/rand/v2"
	"strings"
)

// Deal shuffles the faults that can be mixed and deals them into hands of three to
// five: each hand is one fault in which all of theirs happen, in an order and at
// distances drawn from the seed. Every one of them is in exactly one hand. One
// seed, one result.
func Deal(seed uint64) []Fault {
	rnd := rand.New(rand.NewPCG(seed, 0))
	var mixed []Fault
	for _, name := range Names() {
		if f, err := Lookup(name); err == nil && f.mixable() {
			mixed = append(mixed, f)
		}
	}
	rnd.Shuffle(len(mixed), func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
	var hands []Fault
	for len(mixed) > 0 {
		n := min(3+rnd.IntN(3), len(mixed))
		hands = append(hands, mix(rnd, mixed[:n]))
		mixed = mixed[n:]
	}
	return hands
}

// mixable leaves out what needs a whole job of its own: background load, a clock
// that has to show a second or stands still, another mode, an event that has to die, a page with one
// token for ever (which another fault may expire), and what is of one destination only.
func (f Fault) mixable() bool {
	for _, e := range f.Page {
		if e["kind"] == "same-token" {
			return false
		}
	}
	return f.AtSecond == 0 && !f.Still && !f.OneByOne && f.OversizeBytes == 0 && len(f.Open) == 0 && f.Kills == 0 && len(f.Only) == 0
}

func mix(rnd *rand.Rand, parts []Fault) Fault {
	all := Fault{About: "a mixture", ClockStart: "2026-11-24T12:00:00+09:00"}
	var names []string
	for _, f := range parts {
		names = append(names, f.Name)
		all.Sandbox = append(all.Sandbox, shuffled(rnd, f.Sandbox)...)
		all.Page = append(all.Page, shuffled(rnd, f.Page)...)
		all.Reloads = max(all.Reloads, min(f.Reloads, 1))
	}
	all.Name = strings.Join(names, "+")
	rnd.Shuffle(len(all.Sandbox), func(i, k int) { all.Sandbox[i], all.Sandbox[k] = all.Sandbox[k], all.Sandbox[i] })
	rnd.Shuffle(len(all.Page), func(i, k int) { all.Page[i], all.Page[k] = all.Page[k], all.Page[i] })
	return all
}

// shuffled copies the entries with other distances between them.
func shuffled(rnd *rand.Rand, entries []Entry) []Entry {
	out := make([]Entry, len(entries))
	for i, e := range entries {
		out[i] = Entry{}
		for name, value := range e {
			out[i][name] = value
		}
		switch e["kind"] {
		case "patience": // of the whole page
		default:
			if skip := rnd.IntN(3); skip > 0 {
				out[i]["skip"] = float64(skip)
			} else {
				delete(out[i], "skip")
			}
		}
	}
	return out
}
