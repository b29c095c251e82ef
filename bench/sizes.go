package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Size is what goes over the wire, bytes.
type Size struct {
	Name   string `json:"name"`
	Raw    int    `json:"raw"`
	Gzip   int    `json:"gzip"`
	Brotli int    `json:"brotli"`
}

const wasmName = "liff-keep: keep.wasm"

// sizes bundles the peers into .build/peers and tells their sizes beside ours.
func sizes(root string) ([]Size, error) {
	cmd := exec.Command("node", "bench/bundle.mjs", ".build/peers", "web/dist")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("bundle the peers: %w\n%s", err, &stderr)
	}
	var list []Size
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var one Size
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("read the size %q: %w", lines.Text(), err)
		}
		list = append(list, one)
	}
	wasm := Size{Name: wasmName}
	for _, one := range []struct {
		suffix string
		to     *int
	}{{"", &wasm.Raw}, {".gz", &wasm.Gzip}, {".br", &wasm.Brotli}} {
		info, err := os.Stat(filepath.Join(root, "web/dist/keep.wasm"+one.suffix))
		if err != nil {
			return nil, fmt.Errorf("look at the module: %w: ./build.sh build makes it", err)
		}
		*one.to = int(info.Size())
	}
	return append([]Size{wasm}, list...), nil
}
