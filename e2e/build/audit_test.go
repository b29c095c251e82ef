package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// said is what a program prints and how it ends.
type said struct {
	stdout, stderr string
	code           int
}

// What govulncheck 1.9 and npm 11 print: clean, with a finding (against a small database of ours), and where the database is
// out of reach.
var (
	goClean   = said{stdout: "No vulnerabilities found.\n"}
	goFinding = said{code: 3, stdout: `=== Symbol Results ===

Vulnerability #1: GO-2099-0001
    Made-up finding in strconv
  More info: https://pkg.go.dev/vuln/GO-2099-0001
  Standard library
    Found in: strconv@go1.26.8
    Fixed in: strconv@go1.99
    Example traces found:
      #1: outbox/append.go:78:66: outbox.Core.check calls strconv.FormatInt

Your code is affected by 1 vulnerability from the Go standard library.
`}
	goOutOfReach = said{code: 1, stderr: "govulncheck: fetching vulnerabilities: Get \"https://vuln.go.dev/index/modules.json.gz\": " +
		"dial tcp: lookup vuln.go.dev on 127.0.0.53:53: no such host\n"}
	goBroken = said{code: 1, stderr: "govulncheck: loading packages: \nThere are errors with the provided package patterns:\n"}

	npmClean   = said{stdout: "found 0 vulnerabilities\n"}
	npmFinding = said{code: 1, stdout: `# npm audit report

lodash  4.17.0
Severity: high
Prototype Pollution in lodash, seen as ETIMEDOUT - https://github.com/advisories/GHSA-made-up
fix available via ` + "`npm audit fix --force`" + `
node_modules/lodash

1 high severity vulnerability
`}
	npmOutOfReach = said{code: 1, stdout: "undefined\n", stderr: "npm warn audit request to https://registry.npmjs.org/-/npm/v1/security/advisories/bulk" +
		" failed, reason: connect ECONNREFUSED 127.0.0.1:443\nnpm error audit endpoint returned an error\n"}
	npmNotServed = said{code: 1, stdout: "\n", stderr: "npm warn audit 405 Method Not Allowed - POST https://registry.npmjs.org/-/npm/v1/security/advisories/bulk\n" +
		"npm error audit endpoint returned an error\n"}
	npmBroken = said{code: 1, stderr: "npm error code EUSAGE\nnpm error Cannot read properties of the lock file\n"}
)

const (
	goNotChecked  = "Go: NOT CHECKED: everything, native: the database (vuln.go.dev) cannot be reached from here"
	npmNotChecked = "npm: NOT CHECKED: ./web/package-lock.json: the registry's database cannot be reached from here"
	failed        = "build.sh: known vulnerabilities were found, or a check failed"
)

// A finding fails, so does a check that broke; a database out of reach is said and fails nothing.
func TestAuditFailsOnFindingsAndOnlyOnThem(t *testing.T) {
	for _, row := range []struct {
		name    string
		vuln    said
		npm     *said // nil: there is no package-lock.json
		code    int
		says    []string
		notSays []string
	}{
		{"clean", goClean, &npmClean, 0, []string{
			"Go: checked, no known vulnerability is called: the module for the page (js/wasm)",
			"Go: checked, no known vulnerability is called: everything, native",
			"npm: checked, no known vulnerability: ./web/package-lock.json"}, []string{"NOT CHECKED", failed}},
		{"no dependency", goClean, nil, 0, []string{"npm: nothing to check: there is no package-lock.json"}, []string{failed}},
		{"a finding in Go", goFinding, &npmClean, 1, []string{"Vulnerability #1: GO-2099-0001", "npm: checked", failed}, []string{"NOT CHECKED", "Go: checked"}},
		{"a finding in npm", goClean, &npmFinding, 1, []string{"Severity: high", "Go: checked", failed}, []string{"NOT CHECKED", "npm: checked"}},
		{"out of reach", goOutOfReach, &npmOutOfReach, 0, []string{goNotChecked, npmNotChecked}, []string{": checked", failed}},
		{"a registry without advisories", goClean, &npmNotServed, 0, []string{npmNotChecked}, []string{"npm: checked", failed}},
		{"a finding beside a database out of reach", goOutOfReach, &npmFinding, 1, []string{goNotChecked, "Severity: high", failed}, []string{npmNotChecked}},
		{"govulncheck broke", goBroken, &npmClean, 1, []string{"govulncheck: loading packages", failed}, []string{"NOT CHECKED"}},
		{"npm broke", goClean, &npmBroken, 1, []string{"EUSAGE", failed}, []string{"NOT CHECKED"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir, bin := t.TempDir(), t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "build.sh"), []byte(read(t, "build.sh")), 0o600))
			program(t, filepath.Join(bin, "govulncheck"), row.vuln)
			// go, as far as audit calls it
			script(t, filepath.Join(bin, "go"), `case "$1" in env) echo go1.26.0 ;; install) cp "`+bin+`/govulncheck" "$GOBIN/" ;; *) exit 9 ;; esac`)
			if row.npm != nil {
				require.NoError(t, os.Mkdir(filepath.Join(dir, "web"), 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "web", "package-lock.json"), []byte("{}"), 0o600))
				program(t, filepath.Join(bin, "npm"), *row.npm)
			}
			t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, code := sh(t, dir, "audit")
			require.Equal(t, row.code, code, out)
			for _, text := range row.says {
				require.Contains(t, out, text)
			}
			for _, text := range row.notSays {
				require.NotContains(t, out, text)
			}
		})
	}
}

// Where govulncheck cannot be installed that is said, and the rest is checked.
func TestAuditSaysThatGovulncheckCannotBeInstalled(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "build.sh"), []byte(read(t, "build.sh")), 0o600))
	script(t, filepath.Join(bin, "go"), `case "$1" in env) echo go1.26.0 ;; *) echo 'go: no proxy' >&2; exit 1 ;; esac`)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, code := sh(t, dir, "audit")
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "Go: NOT CHECKED: govulncheck cannot be installed from here")
	require.Contains(t, out, "npm: nothing to check")
}

func program(t *testing.T, file string, s said) {
	for name, text := range map[string]string{".out": s.stdout, ".err": s.stderr} {
		require.NoError(t, os.WriteFile(file+name, []byte(text), 0o600))
	}
	script(t, file, fmt.Sprintf("cat '%s.out'; cat '%s.err' >&2; exit %d", file, file, s.code))
}

func script(t *testing.T, file, body string) {
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte("#!"+sh+"\n"+body+"\n"), 0o700))
}
