//go:build !js

package liffkeep_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pages for people who use the package, the English one first.
var readmes = []string{"README.md", "README.ja.md"}

var (
	fence  = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")
	link   = regexp.MustCompile(`\]\(([^)#\s]+)(?:#([^)\s]*))?\)`)
	anchor = regexp.MustCompile(`\]\(#([^)\s]+)\)`)
	// A line of build.sh's usage that begins with a verb.
	verbLine = regexp.MustCompile(`(?m)^  ([a-z]+) {2,}\S`)
	// The type Code of index.d.ts, and the codes in it.
	codeType = regexp.MustCompile(`(?s)export type Code =\n(.*?)\n\n`)
	codeName = regexp.MustCompile(`'([A-Z_]+)'`)
)

// block is one fenced block of code: its language and its text.
type block struct{ language, text string }

// blocks returns the fenced blocks of a page that are the same in every language: all but prose (text).
func blocks(page string) (found []block) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		if m[1] != "text" {
			found = append(found, block{m[1], m[2]})
		}
	}
	return found
}

// headings returns the number of signs of each heading of a page, in order: its shape, whatever the language.
func headings(page string) (shape []string) {
	for line := range strings.SplitSeq(fence.ReplaceAllString(page, ""), "\n") {
		if level, _, ok := strings.Cut(line, " "); ok && strings.Trim(level, "#") == "" && level != "" {
			shape = append(shape, level)
		}
	}
	return shape
}

// rows returns how many rows each table of a page has, its head and the line below it counted.
func rows(page string) (counts []int) {
	inside := false
	for line := range strings.SplitSeq(fence.ReplaceAllString(page, ""), "\n") {
		is := strings.HasPrefix(line, "|")
		if is && !inside {
			counts = append(counts, 0)
		}
		if is {
			counts[len(counts)-1]++
		}
		inside = is
	}
	return counts
}

func TestReadmesHaveTheSameCodeAndTheSameShape(t *testing.T) {
	english, japanese := readText(t, readmes[0]), readText(t, readmes[1])
	ours, theirs := blocks(english), blocks(japanese)
	require.GreaterOrEqual(t, len(ours), 10, "README.md has lost its examples")
	require.Len(t, theirs, len(ours), "blocks of code in README.ja.md")
	for i := range ours {
		require.Equal(t, ours[i], theirs[i], "block %d of README.ja.md is not that of README.md", i+1)
	}
	require.Equal(t, headings(english), headings(japanese), "the levels of the headings, in order")
	require.Equal(t, rows(english), rows(japanese), "rows of each table, in order")
}

func TestReadmesNameEveryVerbOfBuildSh(t *testing.T) {
	script := readText(t, "build.sh")
	_, usage, _ := strings.Cut(script, "usage: ./build.sh VERB")
	usage, _, _ = strings.Cut(usage, "\nTXT\n")
	verbs := verbLine.FindAllStringSubmatch(usage, -1)
	require.GreaterOrEqual(t, len(verbs), 8, "the usage of build.sh was not read")
	for _, name := range readmes {
		page := readText(t, name)
		for _, verb := range verbs {
			require.Contains(t, page, "\n| `"+verb[1]+"` |", "%s: the verb %s has no row", name, verb[1])
		}
	}
}

func TestReadmesExplainEveryError(t *testing.T) {
	declared := codeType.FindStringSubmatch(readText(t, "web/src/index.d.ts"))
	require.NotNil(t, declared, "index.d.ts has no type Code")
	codes := codeName.FindAllStringSubmatch(declared[1], -1)
	require.GreaterOrEqual(t, len(codes), 11)
	for _, name := range readmes {
		page := readText(t, name)
		for _, code := range codes {
			require.Regexp(t, "\n\\| `"+code[1]+"` \\| [^|\n]+ \\| [^|\n]+ \\|\n", page, "%s: %s, when and what to do", name, code[1])
		}
	}
}

// Every file of this repository that a page links to is there; a link to a heading finds one.
func TestLinkedFilesExist(t *testing.T) {
	pages := append([]string{"CHANGELOG.md", "sandbox/README.md"}, readmes...)
	more, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, name := range append(pages, more...) {
		page := fence.ReplaceAllString(readText(t, name), "")
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target := filepath.Join(filepath.Dir(name), m[1])
			_, err := os.Stat(target)
			require.NoError(t, err, "%s links to %s", name, m[1])
			if m[2] != "" {
				require.True(t, hasHeading(readText(t, target), m[2]), "%s links to %s, which has no heading #%s", name, m[1], m[2])
			}
		}
		for _, m := range anchor.FindAllStringSubmatch(page, -1) {
			require.True(t, hasHeading(page, m[1]), "%s links to #%s, which is no heading of it", name, m[1])
		}
	}
}

// hasHeading reports whether a page has a heading that is called so in a link: lower case, hyphens for spaces, no marks.
func hasHeading(page, called string) bool {
	for line := range strings.SplitSeq(page, "\n") {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			bare := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(title), "")
			if strings.ReplaceAll(bare, " ", "-") == called {
				return true
			}
		}
	}
	return false
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
