//go:build js && wasm

package main

import (
	"syscall/js"
	"time"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// openBridge starts one outbox for the host object and returns what JavaScript may call on it:
//
//	append(texts Uint8Array, keys string, ticket)   events as lines of JSON, keys as lines; ticket counts up a line
//	take(texts Uint8Array, rows string, ticket)     the same for what the page's inbox kept, rows as lines "key version at mark"
//	hide(ticket, noteId) · flush(ticket) · dead(ticket) · revive(ticket, id) · discard(ticket, id)
//	ledger(ticket, from, to) · rows(ticket, from, to) · reconcile(ticket, from, to) · holdings(ticket) · lead(ticket, force) · resign() · left()
//	status() string · realtime(on) · offered(token) · nudge() · shown(on)
//	purge(ticket) · suspend() · reopen() · close()
//
// Every ticket is answered once through host.answers(text); host.opened(code, error) comes first, once, and once more for each reopen.
func openBridge(host js.Value) any {
	d := &driver{host: host, clock: host.Get("now")}
	config := host.Get("config")
	service := serviceOf(config)
	d.service = service
	d.cfg = outbox.Config{
		Channel: service.ChannelID, User: str(config, "user"),
		Policy: service.Policy(), Limits: service.Limits(),
		FlushEvery: millis(config, "flushEvery", 300_000), // C5
		FlushAt:    int(num(config, "flushAt", 400)),      // C5
		Debounce:   millis(config, "debounce", 200),       // C6
		Stream:     str(config, "mode") == "stream",       // L4.3
		// The whole origin's storage is the browser's to give; this is our share of it.
		MaxQueueBytes: int64(num(config, "maxQueueBytes", 64<<20)),
		LedgerDays:    30, // L9.5
		LookPolicy:    retry.LineStatus(),
		KeepDelivered: 48 * time.Hour, // L12.1: the next day, wherever it is
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
	opts := indexeddb.Options{Name: str(config, "database"), Strict: str(config, "durability") != "relaxed", OnLost: d.lost}
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

func serviceOf(config js.Value) linekeep.Service {
	dest := config.Get("destination")
	tier := linekeep.MiniApp
	if str(dest, "tier") == string(linekeep.Server) {
		tier = linekeep.Server
	}
	return linekeep.Service{BaseURL: str(dest, "baseURL"), ChannelID: str(dest, "channelId"), Tier: tier,
		NoteBytes: int(num(dest, "maxNoteBytes", 0)), Forbid: list(config, "healthFields")}
}

func millis(v js.Value, name string, def float64) time.Duration {
	return time.Duration(num(v, name, def)) * time.Millisecond
}

// api makes the object of exported functions (C8). Each runs under the guard: a panic is an answer, never a dead page.
func (d *driver) api() map[string]any {
	api := map[string]any{}
	for name, f := range map[string]func(args []js.Value) any{
		"append": func(args []js.Value) any {
			d.post(outbox.Appended{Drafts: drafts(bytesOf(args[0]), args[1].String(), ticket(args[2]))})
			return nil
		},
		"take": func(args []js.Value) any {
			d.post(outbox.Appended{Drafts: fromInbox(drafts(bytesOf(args[0]), args[1].String(), ticket(args[2])))})
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

func (d *driver) listDead(ticket uint32) {
	d.store.ReadDead(func(records []outbox.DeadRecord, err error) {
		t := []byte{'['}
		for i, r := range records {
			if i > 0 {
				t = append(t, ',')
			}
			t = append(t, outbox.DeadInfo(r)...)
		}
		d.answer(ticket, append(t, ']'), err)
	})
}

func (d *driver) decideDead(ticket uint32, id string, discard bool) {
	d.store.ReadDead(func(records []outbox.DeadRecord, err error) {
		for _, r := range records {
			if r.Named(id) {
				d.post(outbox.DeadAsked{Ticket: ticket, Record: r, Discard: discard})
				return
			}
		}
		if err == nil {
			err = &outbox.Refusal{Code: outbox.InvalidEvent, Message: "no dead letter has this id; dead.list() names them"}
		}
		d.answer(ticket, nil, err)
	})
}

// ledgerPage is how many rows one read brings: no long task, however long the ledger.
const ledgerPage = 200

func (d *driver) readLedger(ticket uint32, from, to int64, after outbox.LedgerPos, lines []byte, then func()) {
	d.store.ReadLedger(from, to, after, ledgerPage, func(rows []outbox.LedgerRow, err error) {
		for _, r := range rows {
			lines = append(append(lines, r.Text...), '\n')
			after = r.LedgerPos
		}
		if err == nil && len(rows) == ledgerPage {
			d.readLedger(ticket, from, to, after, lines, then)
			return
		}
		d.answer(ticket, jsontext.AppendString(nil, string(lines)), err)
		if err == nil {
			then()
		}
	})
}

// reconcile reads what the ledger says was delivered, the last word on each note, and hands it to the core.
func (d *driver) reconcile(ticket uint32, from, to int64, after outbox.LedgerPos, notes []outbox.LedgerNote) {
	d.store.ReadLedger(from, to, after, ledgerPage, func(rows []outbox.LedgerRow, err error) {
		if err != nil {
			d.answer(ticket, nil, err)
			return
		}
		for _, r := range rows {
			notes = append(notes, outbox.LedgerNotes(r)...)
			after = r.LedgerPos
		}
		if len(rows) == ledgerPage {
			d.reconcile(ticket, from, to, after, notes)
			return
		}
		last := make(map[string]int, len(notes))
		for i, n := range notes {
			last[n.NoteID] = i
		}
		kept := notes[:0]
		for i, n := range notes {
			if last[n.NoteID] == i {
				kept = append(kept, n)
			}
		}
		d.post(outbox.ReconcileAsked{Ticket: ticket, Notes: kept})
	})
}

// holdings answers with what an audit needs of the store: the number of every open segment that an entry on disk came from.
// Every Seq is either here or in the ledger, else something is missing.
func (d *driver) holdings(ticket uint32) {
	d.store.Load(func(l outbox.Loaded, err error) {
		if err != nil {
			d.answer(ticket, nil, err)
			return
		}
		d.scanHoldings(ticket, outbox.HeldSeqs(l), 0)
	})
}

func (d *driver) scanHoldings(ticket uint32, seqs []uint64, after uint64) {
	d.store.Scan(after, ledgerPage, func(open []outbox.Segment, err error) {
		for _, s := range open {
			seqs, after = append(seqs, s.Seq), s.Seq
		}
		if err == nil && len(open) == ledgerPage {
			d.scanHoldings(ticket, seqs, after)
			return
		}
		var w jsontext.Writer
		w.Open('[')
		for _, seq := range seqs {
			w.Int(int64(seq))
		}
		w.Close(']')
		d.answer(ticket, w.Text, err)
	})
}

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
		d.answers.send(d.host)
	})
}
