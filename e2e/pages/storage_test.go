package pages

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// cannotTell are the codes of a refusal by engine: WebKit may drop the connection of a full disk, which cannot be told from
// one that is broken.
var cannotTell = map[string][]string{
	"chromium": {"STORAGE_FULL"},
	"firefox":  {"STORAGE_FULL"},
	"webkit":   {"STORAGE_FULL", "STORAGE_UNAVAILABLE"},
}

// Storage that is full: append refuses with a code, what it took before is delivered, and the page's own storage is as it was.
// How it is made full is each engine's own: Chromium's quota by its developer tools, Firefox's by a preference, and for
// WebKit, which has neither, a small file system.
func TestStorageFull(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			switch engine {
			case "firefox": // KiB for the whole profile; a site's share is a part of it, 10 MiB at least
				prefs := map[string]string{"user.js": r.engine.Files["user.js"] +
					"user_pref(\"dom.quotaManager.temporaryStorage.fixedLimit\", 20480);\n"}
				r.engine.Files = prefs
			case "webkit":
				smallDisk(t, r.profile, "24m")
			}
			page := r.page("full", nil, "").show()
			if engine == "chromium" { // before anything is written: it remembers for half a minute how much room there is
				page.quota(map[string]any{"quotaSize": 6_000_000})
			}
			page.open(map[string]any{"flushEvery": 3_600_000, "flushAt": 1_000_000})
			page.do("putOwn", map[string]any{"value": "the page's own"}, nil)
			got := page.append(map[string]any{"id": "big", "times": 600, "bytes": 50_000})
			t.Logf("%s: %d events of 50 kB taken, then %s: %s", engine, got.Taken, got.Code, got.Message)
			require.Less(t, got.Taken, 600, "it was never full")
			require.Greater(t, got.Taken, 10)
			require.Contains(t, cannotTell[engine], got.Code, got.Message)

			var own struct{ Local, Indexed string }
			page.do("getOwn", nil, &own)
			require.Equal(t, "the page's own", own.Local)
			require.Equal(t, "the page's own", own.Indexed)
			var accepted []string
			for i := range got.Taken {
				accepted = append(accepted, fmt.Sprint("big-", i))
			}
			for i := range 6 { // a refusal is no state: the next one is asked again, and is taken or refused by its own right
				again := page.append(map[string]any{"id": fmt.Sprint("more-", i), "bytes": 50_000})
				t.Logf("%s, asked again: %+v", engine, again)
				if again.Taken == 1 {
					accepted = append(accepted, fmt.Sprint("more-", i))
					continue
				}
				require.Contains(t, cannotTell[engine], again.Code, again.Message)
			}

			err := page.try("flush", nil, nil)
			s := page.status()
			t.Logf("%s, still full: flush says %v, %d delivered, %d left", engine, err, s.Delivered, s.Pending)
			if err != nil {
				require.Contains(t, []string{"STORAGE_FULL", "STORAGE_UNAVAILABLE"}, refusal(t, err).Code)
			}
			switch engine { // room again
			case "chromium":
				page.quota(nil)
			case "webkit": // it lost its connections meanwhile; what was accepted has to be on disk
				require.NoError(t, syscall.Mount("tmpfs", r.profile, "tmpfs", syscall.MS_REMOUNT, "size=96m"))
				r.kill()
				page.show().open(nil)
			}
			page.flushed()
			stored := r.stored()
			for _, id := range accepted {
				require.Equal(t, 1, stored[id], "accepted: %s", id)
				delete(stored, id)
			}
			require.Empty(t, stored, "refused, and sent all the same")
			require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": "room again", "bytes": 50_000}))
			page.flushed()
			r.keptLimits()
			r.calm()
		})
	}
}

// quota sets Chromium's quota for the page's origin; nil takes the setting back.
func (p *tab) quota(size map[string]any) {
	p.rig.t.Helper()
	if p.session == "" { // the setting lives as long as its session
		var err error
		p.session, err = p.rig.tools.Attach(p.rig.ctx, p.target)
		require.NoError(p.rig.t, err)
	}
	params := map[string]any{"origin": p.rig.gateway.url}
	for name, value := range size {
		params[name] = value
	}
	require.NoError(p.rig.t, p.rig.tools.Call(p.rig.ctx, p.session, "Storage.overrideQuotaForOrigin", params, nil))
}

// smallDisk makes directory a file system of that size for the time of the test; it skips where that is not allowed.
func smallDisk(t *testing.T, directory, size string) {
	if os.Geteuid() != 0 {
		t.Skip("a small file system needs root")
	}
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(directory, syscall.MNT_DETACH) })
}
