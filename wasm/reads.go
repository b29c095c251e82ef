//go:build js && wasm

package main

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

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
