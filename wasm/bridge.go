//go:build js && wasm

package main

import (
	"syscall/js"
	"time"

	"github.com/liff-keep/liff-keep/destination/evernote"
	"github.com/liff-keep/liff-keep/destination/googlechat"
	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// openBridge starts one outbox for the host object and returns what JavaScript may call on it:
//
//	append(texts Uint8Array, keys string, ticket, media)   events as lines of JSON, keys as lines; ticket counts up a line;
//	    media is null, or an array with null or an array of {name, type, bytes, sum, blob} for each event
//	take(texts Uint8Array, rows string, ticket, media)     the same for what the page's inbox kept, rows as lines "key version at mark"
//	pack(ticket, notes, messages, bytes, more)             a run of plain events that host.packs holds, answered to host.packed, with its Seq;
//	    more is 1 when the next run of the same turn follows at once, else 0
//	hide(ticket, noteId) · flush(ticket) · dead(ticket) · revive(ticket, id) · discard(ticket, id)
//	ledger(ticket, from, to) · rows(ticket, from, to) · reconcile(ticket, from, to) · holdings(ticket) · lead(ticket, force) · resign() · left()
//	status() string · realtime(on) · offered(token) · nudge() · shown(on)
//	purge(ticket) · suspend() · reopen() · close()
//
// Every ticket is answered once through host.answers(text); host.opened(code, error) comes first, once, and once more for each reopen.
func openBridge(host js.Value) any {
	d := &driver{host: host, clock: host.Get("now"), packs: host.Get("packs"), packed: host.Get("packed"), changed: host.Get("changed")}
	exported = d
	config := host.Get("config")
	d.service = serviceOf(config)
	d.cfg = outbox.Config{
		Channel: str(config.Get("destination"), "channelId"), User: str(config, "user"),
		Policy: d.service.Policy(""), MediaPolicy: d.service.Policy(outbox.BucketMedia), Limits: d.service.Limits(),
		Plan: d.service.Plan, Cannot: d.service.Cannot, Deadline: requestDeadline,
		FlushEvery: millis(config, "flushEvery", 300_000), // C5
		FlushAt:    int(num(config, "flushAt", 400)),      // C5
		Debounce:   millis(config, "debounce", 200),       // C6
		Stream:     str(config, "mode") == "stream",       // L4.3
		// The whole origin's storage is the browser's to give; this is our share of it.
		MaxQueueBytes: int64(num(config, "maxQueueBytes", 64<<20)),
		LedgerDays:    30, // L9.5
		LookPolicy:    retry.LineStatus(),
	}
	if d.service.Cannot("reconcile") == "" {
		d.cfg.KeepDelivered = 48 * time.Hour // L12.1: the next day, wherever it is
	}
	if line, ok := d.service.(linekeep.Service); ok && sharesBucket(config) {
		d.cfg.Fleet = fleetOf(line.Fleet(), config)
	}
	if relay := config.Get("relay"); relay.Truthy() {
		d.cfg.Relay = outbox.Relay{On: true, Direct: relay.Get("direct").Truthy(), Policy: retry.LineRelay()}
	}
	if service := str(config.Get("destination"), "service"); service != "line" {
		d.cfg.API = service
	}
	d.capped = config.Get("ownClock").Truthy()
	d.core = outbox.New(d.cfg)
	d.wake = js.FuncOf(func(js.Value, []js.Value) any {
		d.armed = 0
		d.post(outbox.Woke{})
		return nil
	})
	seed := d.seed()
	d.owner = hex(seed[:])
	api := d.api()
	d.guarded(func() { d.open(config) })
	return api
}

// open opens the store and starts the core from it; host.opened says when, or why not. After a loss it opens it anew: the
// core lives on, with the appends that wait.
func (d *driver) open(config js.Value) {
	opts := indexeddb.Options{Name: str(config, "database"), Strict: str(config, "durability") != "relaxed", OnLost: d.lost, Packs: d.packs}
	indexeddb.Open(opts, func(s *indexeddb.Store, err error) {
		if err != nil {
			d.opened(err)
			return
		}
		if d.dead { // closed meanwhile
			s.Close()
			return
		}
		d.store = s
		d.load(d.opened)
	})
}

func (d *driver) opened(err error) {
	if err != nil {
		d.call("opened", string(outbox.StorageCode(err)), err.Error())
		return
	}
	d.call("opened")
}

// lost: the store's connection is gone. host.lost decides when api.reopen is called.
func (d *driver) lost(reason string) {
	d.part()
	if !d.dead {
		d.call("lost", reason)
	}
}

// part tells the core that it has no store: answers to what it asked for are of no use to it any more.
func (d *driver) part() {
	d.fence = 0
	d.epoch++
	d.post(outbox.Lost{})
}

// suspend gives the database up, as a loss that was asked for: a frozen page may hold no transaction. What is being written
// is looked for when api.reopen comes.
func (d *driver) suspend() {
	d.part()
	if d.store != nil {
		d.store.Close()
	}
}

// load reads the store's picture and starts the core from it.
func (d *driver) load(done func(error)) {
	d.store.Load(func(l outbox.Loaded, err error) {
		if err == nil {
			d.epoch++ // answers to what was asked for the picture before are of no use to this one
			d.post(outbox.Opened{Loaded: l, Seed: d.seed()})
		}
		done(err)
	})
}

// serviceOf makes the destination that the page chose.
func serviceOf(config js.Value) outbox.Destination {
	dest := config.Get("destination")
	noteBytes, forbid := int(num(dest, "maxNoteBytes", 0)), list(config, "healthFields")
	switch str(dest, "service") {
	case "chat":
		return googlechat.Service{BaseURL: str(dest, "baseURL"), Space: str(dest, "space"), NoteBytes: noteBytes,
			MaxBackoff: time.Duration(num(dest, "maxBackoff", 64)) * time.Second, Forbid: forbid}
	case "evernote":
		return evernote.Service{NoteStoreURL: str(dest, "noteStoreURL"), NotebookGUID: str(dest, "notebookGuid"), Title: str(dest, "title"),
			Sandbox: dest.Get("sandbox").Truthy(), CallsPerHour: int(num(dest, "callsPerHour", 0)), NoteBytes: noteBytes, Forbid: forbid}
	}
	return lineOf(config, dest)
}

func lineOf(config, dest js.Value) linekeep.Service {
	tier := linekeep.MiniApp
	if str(dest, "tier") == string(linekeep.Server) {
		tier = linekeep.Server
	}
	relay := ""
	if r := config.Get("relay"); r.Truthy() {
		relay = str(r, "url")
	}
	return linekeep.Service{BaseURL: str(dest, "baseURL"), Relay: relay, ChannelID: str(dest, "channelId"), Tier: tier,
		NoteBytes: int(num(dest, "maxNoteBytes", 0)), Forbid: list(config, "healthFields")}
}

// sharesBucket says whether batches wait for a free moment of the bucket: unless the page says that it has a bucket of its
// own, fleet: false.
func sharesBucket(config js.Value) bool {
	fleet := config.Get("fleet")
	return fleet.Type() != js.TypeBoolean || fleet.Bool()
}

// fleetOf adds what the page knows of the others that share the bucket.
func fleetOf(f retry.Fleet, config js.Value) retry.Fleet {
	f.Phones = int(num(config, "fleet", 0))
	f.Campaign = config.Get("campaign").Truthy()
	if seat := config.Get("seat"); seat.Truthy() {
		f.Seats = true
		f.Seat = retry.Seat{Number: int(num(seat, "number", 0)), Total: int(num(seat, "total", 0))}
	}
	if curve := config.Get("dayCurve"); curve.Truthy() {
		for hour := range curve.Length() {
			f.Curve = append(f.Curve, curve.Index(hour).Float())
		}
	}
	return f
}

func millis(v js.Value, name string, def float64) time.Duration {
	return time.Duration(num(v, name, def)) * time.Millisecond
}

// api makes the object of exported functions (C8). Each runs under the guard: a panic is an answer, never a dead page.
func (d *driver) api() map[string]any {
	api := map[string]any{}
	for name, f := range map[string]func(args []js.Value) any{
		"append": func(args []js.Value) any {
			d.post(outbox.Appended{Drafts: draftsOf(args)})
			return nil
		},
		"take": func(args []js.Value) any {
			d.post(outbox.Appended{Drafts: fromInbox(draftsOf(args))})
			return nil
		},
		"pack": func(args []js.Value) any {
			d.pack(args[0].Int(), args[1].Int(), args[2].Int(), args[3].Float(), args[4].Int() != 0)
			return nil
		},
		"flush": func(args []js.Value) any { d.post(outbox.FlushAsked{Ticket: ticket(args[0])}); return nil },
		"hide": func(args []js.Value) any {
			d.post(outbox.HideAsked{Ticket: ticket(args[0]), NoteID: args[1].String()})
			return nil
		},
		"dead":    func(args []js.Value) any { d.listDead(ticket(args[0])); return nil },
		"revive":  func(args []js.Value) any { d.decideDead(ticket(args[0]), args[1].String(), false); return nil },
		"discard": func(args []js.Value) any { d.decideDead(ticket(args[0]), args[1].String(), true); return nil },
		"ledger": func(args []js.Value) any { // an export ends the reminder (L9.5)
			d.readLedger(ticket(args[0]), int64(args[1].Float()), int64(args[2].Float()), outbox.LedgerPos{}, nil, func() { d.post(outbox.LedgerExported{}) })
			return nil
		},
		"rows": func(args []js.Value) any { // the same to look at
			d.readLedger(ticket(args[0]), int64(args[1].Float()), int64(args[2].Float()), outbox.LedgerPos{}, nil, func() {})
			return nil
		},
		"reconcile": func(args []js.Value) any {
			d.reconcile(ticket(args[0]), int64(args[1].Float()), int64(args[2].Float()), outbox.LedgerPos{}, nil)
			return nil
		},
		"status":   func([]js.Value) any { return string(d.core.StatusJSON()) },
		"holdings": func(args []js.Value) any { d.holdings(ticket(args[0])); return nil },
		"realtime": func(args []js.Value) any { d.post(outbox.RealtimeSet{On: args[0].Truthy()}); return nil },
		"nudge":    func([]js.Value) any { d.post(outbox.Nudged{}); return nil },
		"shown":    func(args []js.Value) any { d.post(outbox.Shown{Visible: args[0].Truthy()}); return nil },
		"offered": func(args []js.Value) any {
			if d.known = args[0].String(); d.known != d.refused {
				d.post(outbox.TokenOffered{})
			}
			return nil
		},
		"lead":    func(args []js.Value) any { d.lead(ticket(args[0]), args[1].Truthy()); return nil },
		"resign":  func([]js.Value) any { d.resign(); return nil },
		"left":    func([]js.Value) any { d.post(outbox.Left{}); return nil },
		"purge":   func(args []js.Value) any { d.purge(ticket(args[0])); return nil },
		"reopen":  func([]js.Value) any { d.open(d.host.Get("config")); return nil },
		"suspend": func([]js.Value) any { d.suspend(); return nil },
		"close":   func([]js.Value) any { d.shut(); return nil },
	} {
		api[name] = js.FuncOf(func(_ js.Value, args []js.Value) (out any) {
			d.guarded(func() { out = f(args) })
			return out
		})
	}
	return api
}

func ticket(v js.Value) uint32 { return uint32(v.Float()) }

// purge deletes this user's rows; the one ledger row that stays says how many events went.
func (d *driver) purge(ticket uint32) {
	row, state := d.core.Purged(d.now())
	d.store.Purge(row, state, func(err error) {
		if err != nil {
			d.answer(ticket, nil, err)
			return
		}
		d.core = outbox.New(d.cfg)
		d.load(func(err error) {
			d.post(outbox.Led{On: err == nil && d.fence != 0, Fence: d.fence})
			d.answer(ticket, []byte("true"), err)
		})
	})
}

// answer answers a ticket that the core does not know.
func (d *driver) answer(ticket uint32, json []byte, err error) {
	d.guarded(func() {
		d.answers.json(ticket, json, err)
		d.answers.send(d)
	})
}
