package main

// tokens says what a bearer token may do (L10.2). Any token is good for keep.write
// until a fault says otherwise; a token that was never seen before is again.
// Guarded by the server's mutex.
type tokens struct {
	seen       map[string]bool
	expired    map[string]bool
	unscoped   map[string]bool
	expireNext bool // no token was seen yet: the next one is expired
	revokeNext bool
}

type tokenState int

const (
	tokenGood     tokenState = iota
	tokenMissing             // 401
	tokenExpired             // 401
	tokenUnscoped            // 403
)

func newTokens() tokens {
	return tokens{seen: map[string]bool{}, expired: map[string]bool{}, unscoped: map[string]bool{}}
}

func (t *tokens) check(token string) tokenState {
	if token == "" {
		return tokenMissing
	}
	t.seen[token] = true
	if t.expireNext {
		t.expired[token], t.expireNext = true, false
	}
	if t.revokeNext {
		t.unscoped[token], t.revokeNext = true, false
	}
	switch {
	case t.expired[token]:
		return tokenExpired
	case t.unscoped[token]:
		return tokenUnscoped
	}
	return tokenGood
}

func (t *tokens) expire() {
	t.expireNext = len(t.seen) == 0
	for token := range t.seen {
		t.expired[token] = true
	}
}

func (t *tokens) revoke() {
	t.revokeNext = len(t.seen) == 0
	for token := range t.seen {
		t.unscoped[token] = true
	}
}

// grant gives the scope back, as when the user says yes in LIFF's dialog (L14.6).
func (t *tokens) grant() {
	t.unscoped, t.revokeNext = map[string]bool{}, false
}
