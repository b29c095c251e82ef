package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/job"
)

// input is the file that the headless job archives, seen from the project's root,
// and copies is how often, each time under other conversationIds.
const (
	input  = "web/demo/sample.jsonl"
	copies = 24
)

// matrix runs the headless job with every named fault on every engine: engines
// beside each other, faults one after the other. cells[engine][fault] is "ok" or
// what is wrong.
func matrix(ctx context.Context, root string, engines []string, progress io.Writer) (cells map[string]map[string]string, err error) {
	text, err := manyTimes(filepath.Join(root, input))
	if err != nil {
		return nil, err
	}
	cells = map[string]map[string]string{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, engine := range engines {
		cells[engine] = map[string]string{}
		wait.Add(1)
		go func() {
			defer wait.Done()
			for _, fault := range columns() {
				report, _, err := job.Run(ctx, job.Options{Root: root, Engine: engine, Fault: fault, Input: bytes.NewReader(text), Timeout: 2 * time.Minute})
				cell := inOneWord(report, err)
				mu.Lock()
				cells[engine][fault] = cell
				fmt.Fprintf(progress, "%-9s job, fault %s: %s\n", engine, named(fault), cell)
				mu.Unlock()
			}
		}()
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return cells, nil
}

// columns are the faults in which engines could differ, none of them first: what a
// cut connection, a refusal, a page that leaves and a killed browser look like from inside.
func columns() []string {
	return []string{"", "lost-answer", "cut", "500s", "hidden-headers", "token-expired", "429-storm", "too-large", "reload", "kill"}
}

func named(fault string) string {
	if fault == "" {
		return "none"
	}
	return fault
}

func inOneWord(report *job.Report, err error) string {
	switch {
	case err != nil:
		return "FAILED: " + strings.ReplaceAll(err.Error(), "\n", " ")
	case report.OK:
		return "ok"
	}
	return fmt.Sprintf("FAILED: missing %d, doubled %d, changed %d %s", len(report.Missing), len(report.Doubled), len(report.Changed),
		strings.Join(report.Problems, "; "))
}

// printMatrix writes the cells as a Markdown table, an engine a row.
func printMatrix(w io.Writer, engines []string, cells map[string]map[string]string) (ok bool) {
	var head, rule []string
	for _, fault := range columns() {
		head, rule = append(head, named(fault)), append(rule, "---")
	}
	fmt.Fprintf(w, "| engine | %s |\n|---|%s|\n", strings.Join(head, " | "), strings.Join(rule, "|"))
	ok = true
	for _, engine := range engines {
		var row []string
		for _, fault := range columns() {
			cell := cells[engine][fault]
			ok = ok && cell == "ok"
			row = append(row, cell)
		}
		fmt.Fprintf(w, "| %s | %s |\n", engine, strings.Join(row, " | "))
	}
	return ok
}

var conversationID = regexp.MustCompile(`"conversationId":\s*"([^"]*)"`)

// manyTimes returns the file's conversations several times over, each with an id of its own.
func manyTimes(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	var out bytes.Buffer
	for i := range copies {
		out.Write(conversationID.ReplaceAll(bytes.TrimSpace(text), fmt.Appendf(nil, `"conversationId":"$1-%d"`, i)))
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

var digits = regexp.MustCompile(`\d+(\.\d+)+`)

// versions names the engines with the version that each browser tells of itself.
func versions(ctx context.Context, engines []string) string {
	var words []string
	for _, name := range engines {
		word := name
		if engine, err := browser.Lookup(name); err == nil {
			if binary, err := engine.Find(); err == nil {
				out, _ := exec.CommandContext(ctx, binary, "--version").Output() // without one the name has to do
				word = strings.TrimSpace(word + " " + digits.FindString(string(out)))
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
