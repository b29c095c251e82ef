package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// Engine is one row of the table below: how to start a browser on a page with
// nothing but its binary, an address and a profile directory.
// Value; copy freely.
type Engine struct {
	Name string
	// Binaries are tried in order; names are looked up in PATH, patterns with a
	// slash are globs.
	Binaries []string
	// Package is the Debian package that brings the binary.
	Package string
	// Args of the process for a profile directory and an address.
	Args func(profile, address string) []string
	// Env is added to the environment of the process.
	Env func(profile string) []string
	// Files are written into the profile before the first start.
	Files map[string]string
	// Display says that the engine has no headless mode and wants an X server.
	Display bool
}

// engines are the three real engines. None is driven through a driver: the page
// asks its test server for commands, so that a killed browser needs no recovery
// and its profile survives.
var engines = map[string]Engine{
	"chromium": {
		Name:     "chromium",
		Binaries: []string{"chromium", "chromium-browser", "google-chrome"},
		Package:  "chromium",
		Args: func(profile, address string) []string {
			return []string{
				"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
				"--user-data-dir=" + profile, "--no-first-run", "--no-default-browser-check",
				"--password-store=basic", "--disable-background-networking", "--disable-component-update",
				"--disable-sync", "--hide-crash-restore-bubble", "--disable-breakpad",
				"--disable-popup-blocking", address,
			}
		},
	},
	"firefox": {
		Name:     "firefox",
		Binaries: []string{"firefox-esr", "firefox"},
		Package:  "firefox-esr",
		Args: func(profile, address string) []string {
			return []string{"--headless", "--no-remote", "--profile", profile, address}
		},
		Env: func(profile string) []string {
			return []string{"MOZ_CRASHREPORTER_DISABLE=1", "HOME=" + profile}
		},
		Files: map[string]string{"user.js": strings.Join([]string{
			`user_pref("toolkit.startup.max_resumed_crashes", -1);`,
			`user_pref("browser.sessionstore.resume_from_crash", false);`,
			`user_pref("browser.aboutwelcome.enabled", false);`,
			`user_pref("browser.startup.homepage_override.mstone", "ignore");`,
			`user_pref("datareporting.policy.dataSubmissionEnabled", false);`,
			// else it loads a page that was visited before a second time, for its thumbnail, in a partition of its own: the
			// test server's commands would go there
			`user_pref("browser.pagethumbnails.capturing_disabled", true);`,
			"",
		}, "\n")},
	},
	"webkit": {
		Name:     "webkit",
		Binaries: []string{"/usr/lib/*/webkit2gtk-4.1/MiniBrowser"},
		Package:  "webkit2gtk-driver",
		Args: func(_, address string) []string {
			return []string{address}
		},
		Env: func(profile string) []string {
			return []string{
				"GDK_BACKEND=x11", "HOME=" + profile, "XDG_DATA_HOME=" + profile + "/data",
				"XDG_CACHE_HOME=" + profile + "/cache", "XDG_CONFIG_HOME=" + profile + "/config",
				"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1", "WEBKIT_DISABLE_COMPOSITING_MODE=1",
				"LIBGL_ALWAYS_SOFTWARE=1", "NO_AT_BRIDGE=1", "DBUS_SESSION_BUS_ADDRESS=disabled:",
				"GSETTINGS_BACKEND=memory",
			}
		},
		Display: true,
	},
}

// Engines returns the names of the engines, sorted.
func Engines() []string {
	names := make([]string, 0, len(engines))
	for name := range engines {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Lookup returns the engine of that name; the error lists the names there are.
func Lookup(name string) (Engine, error) {
	engine, ok := engines[name]
	if !ok {
		return Engine{}, fmt.Errorf("unknown engine %q: there are %s", name, strings.Join(Engines(), ", "))
	}
	return engine, nil
}

// Find returns the path of the engine's binary; the error names the package to install.
func (e Engine) Find() (string, error) {
	for _, binary := range e.Binaries {
		if !strings.Contains(binary, "/") {
			if path, err := exec.LookPath(binary); err == nil {
				return path, nil
			}
			continue
		}
		matches, err := filepath.Glob(binary)
		if err == nil && len(matches) > 0 {
			return matches[0], nil
		}
	}
	return "", fmt.Errorf("%s is not installed: apt-get install -y --no-install-recommends %s", e.Name, e.Package)
}

// prepare writes the engine's own files into a profile that has none yet.
func (e Engine) prepare(profile string) error {
	if err := os.MkdirAll(profile, 0o700); err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	for name, text := range e.Files {
		if err := os.WriteFile(filepath.Join(profile, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
	}
	return nil
}
