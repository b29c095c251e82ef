//go:build !js

package liffkeep_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	rowStart = regexp.MustCompile("^\\|\\s*`?([LEGC][0-9]+(?:\\.[0-9]+)?)`?\\s*\\|")
	// An id in prose, a comment or a string. Not after % or #: "%C3%A9" and "#C10" are no rules.
	spelled = regexp.MustCompile(`(?:^|[^A-Za-z0-9_%#])([LEGC][0-9]+(?:\.[0-9]+)?)\b`)
	// An id in an identifier: TestL5_2_BreakerOpens, TestC3_TopLevel.
	named   = regexp.MustCompile(`(?:\b|_|Test|Fuzz|Benchmark|Example)([LEG][0-9]+_[0-9]+|C[0-9]+)`)
	hexTail = regexp.MustCompile(`^[A-Za-z]`)
	// The shapes that can only be meant as an id; "E2" or "G4" alone may be anything.
	meant    = regexp.MustCompile(`^([LEG][0-9]+\.[0-9]+|C[0-9]{1,2})$`)
	testFunc = regexp.MustCompile(`(?m)^func Test.*$`)
)

// rule is one row of RULES.md: its id and the paths of its "kept in" cell.
type rule struct {
	id     string
	keptIn []string
}

// usage holds, for each id, the files that name it, relative to the root and sorted.
type usage struct{ code, test map[string][]string }

// parseRules returns the rows of a RULES.md text in order. An id listed twice or a row without four filled cells is an error.
func parseRules(text string) ([]rule, error) {
	var rules []rule
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		m := rowStart.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) == "" }) {
			return nil, fmt.Errorf("parse rules: the row of %s does not have four filled cells", m[1])
		}
		if seen[m[1]] {
			return nil, fmt.Errorf("parse rules: %s is listed twice", m[1])
		}
		seen[m[1]] = true
		rules = append(rules, rule{m[1], strings.Split(strings.Trim(cells[2], " `"), "`, `")})
	}
	return rules, nil
}

// kind says how a file counts: "code", "test", or "" for not at all. p is relative to the root, with slashes.
func kind(p string) string {
	ext := path.Ext(p)
	source := slices.Contains([]string{".go", ".js", ".ts", ".mjs", ".sh"}, ext)
	switch {
	case strings.HasPrefix(p, "e2e/"), strings.HasPrefix(p, "web/test/"), strings.HasSuffix(p, "_test.go"), source && strings.HasSuffix(p, ".test"+ext):
		return "test"
	case source && path.Base(p) != "wasm_exec.js":
		return "code"
	}
	return ""
}

// skipped says whether a directory holds nothing of ours: dependencies, builds, and hidden ones but CI.
func skipped(p string) bool {
	base := path.Base(p)
	return base == "node_modules" || p == "web/dist" || (strings.HasPrefix(base, ".") && p != "." && p != ".ci")
}

// walk calls see for each file of root that counts, with its path relative to root.
func walk(root string, see func(p, text string)) error {
	return fs.WalkDir(os.DirFS(root), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(p):
			return fs.SkipDir
		case !d.Type().IsRegular() || kind(p) == "":
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p)))
		if err == nil {
			see(p, string(text))
		}
		return err
	})
}

// idsIn returns the ids that text names, each once; identifiers count only in tests, as code names its rule in a comment.
func idsIn(text string, isTest bool) []string {
	var ids []string
	for _, m := range spelled.FindAllStringSubmatch(text, -1) {
		ids = append(ids, m[1])
	}
	if isTest {
		for _, m := range named.FindAllStringSubmatchIndex(text, -1) {
			id, rest := text[m[2]:m[3]], text[m[3]:]
			if id[0] != 'C' || !hexTail.MatchString(rest) { // "C0FFEE" is no rule
				ids = append(ids, strings.Replace(id, "_", ".", 1))
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// scan reads the tree under root. Of this file only the test names count: its tables are full of invented ids.
func scan(root string) (usage, error) {
	u := usage{map[string][]string{}, map[string][]string{}}
	err := walk(root, func(p, text string) {
		into := u.code
		if kind(p) == "test" {
			into = u.test
		}
		if p == "rules_test.go" {
			text = strings.Join(testFunc.FindAllString(text, -1), "\n")
		}
		for _, id := range idsIn(text, kind(p) == "test") {
			into[id] = append(into[id], p)
		}
	})
	return u, err
}

// faults returns what r lacks in u, as sentences that say which file to add; empty when code and test both name it.
func (u usage) faults(r rule) []string {
	var out []string
	if len(u.code[r.id]) == 0 {
		out = append(out, fmt.Sprintf("rule %s stands in no code: name it at the number it rules, in %s", r.id, strings.Join(r.keptIn, " or ")))
	}
	if len(u.test[r.id]) == 0 {
		var files []string
		for _, p := range r.keptIn {
			files = append(files, testFor(p))
		}
		out = append(out, fmt.Sprintf("rule %s has no test that names it: add Test%s_… to %s, or name it in a file under e2e/",
			r.id, strings.Replace(r.id, ".", "_", 1), strings.Join(files, " or ")))
	}
	return out
}

// testFor returns the test file that goes with p, or a pattern when p is a directory or no source.
func testFor(p string) string {
	ext := path.Ext(p)
	switch {
	case ext == ".go":
		return strings.TrimSuffix(p, ext) + "_test.go"
	case ext == ".js":
		return "web/test/" + strings.TrimSuffix(path.Base(p), ext) + ".test.mjs"
	case strings.HasPrefix(p, "web/"):
		return "web/test/*.test.mjs"
	case strings.HasSuffix(p, "/"):
		return p + "*_test.go"
	}
	return "a test of " + p
}

// unlisted returns "id (files)" for each id that the tree uses and rules lacks, sorted.
func (u usage) unlisted(rules []rule) []string {
	listed := map[string]bool{}
	for _, r := range rules {
		listed[r.id] = true
	}
	var out []string
	for _, in := range []map[string][]string{u.code, u.test} {
		for id, files := range in {
			if meant.MatchString(id) && !listed[id] {
				out = append(out, fmt.Sprintf("%s (%s)", id, strings.Join(files, ", ")))
			}
		}
	}
	slices.Sort(out)
	return out
}

// elsewhere returns the paths of r's "kept in" cell that no use of r.id in u bears out: neither that file nor, for a
// directory, one below it. What cannot name an id (go.mod) is left out.
func (u usage) elsewhere(r rule) []string {
	stands := append(slices.Clone(u.code[r.id]), u.test[r.id]...)
	return slices.DeleteFunc(slices.Clone(r.keptIn), func(p string) bool {
		dir := strings.HasSuffix(p, "/")
		return !dir && kind(p) == "" || slices.ContainsFunc(stands, func(f string) bool {
			return f == p || dir && strings.HasPrefix(f, p)
		})
	})
}

func ownRules(t *testing.T) []rule {
	text, err := os.ReadFile("RULES.md")
	require.NoError(t, err)
	rules, err := parseRules(string(text))
	require.NoError(t, err)
	require.NotEmpty(t, rules, "RULES.md has no rows: the table's first column holds the ids")
	return rules
}

// A table that lost a guide would still be whole by itself.
func TestRules_EveryGuideIsListed(t *testing.T) {
	rows := map[byte]int{}
	for _, r := range ownRules(t) {
		rows[r.id[0]]++
	}
	for guide, least := range map[byte]int{'L': 50, 'E': 14, 'C': 10} {
		require.GreaterOrEqual(t, rows[guide], least, "rules of guide %c", guide)
	}
}

// With -v each sub-test also prints where its rule stands.
func TestRules_EveryIDHasCodeAndTest(t *testing.T) {
	rules := ownRules(t)
	u, err := scan(".")
	require.NoError(t, err)
	for _, r := range rules {
		t.Run(r.id, func(t *testing.T) {
			t.Logf("code: %s; tests: %s", strings.Join(u.code[r.id], " "), strings.Join(u.test[r.id], " "))
			for _, f := range u.faults(r) {
				t.Error(f)
			}
		})
	}
}

// No row is lost: of each section so many rules, counted in the guides.
func TestRules_EverySectionIsThere(t *testing.T) {
	have := map[string]int{}
	for _, r := range ownRules(t) {
		section, _, _ := strings.Cut(r.id, ".")
		have[section]++
	}
	for section, want := range map[string]int{
		"L1": 3, "L2": 5, "L3": 3, "L4": 3, "L5": 3, "L6": 3, "L7": 3, "L8": 3, "L9": 5, "L10": 5, "L11": 1, "L12": 2, "L13": 6, "L14": 5, "L16": 2,
		"C1": 1, "C2": 1, "C3": 1, "C4": 1, "C5": 1, "C6": 1, "C7": 1, "C8": 1, "C9": 1, "C10": 1,
		"E1": 3, "E2": 1, "E3": 3, "E4": 1, "E5": 1, "E6": 3, "E7": 1, "E8": 1,
		"G1": 3, "G2": 3, "G3": 10, "G4": 4, "G5": 7, "G6": 2,
	} {
		require.Equal(t, want, have[section], "rules of section %s", section)
	}
}

func TestRules_EveryUsedIDIsListed(t *testing.T) {
	u, err := scan(".")
	require.NoError(t, err)
	require.Empty(t, u.unlisted(ownRules(t)), "add a row to RULES.md, or correct the id")
}

func TestRules_KeptInIsTrue(t *testing.T) {
	u, err := scan(".")
	require.NoError(t, err)
	for _, r := range ownRules(t) {
		if len(u.code[r.id]) == 0 {
			continue // told by TestRules_EveryIDHasCodeAndTest
		}
		t.Run(r.id, func(t *testing.T) {
			require.Empty(t, u.elsewhere(r), "RULES.md names these, but they do not name %s; it stands in %v", r.id, u.code[r.id])
		})
	}
	tiny := usage{map[string][]string{"L90.1": {"retry/cap.go", "web/src/a.js"}}, map[string][]string{"L90.1": {"e2e/job/a.go"}}}
	require.Equal(t, []string{"retry/cup.go", "wasm/"},
		tiny.elsewhere(rule{"L90.1", strings.Fields("retry/cap.go retry/cup.go web/ wasm/ e2e/job/ go.mod")}))
}

// The checker itself: each row is a tiny tree and the faults it must find in it.
func TestRules_CheckerFindsWhatIsMissing(t *testing.T) {
	const table = "| id | rule | kept in | our reading |\n|---|---|---|---|\n| L90.1 | a cap | `retry/cap.go` | – |\n| `C90` | a kind | `web/` | – |\n"
	const noCode, noTest = "rule L90.1 stands in no code: name it at the number it rules, in retry/cap.go",
		"rule L90.1 has no test that names it: add TestL90_1_… to retry/cap_test.go, or name it in a file under e2e/"
	for _, row := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"code and test", map[string]string{"retry/cap.go": "// Cap is 3 (L90.1).", "retry/cap_test.go": "func TestL90_1_Cap("}, nil},
		{"the test spells it", map[string]string{"a.sh": "# L90.1", "web/a.test.js": "test('L90.1: cap')"}, nil},
		{"the test is a unit's", map[string]string{"web/src/a.js": "// L90.1", "web/test/a.test.mjs": "test('L90.1: cap')"}, nil},
		{"a test's fake is no code", map[string]string{"web/test/fakes.mjs": "// L90.1"}, []string{noCode}},
		{"the test is a page's", map[string]string{"a.mjs": "// L90.1, L90.1", "e2e/kill.mjs": "// L90.1"}, nil},
		{"two ids in one name", map[string]string{"a.ts": "// (L90.1)", "a_test.go": "func TestC90_L90_1("}, nil},
		{"nothing", nil, []string{noCode, noTest}},
		{"no test", map[string]string{"retry/cap.go": "// L90.1"}, []string{noTest}},
		{"no code", map[string]string{"retry/cap_test.go": "// L90.1"}, []string{noCode}},
		{"e2e is no code", map[string]string{"e2e/a.js": "// L90.1"}, []string{noCode}},
		{"a document is neither", map[string]string{"README.md": "L90.1", "RULES.md": table}, []string{noCode, noTest}},
		{"a longer id is another", map[string]string{"a.go": "// L90.11", "a_test.go": "func TestL90_12_("}, []string{noCode, noTest, "L90.11 (a.go)", "L90.12 (a_test.go)"}},
		{"others' files", map[string]string{"node_modules/a/a.js": "// L90.1", "web/dist/index.js": "// L90.1", ".git/a.sh": "# L90.1", "wasm_exec.js": "// L90.1"}, []string{noCode, noTest}},
		{"an id without a row", map[string]string{"a.go": "// L90.1 L90.2", "a_test.go": "// L90.1", "web/b.js": "// C91"}, []string{"C91 (web/b.js)", "L90.2 (a.go)"}},
		{"what only looks like an id", map[string]string{"a.go": `// L90.1; "%C3%A9" 0xC12 #C12 E2 xL90.3`, "a_test.go": "// L90.1 TestC77ABC"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "web/kind.js", "// C90") // with its test, keeps C90 whole in every row
			write(t, root, "web/kind.test.js", "// C90")
			for p, text := range row.files {
				write(t, root, p, text)
			}
			rules, err := parseRules(table)
			require.NoError(t, err)
			u, err := scan(root)
			require.NoError(t, err)
			var got []string
			for _, r := range rules {
				got = append(got, u.faults(r)...)
			}
			require.Equal(t, row.want, append(got, u.unlisted(rules)...))
		})
	}
	_, err := parseRules(table + "| L90.1 | again | `a.go` | – |\n")
	require.ErrorContains(t, err, "L90.1 is listed twice")
	_, err = parseRules("| L90.1 | no reading | `a.go` | |\n")
	require.ErrorContains(t, err, "four filled cells")
}

func write(t *testing.T, root, p, text string) {
	full := filepath.Join(root, filepath.FromSlash(p))
	require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(t, os.WriteFile(full, []byte(text+"\n"), 0o644))
}
