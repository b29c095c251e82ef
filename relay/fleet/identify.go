package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/relay/refuse"
)

// Identify says whose call this is, or why it is not taken. The user's token serves this one purpose: it is not stored,
// not logged and not sent to Keep.
type Identify func(r *http.Request, c Channel) (user string, no refuse.Refusal)

var (
	noToken     = refuse.Refusal{Status: 401, Code: "AUTH_REQUIRED", Message: "send Authorization: Bearer with the user's LIFF access token"}
	badToken    = refuse.Refusal{Status: 401, Code: "AUTH_REQUIRED", Message: "the access token is expired, or not LINE's"}
	otherLogin  = refuse.Refusal{Status: 401, Code: "AUTH_REQUIRED", Message: "the access token is of another LINE Login channel; see loginChannels"}
	noScope     = refuse.Refusal{Status: 403, Code: "SCOPE_REQUIRED", Message: "the token lacks the scope keep.write"}
	verifyAway  = refuse.Refusal{Status: 503, Code: "VERIFY", Message: "LINE's token check does not answer; come again after Retry-After"}
	headerEmpty = refuse.Refusal{Status: 401, Code: "AUTH_REQUIRED", Message: "the gateway in front of the relay named no user"}
)

// ParseIdentify reads "line:https://api.line.me", or "header:X-User-Id" where a gateway in front of the relay has
// checked the token and names the user. scope, if not "", must be among the token's.
func ParseIdentify(text, scope string, client *http.Client) (Identify, error) {
	kind, value, _ := strings.Cut(text, ":")
	switch {
	case kind == "header" && value != "":
		return func(r *http.Request, _ Channel) (string, refuse.Refusal) {
			if bearer(r) == "" {
				return "", noToken
			}
			user := r.Header.Get(value)
			if user == "" || len(user) > 200 || printable(user) != user {
				return "", headerEmpty
			}
			return user, refuse.Refusal{}
		}, nil
	case kind == "line":
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
			return nil, fmt.Errorf("%q is no https address", value)
		}
		l := &lineLogin{base: strings.TrimSuffix(value, "/"), scope: scope, client: client, now: time.Now, known: map[[32]byte]person{}}
		return l.identify, nil
	}
	return nil, fmt.Errorf(`%q: write line:https://api.line.me, or header:NAME`, text)
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// lineLogin asks LINE Login: GET /oauth2/v2.1/verify for the token's channel, life and scope, GET /v2/profile for the user.
// A good answer is remembered for five minutes under the token's hash, in memory. Safe for several goroutines.
type lineLogin struct {
	base   string
	scope  string
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	known map[[32]byte]person
}

type person struct {
	user, login string
	scopes      []string
	until       time.Time
}

const (
	rememberFor = 5 * time.Minute
	mostKnown   = 100_000
)

var errToken = errors.New("LINE does not know the token")

func (l *lineLogin) identify(r *http.Request, c Channel) (string, refuse.Refusal) {
	token := bearer(r)
	if token == "" {
		return "", noToken
	}
	p, err := l.lookUp(r.Context(), token)
	switch {
	case errors.Is(err, errToken):
		return "", badToken
	case err != nil:
		return "", verifyAway
	case p.login != c.ID && len(c.LoginChannels) == 0 || len(c.LoginChannels) > 0 && !slices.Contains(c.LoginChannels, p.login):
		return "", otherLogin
	case l.scope != "" && !slices.Contains(p.scopes, l.scope):
		return "", noScope
	}
	return p.user, refuse.Refusal{}
}

func (l *lineLogin) lookUp(ctx context.Context, token string) (person, error) {
	key := sha256.Sum256([]byte(token))
	now := l.now()
	l.mu.Lock()
	p, ok := l.known[key]
	l.mu.Unlock()
	if ok && now.Before(p.until) {
		return p, nil
	}
	var verify struct {
		ClientID  string `json:"client_id"`
		ExpiresIn int64  `json:"expires_in"`
		Scope     string `json:"scope"`
	}
	if err := l.get(ctx, "/oauth2/v2.1/verify?access_token="+url.QueryEscape(token), "", &verify); err != nil {
		return p, err
	}
	var profile struct {
		UserID string `json:"userId"`
	}
	if err := l.get(ctx, "/v2/profile", token, &profile); err != nil {
		return p, err
	}
	if profile.UserID == "" || verify.ExpiresIn <= 0 {
		return p, errToken
	}
	p = person{user: profile.UserID, login: verify.ClientID, scopes: strings.Fields(verify.Scope),
		until: now.Add(min(rememberFor, time.Duration(verify.ExpiresIn)*time.Second))}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) >= mostKnown {
		clear(l.known)
	}
	l.known[key] = p
	return p, nil
}

func (l *lineLogin) get(ctx context.Context, path, token string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+path, nil)
	if err != nil {
		return errors.New("make the token check")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := l.client.Do(req)
	if err != nil {
		return errors.New("LINE's token check does not answer") // the error itself would name the token
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == 400 || answer.StatusCode == 401 || answer.StatusCode == 403:
		return errToken
	case answer.StatusCode != 200:
		return fmt.Errorf("LINE's token check says %d", answer.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(into)
}
