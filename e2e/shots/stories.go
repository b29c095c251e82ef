package main

import (
	"fmt"
	"time"
)

// story is what happens before and between the pictures.
type story struct {
	name   string
	clock  string // where the sandbox's clock begins
	lang   string
	screen screen // to begin with
	theme  string
	play   func(*set) error
}

// stories are all that is shown; the names of the pictures begin with the story's.
var stories = []story{
	{"chat", "2026-11-24T20:10:00+09:00", "ja", phone, "light", chat},
	{"status", "2026-11-24T20:10:00+09:00", "ja", desktop, "light", calm},
	{"storm", "2026-11-24T20:10:00+09:00", "ja", phone, "dark", storm},
	{"dead", "2026-11-24T20:10:00+09:00", "en", phone, "light", dead},
	{"thai", "2026-11-24T20:10:00+09:00", "th", phone, "light", calmPhone},
}

// lines are conversations that the page can archive beside the chat.
func (one story) lines() [][]byte {
	lines := make([][]byte, 200)
	for i := range lines {
		lines[i] = fmt.Appendf(nil, `{"conversationId":"desk-%03d","messages":[{"from":"customer","text":"予約番号 %d の変更をお願いします。"},{"from":"operator","text":"承りました。"}]}`, i, 40210+i)
	}
	return lines
}

// talk has the person choose the first suggestion n times, and waits for the desk's answer each time.
func talk(s *set, n int) error {
	for range n {
		if err := s.click("#suggestions button"); err != nil {
			return err
		}
		if err := s.shows("#messages .operator:last-child:not(.typing)", ":"); err != nil { // each has a time
			return err
		}
	}
	return nil
}

// archive appends count conversations from the given one on.
func archive(s *set, from, count int) error {
	return s.do("archive", map[string]any{"ranges": [][]int{{from, count}}, "wave": 50})
}

// busy lets ten minutes pass in which n batches go while others use the channel too.
func busy(s *set, n int) error {
	if err := s.sandbox.Faults(s.ctx, []map[string]any{{"kind": "load", "percent": 55, "seconds": 3600}}); err != nil {
		return err
	}
	for i := range n {
		if err := archive(s, i*3, 1+i%3); err != nil {
			return err
		}
		if err := s.later(time.Second); err != nil { // the debounce
			return err
		}
		if err := s.do("flush", nil); err != nil {
			return err
		}
		if err := s.until("an empty outbox", func(now status) bool { return now.Pending == 0 }); err != nil {
			return err
		}
		if err := s.later([]time.Duration{17, 29, 23, 41, 19}[i%5] * time.Second); err != nil {
			return err
		}
	}
	return s.do("flush", nil) // it looks at the clock
}

func chat(s *set) error {
	if err := talk(s, 3); err != nil {
		return err
	}
	if err := s.shoot("chat-phone-light"); err != nil {
		return err
	}
	if err := s.look(phone, "dark"); err != nil {
		return err
	}
	if err := s.click("#end"); err != nil {
		return err
	}
	if err := s.shows("#receipt", "noteId"); err != nil {
		return err
	}
	return s.shoot("receipt-phone-dark")
}

func calm(s *set) error {
	if err := busy(s, 24); err != nil {
		return err
	}
	if err := talk(s, 4); err != nil {
		return err
	}
	if err := s.click("#end"); err != nil {
		return err
	}
	if err := s.shows("#receipt", "noteId"); err != nil {
		return err
	}
	if err := talk(s, 2); err != nil {
		return err
	}
	if err := s.shoot("status-desktop-light"); err != nil {
		return err
	}
	if err := s.look(desktop, "dark"); err != nil {
		return err
	}
	return s.shoot("status-desktop-dark")
}

func calmPhone(s *set) error {
	if err := busy(s, 24); err != nil {
		return err
	}
	if err := s.click("#show-status"); err != nil {
		return err
	}
	return s.shoot("status-phone-th")
}

// storm: others use up the quota; three 429s, and the breaker opens until the night.
func storm(s *set) error {
	if err := busy(s, 16); err != nil {
		return err
	}
	if err := s.click("#storm"); err != nil {
		return err
	}
	if err := talk(s, 3); err != nil {
		return err
	}
	if err := s.click("#end"); err != nil {
		return err
	}
	if err := s.shows("#receipt", "noteId"); err != nil {
		return err
	}
	if err := archive(s, 100, 6); err != nil {
		return err
	}
	for range 40 {
		if err := s.later(5 * time.Second); err != nil {
			return err
		}
		if err := s.do("flush", nil); err != nil {
			return err
		}
		var now status
		if err := s.control.Do(s.ctx, "status", nil, &now); err != nil {
			return err
		}
		if now.Breaker.State == "open" {
			break
		}
	}
	if err := s.until("the breaker", func(now status) bool { return now.Breaker.State == "open" }); err != nil {
		return err
	}
	if err := s.later(75 * time.Second); err != nil {
		return err
	}
	if err := s.do("flush", nil); err != nil {
		return err
	}
	if err := s.click("#show-status"); err != nil {
		return err
	}
	if err := s.shoot("storm-phone-dark"); err != nil {
		return err
	}
	if err := s.look(desktop, "light"); err != nil {
		return err
	}
	return s.shoot("storm-desktop-light")
}

// dead: the service finds one conversation too large.
func dead(s *set) error {
	if err := busy(s, 10); err != nil {
		return err
	}
	if err := s.click("#refuse"); err != nil {
		return err
	}
	if err := talk(s, 2); err != nil {
		return err
	}
	if err := s.click("#end"); err != nil {
		return err
	}
	if err := s.shows("#receipt", "noteId"); err != nil {
		return err
	}
	if err := s.later(time.Second); err != nil {
		return err
	}
	if err := s.do("flush", nil); err != nil {
		return err
	}
	if err := s.until("a dead letter", func(now status) bool { return now.Dead == 1 }); err != nil {
		return err
	}
	if err := s.click("#show-status"); err != nil {
		return err
	}
	return s.shoot("dead-phone-light")
}
