package consumers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

const channel = "1650000001"

// line plays the LINE Platform as far as @line/liff 2.31 calls it: log-in by OAuth with PKCE, access and ID tokens, the context
// of a LIFF app, and the dialog that asks for a further scope. The endpoints are those of @liff/server-api.
type line struct {
	server *httptest.Server
	key    *ecdsa.PrivateKey

	mu      sync.Mutex
	apps    map[string]*liffApp
	logins  map[string]login // by code
	tokens  map[string]*liffApp
	unknown []string // calls that nobody answers
}

// liffApp is a LIFF app of the channel with the one person who uses it.
type liffApp struct {
	id, endpoint, user string
	// lifetime of its access tokens in seconds.
	lifetime int
	// token is the last one that was given.
	token string
	given int
	// granted is called when the person says yes to a further scope, before the new token is given.
	granted func()
}

type login struct {
	app       *liffApp
	challenge string
	back      string
}

func newLine() *line {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	l := &line{key: key, apps: map[string]*liffApp{}, logins: map[string]login{}, tokens: map[string]*liffApp{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET access.line.me/liff/v1/authorize", l.authorize)
	mux.HandleFunc("POST api.line.me/oauth2/v2.1/token", l.exchange)
	mux.HandleFunc("GET api.line.me/oauth2/v2.1/verify", l.verify)
	mux.HandleFunc("GET api.line.me/oauth2/v2.1/certs", l.certs)
	mux.HandleFunc("GET api.line.me/liff/v2/apps/{id}/contextToken", l.context)
	mux.HandleFunc("GET liff.line.me/liff/v2/incrementalAgreement/unauthorizedPermissions", func(w http.ResponseWriter, _ *http.Request) {
		say(w, []string{"keep.write"})
	})
	mux.HandleFunc("POST api.line.me/liff/v2/sub/msit", l.dialog)
	mux.HandleFunc("POST liff.line.me/liff/v2/sub/waitResult", l.answered)
	mux.HandleFunc("GET static.line-scdn.net/liff/edge/2/{file}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, "window.liffClientExtension = { install() {} }") // client features of old LINE apps: none
	})
	mux.HandleFunc("GET liffsdk.line-scdn.net/xlt/manifest.json", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{"languages": map[string]string{"en": "en.json"}})
	})
	mux.HandleFunc("GET liffsdk.line-scdn.net/xlt/en.json", func(w http.ResponseWriter, _ *http.Request) { say(w, map[string]string{}) })
	mux.HandleFunc("/", func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.Host, "line.me") || strings.HasSuffix(q.Host, "line-scdn.net") { // the rest is the browser's own
			l.mu.Lock()
			l.unknown = append(l.unknown, q.Method+" "+q.Host+q.URL.Path)
			l.mu.Unlock()
		}
		http.NotFound(w, q)
	})
	l.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "authorization, content-type, accept")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		if q.Method == http.MethodOptions {
			return
		}
		mux.ServeHTTP(w, q)
	}))
	l.server.Config.ErrorLog = log.New(io.Discard, "", 0) // the browser itself calls home in plain HTTP
	l.server.StartTLS()
	return l
}

func (l *line) address() string { return strings.TrimPrefix(l.server.URL, "https://") }

// app registers a LIFF app whose pages begin at endpoint.
func (l *line) app(name, endpoint string) *liffApp {
	l.mu.Lock()
	defer l.mu.Unlock()
	app := &liffApp{id: channel + "-" + name, user: "U" + name, lifetime: 3600}
	app.endpoint = strings.ReplaceAll(endpoint, "LIFF_ID", app.id)
	l.apps[app.id] = app
	return app
}

// newToken gives an access token; the ones before stay known.
func (l *line) newToken(app *liffApp) string {
	app.given++
	app.token = fmt.Sprintf("tok-%s-%d", app.id, app.given)
	l.tokens[app.token] = app
	return app.token
}

// entry is the address at which the LINE app opens a LIFF app: its endpoint with the credentials in the fragment.
func (l *line) entry(app *liffApp, more string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	fragment := url.Values{
		"access_token": {l.newToken(app)}, "id_token": {l.idToken(app)}, "client_id": {channel}, "feature_token": {"feature-" + app.id},
		"context_token": {contextToken(app, "utou")}, "mst_challenge": {"challenge-" + app.id},
	}
	return app.endpoint + more + "#" + fragment.Encode()
}

func (l *line) authorize(w http.ResponseWriter, q *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ask := q.URL.Query()
	app := l.apps[ask.Get("app_id")]
	if app == nil || ask.Get("code_challenge_method") != "S256" {
		http.Error(w, "no such app, or no PKCE", http.StatusBadRequest)
		return
	}
	back := app.endpoint
	if to := ask.Get("redirect_uri"); to != "" {
		back = to
	}
	code := fmt.Sprintf("code%d", len(l.logins)+1)
	l.logins[code] = login{app: app, challenge: ask.Get("code_challenge"), back: back}
	to, err := url.Parse(back)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	query := to.Query()
	for name, value := range map[string]string{"code": code, "state": ask.Get("state"), "liffClientId": channel, "liffRedirectUri": back} {
		query.Set(name, value)
	}
	to.RawQuery = query.Encode()
	http.Redirect(w, q, to.String(), http.StatusFound)
}

// exchange gives tokens for a code, once, to the page that began the log-in.
func (l *line) exchange(w http.ResponseWriter, q *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begun, known := l.logins[q.FormValue("code")]
	sum := sha256.Sum256([]byte(q.FormValue("code_verifier")))
	if !known || begun.challenge != base64url(sum[:]) || q.FormValue("redirect_uri") != begun.back || q.FormValue("client_id") != channel {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	delete(l.logins, q.FormValue("code"))
	say(w, map[string]any{
		"access_token": l.newToken(begun.app), "id_token": l.idToken(begun.app), "expires_in": begun.app.lifetime,
		"token_type": "Bearer", "scope": "openid profile", "refresh_token": "refresh",
	})
}

func (l *line) verify(w http.ResponseWriter, q *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	app := l.tokens[q.URL.Query().Get("access_token")]
	if app == nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	say(w, map[string]any{"scope": "openid profile", "client_id": channel, "expires_in": app.lifetime})
}

func (l *line) context(w http.ResponseWriter, q *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	app := l.apps[q.PathValue("id")]
	if app == nil {
		refuse(w, http.StatusNotFound, "no such app")
		return
	}
	say(w, map[string]any{"contextToken": contextToken(app, "external")})
}

// contextToken is the context of api.line.me: outside the LINE app it does not say who the user is.
func contextToken(app *liffApp, kind string) string {
	fields := map[string]any{
		"type": kind, "liffId": app.id, "endpointUrl": app.endpoint, "permanentLinkPattern": "concat", "viewType": "full",
		"scope": []string{"openid", "profile", "keep.write"},
		"availability": map[string]any{
			"skipChannelVerificationScreen": map[string]any{"permission": true, "minVer": "11.14.0"},
			"subwindowOpen":                 map[string]any{"permission": true, "minVer": "11.7.0"},
			"multipleLiffTransition":        map[string]any{"permission": true, "minVer": "10.18.0"},
		},
	}
	if kind != "external" {
		fields["userId"] = app.user
	}
	return base64url([]byte(`{"alg":"HS256"}`)) + "." + encode(fields) + ".unchecked"
}

// idToken is signed: the SDK verifies it with the keys of certs.
func (l *line) idToken(app *liffApp) string {
	text := base64url([]byte(`{"typ":"JWT","alg":"ES256","kid":"key-1"}`)) + "." + encode(map[string]any{
		"iss": "https://access.line.me", "sub": app.user, "aud": channel, "name": "客",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, l.key, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64url(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func (l *line) certs(w http.ResponseWriter, _ *http.Request) {
	point, err := l.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	say(w, map[string]any{"keys": []any{map[string]any{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "key-1", "x": base64url(point[1:33]), "y": base64url(point[33:]),
	}}})
}

// dialog begins the sub-window in which the person is asked for a further scope.
func (l *line) dialog(w http.ResponseWriter, q *http.Request) {
	var ask struct{ MainLiffID string }
	if err := json.NewDecoder(q.Body).Decode(&ask); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	say(w, map[string]any{"msit": ask.MainLiffID})
}

// answered says what the person chose: yes. LINE gives a new token then, and the one before is worth nothing.
func (l *line) answered(w http.ResponseWriter, q *http.Request) {
	var ask struct{ Msit string }
	if err := json.NewDecoder(q.Body).Decode(&ask); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	app := l.apps[ask.Msit]
	if app == nil {
		refuse(w, http.StatusBadRequest, "no such dialog")
		return
	}
	if app.granted != nil {
		app.granted()
	}
	delete(l.tokens, app.token)
	say(w, map[string]any{"status": "submit", "result": map[string]any{"newAccessToken": l.newToken(app)}})
}

// strange are the calls of the SDK, since it was last asked, that this LINE does not know.
func (l *line) strange() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	strange := l.unknown
	l.unknown = nil
	return strange
}

func encode(fields map[string]any) string {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return base64url(text)
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func say(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the page may be gone
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": reason})
}
