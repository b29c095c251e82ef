package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// Channel is one LINE channel that the relay sends for, a row of the -channels file:
//
//	{"channels":[{"channelId":"1650000001","baseURL":"https://api.line-beta.jp","tokenFile":"/run/secrets/keep",
//	              "mix":true,"drain":"always","loginChannels":["1650000002"]}]}
type Channel struct {
	ID      string `json:"channelId"`
	BaseURL string `json:"baseURL"` // of Keep, without a slash at the end
	// The server tier's credentials: a file, or the name of an environment variable. They are read anew for each call,
	// so that a rotated token needs no restart.
	TokenFile string `json:"tokenFile"`
	TokenEnv  string `json:"tokenEnv"`
	// Mix puts notes of several users into one call, up to 500; else each call is of one user.
	Mix bool `json:"mix"`
	// Drain is "always", or "offpeak": sent from 00:00 to 04:00 JST only (L5.3, L12.2).
	Drain string `json:"drain"`
	// LoginChannels are the LINE Login channels whose access tokens are taken; empty: this channel's own.
	LoginChannels []string `json:"loginChannels"`
	// Lighthouse has the Mini-App bucket of this channel probed once a minute.
	Lighthouse bool `json:"lighthouse"`
}

// token returns the server tier's token as it is now.
func (c Channel) token() (string, error) {
	if c.TokenEnv != "" {
		if t := os.Getenv(c.TokenEnv); t != "" {
			return t, nil
		}
		return "", fmt.Errorf("channel %s: the environment has no %s", c.ID, c.TokenEnv)
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("channel %s: read the token: %w", c.ID, err)
	}
	t := strings.TrimSpace(string(text))
	if t == "" {
		return "", fmt.Errorf("channel %s: %s is empty", c.ID, c.TokenFile)
	}
	return t, nil
}

// ReadChannels reads and checks the -channels file.
func ReadChannels(file string) ([]Channel, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list struct{ Channels []Channel }
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(list.Channels) == 0 {
		return nil, fmt.Errorf("%s names no channel", file)
	}
	seen := map[string]bool{}
	for i := range list.Channels {
		c := &list.Channels[i]
		if c.Drain == "" {
			c.Drain = always
		}
		c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s: channel %q: %w", file, c.ID, err)
		}
		if seen[c.ID] {
			return nil, fmt.Errorf("%s: channel %q stands there twice", file, c.ID)
		}
		seen[c.ID] = true
	}
	return list.Channels, nil
}

const (
	always  = "always"
	offPeak = "offpeak"
)

// A channel id is a token of a queue's subject and of a file's name.
var channelID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c Channel) check() error {
	u, err := url.Parse(c.BaseURL)
	switch {
	case !channelID.MatchString(c.ID):
		return errors.New("channelId has 1 to 64 letters, digits, - and _")
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("baseURL is no address")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return errors.New("baseURL is not https: the token would travel in the clear")
	case (c.TokenFile == "") == (c.TokenEnv == ""):
		return errors.New("give one of tokenFile and tokenEnv")
	case c.Drain != always && c.Drain != offPeak:
		return errors.New(`drain is "always" or "offpeak"`)
	}
	_, err = c.token()
	return err
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback() || host == "localhost"
}
