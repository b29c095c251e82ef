package googlechat

import (
	"time"

	"github.com/liff-keep/liff-keep/retry"
)

// Scope says who shares a quota.
type Scope string

const (
	PerSpace   Scope = "space"   // all apps that call the API in that space (G2.3)
	PerProject Scope = "project" // one Google Cloud project (G1.3)
)

// Quota is one row of the guide's tables. Both scopes hold at once (G1.3).
type Quota struct {
	Rule  string // its id in RULES.md
	Scope Scope
	Calls string // what is counted
	N     int    // at most so many …
	Per   time.Duration
}

// Quotas are all rows of the guide, also those that this client has no call for: a caller who adds one finds its number
// here. They are the defaults; a project's own may be higher or lower (G6.2).
var Quotas = [...]Quota{
	{"G2.1", PerSpace, "reads", 900, minute},
	{"G2.2", PerSpace, "writes", spaceWrites, minute},
	{"G3.1", PerProject, "message writes", projectWrites, minute},
	{"G3.2", PerProject, "message reads", 3000, minute},
	{"G3.3", PerProject, "membership writes", 300, minute},
	{"G3.4", PerProject, "membership reads", 3000, minute},
	{"G3.5", PerProject, "space writes", 60, minute},
	{"G3.6", PerProject, "space reads", 3000, minute},
	{"G3.7", PerProject, "attachment writes", 600, minute},
	{"G3.8", PerProject, "attachment reads", 3000, minute},
	{"G3.9", PerProject, "reaction writes", 600, minute},
	{"G3.10", PerProject, "reaction reads", 3000, minute},
	{"G4.1", PerProject, "space creations, direct messages exempt (G4.3)", 34, minute}, // "fewer than 35"
	{"G4.2", PerProject, "space creations, direct messages exempt (G4.3)", 799, time.Hour},
}

// Window is the quota as a limiter's ceiling.
func (q Quota) Window() retry.Window { return retry.Window{N: q.N, Per: q.Per} }

// PolicyFor returns the policy of a call that is counted under these rules: their windows, with the back-off of Service.
// A rule that is not in the guide is left out.
func PolicyFor(name string, maxBackoff time.Duration, rules ...string) retry.Policy {
	var windows []retry.Window
	for _, q := range Quotas {
		for _, rule := range rules {
			if q.Rule == rule {
				windows = append(windows, q.Window())
			}
		}
	}
	return retry.GoogleChat(name, maxBackoff, windows...)
}
