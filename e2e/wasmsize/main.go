// Command wasmsize says which Go packages make a module large: it sums the sizes
// of the functions in a module built without -ldflags=-s, by package, and prints
// the largest. Data (strings, type information) belongs to no function and is one row.
//
//	go run ./e2e/wasmsize MODULE.wasm [ROWS]
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "wasmsize:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: wasmsize MODULE.wasm [ROWS]")
	}
	rows := 12
	if len(args) == 2 {
		var err error
		if rows, err = strconv.Atoi(args[1]); err != nil || rows < 1 {
			return fmt.Errorf("ROWS is a number above 0, not %q", args[1])
		}
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	sizes, err := bySource(module)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	for _, row := range largest(sizes, rows) {
		fmt.Fprintf(out, "%-44s %9d\n", row.name, row.size)
	}
	return nil
}

type row struct {
	name string
	size int
}

// largest returns the n largest rows, and the sum of the others as one more.
func largest(sizes map[string]int, n int) []row {
	var all []row
	for name, size := range sizes {
		all = append(all, row{name, size})
	}
	sort.Slice(all, func(i, k int) bool {
		if all[i].size != all[k].size {
			return all[i].size > all[k].size
		}
		return all[i].name < all[k].name
	})
	if len(all) <= n {
		return all
	}
	others := row{name: fmt.Sprintf("%d others", len(all)-n)}
	for _, one := range all[n:] {
		others.size += one.size
	}
	return append(all[:n:n], others)
}

// Section ids of the WebAssembly binary format.
const (
	sectionCustom = 0
	sectionImport = 2
	sectionCode   = 10
	sectionData   = 11
)

// bySource returns bytes by package, and "(data)". It errs on what is no module,
// and on one without names.
func bySource(module []byte) (map[string]int, error) {
	if !bytes.HasPrefix(module, []byte("\x00asm\x01\x00\x00\x00")) {
		return nil, errors.New("not a WebAssembly module")
	}
	sizes := map[string]int{}
	var bodies []int
	var names map[int]string
	imported := 0
	r := reader{module[8:]}
	for len(r.rest) > 0 {
		id := int(r.byte())
		section := reader{r.take(r.number())}
		switch id {
		case sectionImport:
			imported = section.countImports()
		case sectionCode:
			for range section.number() {
				size := section.number()
				bodies = append(bodies, size)
				section.take(size)
			}
		case sectionData:
			sizes["(data)"] = len(section.rest)
		case sectionCustom:
			if string(section.take(section.number())) == "name" {
				names = section.functionNames()
			}
		}
	}
	if len(names) == 0 {
		return nil, errors.New("the module has no names: build it without -ldflags=-s")
	}
	for i, size := range bodies {
		sizes[packageOf(names[imported+i])] += size
	}
	return sizes, nil
}

// hosts are first elements of import paths; they alone hold a dot.
var hosts = []string{"github.com_", "golang.org_", "go.yaml.in_"}

// packageOf cuts the package path out of a name as Go's linker writes it into a
// module, with _ for all that is no letter, digit or dot: the method Read of
// internal/poll.FD is internal_poll.__FD_.Read and in internal_poll.
func packageOf(name string) string {
	if strings.HasPrefix(name, "type_.") || strings.HasPrefix(name, "go_.") {
		return "(generated)"
	}
	start := 0
	for _, host := range hosts {
		if strings.HasPrefix(name, host) {
			start = len(host)
		}
	}
	if dot := strings.IndexByte(name[start:], '.'); dot >= 0 {
		return name[:start+dot]
	}
	return "(runtime support)"
}

// reader reads a module; what is cut short reads as zeros.
type reader struct{ rest []byte }

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest = nil
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) take(n int) []byte {
	n = min(max(n, 0), len(r.rest))
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// countImports counts the imported functions of an import section; Go imports nothing else.
func (r *reader) countImports() (functions int) {
	for range r.number() {
		r.take(r.number())
		r.take(r.number())
		if r.byte() == 0 {
			functions++
		}
		r.number()
	}
	return functions
}

// functionNames reads the subsection with the names of functions.
func (r *reader) functionNames() map[int]string {
	names := map[int]string{}
	for len(r.rest) > 0 {
		id := r.byte()
		sub := reader{r.take(r.number())}
		if id != 1 {
			continue
		}
		for range sub.number() {
			index := sub.number()
			names[index] = string(sub.take(sub.number()))
		}
	}
	return names
}
