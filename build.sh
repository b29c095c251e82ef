#!/usr/bin/env bash
# The one entry of the project. CI calls the same verbs as a person does.
# Each verb sets up what it needs on a fresh Debian machine that has Go and Node.
set -euo pipefail
caller=$PWD # file names in the arguments are relative to it
cd "$(dirname "${BASH_SOURCE[0]}")"

GO_WANTED=1.26      # what go.mod asks for
NODE_WANTED=20      # brotli in node:zlib, node --test
WASM_BUDGET=680000  # bytes of keep.wasm over the wire, brotli 11
WASM_GCFLAGS=${WASM_GCFLAGS:--gcflags=} # e.g. -gcflags=all=-l: no inlining, 63 kB less and a slower append
WASM_WITHOUT='nogreenteagc norandomizedheapbase64' # of Go's runtime: a collector for many cores, a heap at a secret place
JS_BUDGET=8000      # bytes of JavaScript that loads before it, gzip 9

usage() {
  cat <<'TXT'
usage: ./build.sh VERB

  demo    build, start the sandbox on 127.0.0.1:8787 and serve the demo Mini-App
          demo --destination chat|evernote: to another service, through the relay where it needs one
          demo --headless --input FILE.jsonl --report OUT.json
               [--notes OUT.ndjson] [--fault NAME] [--engine chromium|firefox|webkit]
               [--destination line|evernote] [--durability relaxed|strict] [--timeout SECONDS]
          does the same without a person: archives every conversation of FILE from
          a real browser and compares what the sandbox stored with the input
  build   the package into web/dist/
  pack    the npm package and the files for a script tag into .build/pack/, checked by publint and attw
  shots   pictures of the demo into docs/shots/; shots -only NAME takes those of one story
  test    every test: Go, Go in the browser, pages in three real browsers
          test --kill [-rounds N]
          kills the browser, 30 rounds an engine, then runs faults on every engine;
          prints the tables of README.md (about a quarter of an hour)
          test --pages
          what happens around the outbox (tabs, full disks, leaving, what is left on disk), three engines
          test --relay
          the relay's fleet mode, longer: a cluster whose machines are killed, four relays on one quota
  fuzz    every fuzz target of the repository, 600 s each: fuzz [SECONDS]
  fleet   many phones on one bucket, simulated, beside other policies: prints a table, draws .build/fleet.svg
          fleet [-n 20000] [-seed 1] [-days 4] [-hint] [-seats] [-policies PART] [-drills steady,outage,x2,campaign]
  bench   beside raw IndexedDB and its peers: bench/results.json and bench/results.html; bench [-engines chromium] [-rounds 9]
          [-only TEXT] [-quick]; go test -bench . ./bench/allocs counts what a step allocates
  audit   known vulnerabilities of what is built in: govulncheck, npm audit
  size    what goes over the wire; fails over budget
  trace   trace [FILE] gives a stack trace of the module that was built last its names back
TXT
}

say() { printf '%s\n' "$*" >&2; }
die() { say "build.sh: $*"; exit 1; }

# ---- set-up ---------------------------------------------------------------

# at_least HAVE WANT: is the dotted version HAVE not older than WANT?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

need_go() {
  command -v go >/dev/null || PATH="$PATH:/usr/local/go/bin"
  command -v go >/dev/null || die "go is missing: install Go $GO_WANTED or newer from https://go.dev/dl/"
  mkdir -p .build
  if [ -z "${HOME:-}" ]; then # Go has no place for its caches without one
    export HOME="$PWD/.build/home"
    mkdir -p "$HOME"
    GOFLAGS="${GOFLAGS:-} -modcacherw" # so that rm -r .build works
  fi
  # the build must not depend on whether this is a git checkout, or on whose it is
  export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
  local version
  version=$(go env GOVERSION) || die "go does not run"
  at_least "${version#go}" "$GO_WANTED" || die "go is ${version#go}; $GO_WANTED or newer is needed: https://go.dev/dl/"
}

need_node() {
  command -v node >/dev/null || die "node is missing: install Node.js $NODE_WANTED or newer (Debian: apt-get install nodejs)"
  local version
  version=$(node --version)
  at_least "${version#v}" "$NODE_WANTED" || die "node is ${version#v}; $NODE_WANTED or newer is needed"
}

# need_debian COMMAND PACKAGE…: installs the packages when COMMAND is missing.
need_debian() {
  local command=$1
  shift
  command -v "$command" >/dev/null && return
  install_debian "$@" || die "$command is missing. Install it once, then run this again:
  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
  command -v "$command" >/dev/null || die "$command is still missing after installing $*"
}

# install_debian PACKAGE…: fails when it may not, or cannot.
install_debian() {
  local root=()
  if [ "$(id -u)" -ne 0 ]; then root=(sudo -n); fi
  if ! command -v apt-get >/dev/null || { [ ${#root[@]} -gt 0 ] && ! sudo -n true 2>/dev/null; }; then return 1; fi
  say "installing $* …"
  "${root[@]}" apt-get update -qq >&2 || return 1
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# need_npm DIR: the packages that DIR's lock file names, none of which a page loads by itself. Once there, nothing is asked
# of the network until the lock changes.
need_npm() {
  local dir=$1 stamp
  stamp=$dir/node_modules/.liff-keep
  cmp -s "$dir/package-lock.json" "$stamp" && return
  need_debian npm npm
  say "npm ci in $dir …"
  npm --prefix "$dir" ci --no-audit --no-fund --loglevel=error >&2 ||
    die "the packages of $dir/package-lock.json could not be installed from the registry ($(npm config get registry)).
  To mend: run this once where it can be reached, or copy $dir/node_modules from a machine that has it; later builds need no network."
  cp "$dir/package-lock.json" "$stamp"
}

# need_engine NAME…: the real browsers that pages are tested in.
need_engine() {
  local name
  for name in "$@"; do
    case $name in
      chromium) need_debian chromium chromium ;;
      firefox) need_debian firefox-esr firefox-esr ;;
      webkit)
        need_debian Xvfb xvfb
        need_debian WebKitWebDriver webkit2gtk-driver # MiniBrowser comes with it
        ;;
    esac
  done
}

# need_fonts: what Japanese and Thai pages are written in; without them a browser draws boxes.
need_fonts() {
  need_debian fc-list fontconfig
  local lang package missing=()
  for lang in ja:fonts-noto-cjk th:fonts-noto-core; do
    package=${lang#*:}
    [ -n "$(fc-list ":lang=${lang%%:*}")" ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  install_debian "${missing[@]}" || die "fonts are missing. Install them once, then run this again:
  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
}

# need_peers: the programs of others that ours are tested against, as their lock files pin them.
need_peers() {
  local lock dir
  for lock in e2e/peers/*/package-lock.json; do
    dir=$(dirname "$lock")
    [ ! "$dir/node_modules/.package-lock.json" -nt "$lock" ] || continue
    need_debian npm npm
    say "installing $dir …"
    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 >.build/npm.out 2>&1 && continue
    tail -n 20 .build/npm.out >&2
    die "the peers of $dir cannot be installed. If the npm registry is out of reach from here, set another one (npm config set registry URL), or copy $dir/node_modules from a machine where './build.sh test' has run"
  done
}

# ---- build ----------------------------------------------------------------

# wasm_exec.js at the top is the byte copy of this Go's; a module built by one
# Go and started by the glue of another fails in strange ways.
check_wasm_exec() {
  local theirs
  theirs="$(go env GOROOT)/lib/wasm/wasm_exec.js"
  cmp -s wasm_exec.js "$theirs" && return
  die "wasm_exec.js is not the one of $(go env GOVERSION). To mend: cp \"\$(go env GOROOT)/lib/wasm/wasm_exec.js\" wasm_exec.js"
}

# wasm_exec.mjs: the same file as an ES module that exports the class instead of
# setting globalThis.Go, so that two modules of different Go versions can share a page.
make_wasm_exec_mjs() {
  node --input-type=module - wasm_exec.js web/dist/wasm_exec.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
const [from, to] = process.argv.slice(2)
let text = readFileSync(from, 'utf8')
const edit = (old, now) => {
  if (text.split(old).length !== 2) throw new Error(`${from}: expected once: ${JSON.stringify(old)}`)
  text = text.replace(old, () => now)
}
edit('"use strict";\n\n(() => {\n', '// Made by build.sh from wasm_exec.js: do not edit.\n')
edit('globalThis.Go = class {', 'export const Go = class {')
text = text.trimEnd()
if (!text.endsWith('\n})();')) throw new Error(`${from}: does not end with })();`)
text = text.slice(0, -'})();'.length)
// third-party code on the page that reads process.env.X must not throw because we set process
edit('\tif (!globalThis.path) {', '\tglobalThis.process.env ??= {};\n\n\tif (!globalThis.path) {')
if (text.includes('globalThis.Go')) throw new Error(`${from}: globalThis.Go is left`)
writeFileSync(to, text)
JS
}

# compress keep.wasm unless it is the one that was compressed before; beside it
# the sha384 for the page's integrity attribute.
compress_wasm() {
  node --input-type=module - web/dist/keep.wasm <<'JS'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { brotliCompressSync, gzipSync, constants as z } from 'node:zlib'
const file = process.argv[2]
const bytes = readFileSync(file)
const sum = 'sha384-' + createHash('sha384').update(bytes).digest('base64') + '\n'
const same = existsSync(file + '.sha384') && readFileSync(file + '.sha384', 'utf8') === sum
if (!same || !existsSync(file + '.br') || !existsSync(file + '.gz')) {
  writeFileSync(file + '.br', brotliCompressSync(bytes, { params: {
    [z.BROTLI_PARAM_QUALITY]: 11, [z.BROTLI_PARAM_LGWIN]: 24, [z.BROTLI_PARAM_SIZE_HINT]: bytes.length } }))
  writeFileSync(file + '.gz', gzipSync(bytes, { level: 9 }))
  writeFileSync(file + '.sha384', sum)
}
JS
}

# bundle_status: <keep-status> with the library that draws its plot, as one file that the main bundle does not load. Made
# anew only when a source of it, the lock or web/bundle.mjs has changed.
bundle_status() {
  local made=.build/status.js inputs
  inputs=$(find web/src/status.js web/src/status web/package-lock.json web/bundle.mjs -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  if [ ! -f "$made" ] || [ "$inputs" != "$(cat "$made.inputs" 2>/dev/null)" ]; then
    need_npm web
    node web/bundle.mjs "$made"
    printf '%s\n' "$inputs" >"$made.inputs"
  fi
  rm -rf web/dist/status
  cp "$made" web/dist/status.js
}

# trim_libs: .build/go.mod, in which the two libraries of the browser's edge are copies that format no messages.
trim_libs() {
  go mod download github.com/hack-pad/safejs github.com/hack-pad/go-indexeddb
  node wasm/trim-libs.mjs "$(go list -m -f '{{.Dir}}' github.com/hack-pad/safejs)" \
    "$(go list -m -f '{{.Dir}}' github.com/hack-pad/go-indexeddb)" .build/lib
  cp go.mod .build/go.mod
  cp go.sum .build/go.sum
  go mod edit -replace=github.com/hack-pad/safejs=./.build/lib/safejs \
    -replace=github.com/hack-pad/go-indexeddb=./.build/lib/go-indexeddb .build/go.mod
}

# wasm_env prints what Go is to build keep.wasm with. A Go that no longer knows a part to leave out builds without a word of it.
wasm_env() {
  local name without=''
  for name in $WASM_WITHOUT; do
    if GOEXPERIMENT=$name go version >/dev/null 2>&1; then without+=,$name; fi
  done
  printf '%s\n' GOOS=js GOARCH=wasm "GOEXPERIMENT=${without#,}"
}

# build makes the package in web/dist/: Go as a WebAssembly module (C1), and the script that loads it.
build() {
  need_go
  need_node
  check_wasm_exec
  mkdir -p web/dist
  exec 9>.build/lock
  flock 9 # two builds at once would tear each other's files
  find web/dist -mindepth 1 -maxdepth 1 ! -name 'keep.wasm*' -exec rm -rf {} +
  cp -R web/src/. web/dist/
  node web/assemble.mjs web/src web/dist
  bundle_status
  make_wasm_exec_mjs
  trim_libs
  env $(wasm_env) go build -modfile=.build/go.mod -trimpath -ldflags='-s -w' "$WASM_GCFLAGS" -o .build/keep.wasm ./wasm
  node wasm/slim/main.mjs .build/keep.wasm web/dist/keep.wasm web/dist/keep.wasm.names
  chmod 644 web/dist/keep.wasm
  compress_wasm
  flock -u 9
}

# pack makes .build/pack/: liff-keep-VERSION.tgz for npm, cdn/ for a script tag (names with hashes, sha384 in manifest.json).
pack() {
  build
  need_npm web
  local out=$PWD/.build/pack
  rm -rf "$out"
  mkdir -p "$out"
  node web/pack.mjs stage "$out/package"
  node web/pack.mjs cdn "$out/cdn"
  (cd "$out" && npm pack ./package --silent >/dev/null)
  web/node_modules/.bin/publint --strict "$out"/liff-keep-*.tgz >&2
  # for bundlers and Node's own modules; there is no CommonJS form
  web/node_modules/.bin/attw "$out"/liff-keep-*.tgz --profile esm-only --exclude-entrypoints cdn keep.wasm >&2
}

# ---- verbs ----------------------------------------------------------------

demo() {
  local headless='' engine=chromium arg previous='' root=$PWD
  for arg in "$@"; do
    case $arg in
      --headless | -headless) headless=1 ;;
      --engine=* | -engine=*) engine=${arg#*=} ;;
    esac
    case $previous in --engine | -engine) engine=$arg ;; esac
    previous=$arg
  done
  if [ -z "$headless" ]; then
    if [ "${1:-}" = --destination ] && [ $# -eq 2 ]; then set -- "--destination=$2"; fi
    case $# in
      0) ;;
      1) [[ $1 == --destination=* ]] || die "demo knows $* only together with --headless" ;;
      *) die "demo knows $* only together with --headless" ;;
    esac
    build
    if [ $# -eq 1 ]; then # another service, and the relay that it may need
      go build -o .build/demo ./e2e/demo
      exec .build/demo --serve 127.0.0.1:8787 "$1"
    fi
    go build -o .build/sandbox ./sandbox
    say "demo Mini-App: http://127.0.0.1:8787/   (LINE Keep is emulated per the guide; Ctrl-C ends it)"
    exec .build/sandbox -addr 127.0.0.1:8787 -web web/dist -demo web/demo
  fi
  build
  need_engine "$engine"
  go build -o .build/demo ./e2e/demo
  cd "$caller"
  exec "$root/.build/demo" -root "$root" "$@"
}

# shots takes the pictures of the demo that stand in README.md; options go to e2e/shots.
shots() {
  build
  need_engine chromium
  need_fonts
  go run ./e2e/shots -root . "$@"
}

# in_browser PACKAGE…: go test in a real browser (C10). wasmbrowsertest hands the whole
# environment to the page and fails when it is long, hence env -i.
in_browser() {
  local keep=(HOME="$HOME" PATH="$PWD/.build/bin:$PATH" $(wasm_env)) name
  for name in GOFLAGS GOPATH GOCACHE GOMODCACHE GOPROXY GOSUMDB GONOSUMDB GONOSUMCHECK GOTOOLCHAIN TMPDIR SSL_CERT_FILE LIFFKEEP_SANDBOX; do
    if [ -n "${!name:-}" ]; then keep+=("$name=${!name}"); fi
  done
  # with the libraries and the runtime as keep.wasm has them
  env -i "${keep[@]}" go test -count=1 -timeout=3m -exec=wasmbrowsertest -modfile=.build/go.mod "$@"
}

# with_sandbox COMMAND…: runs it with a sandbox of its own on a free port, whose address is in LIFFKEEP_SANDBOX.
with_sandbox() {
  go build -o .build/sandbox ./sandbox
  local out=.build/sandbox.out pid status=0
  .build/sandbox -addr 127.0.0.1:0 >"$out" & pid=$!
  for _ in $(seq 50); do
    grep -q 'listening on' "$out" && break
    sleep 0.1
  done
  LIFFKEEP_SANDBOX=$(sed -n 's/.*listening on //p' "$out") "$@" || status=$?
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  return $status
}

make_wasmbrowsertest() {
  mkdir -p .build/bin
  go build -o .build/bin/wasmbrowsertest github.com/agnivade/wasmbrowsertest
  rm -f .build/bin/headless_shell
  if [ "$(id -u)" -ne 0 ]; then # the first name it looks for; Debian's sandbox is not always to be had
    printf '#!/bin/sh\nexec chromium --no-sandbox "$@"\n' >.build/bin/headless_shell
    chmod +x .build/bin/headless_shell
  fi
  warm_chromium
}

# warm_chromium reads Chromium from the disk: its first start after a while takes longer than the 20 s that wasmbrowsertest
# waits for one (22 s seen with an empty cache, 1 s afterwards). Whether it starts at all is the tests' to say.
warm_chromium() {
  local profile
  profile=$(mktemp -d)
  timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$profile" --dump-dom about:blank >/dev/null 2>&1 || true
  rm -rf "$profile"
}

step() { say "== $*"; }

run_tests() {
  step 'the npm package'
  pack
  need_npm e2e/consumers
  need_engine chromium firefox webkit
  step 'gofmt'
  local unformatted
  unformatted=$(find . -path ./.build -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
  [ -z "$unformatted" ] || die "gofmt -w these: $unformatted"
  step 'go vet, native'
  go vet ./...
  step 'go vet, js/wasm'
  GOOS=js GOARCH=wasm go vet ./wasm/... ./indexeddb/...
  step 'go test, native'
  go test $(go list ./... | grep -v '/e2e')
  step 'go test, in the browser'
  make_wasmbrowsertest
  with_sandbox in_browser ./indexeddb/... ./wasm/...
  local scripts
  mapfile -t scripts < <(find web wasm -path web/dist -prune -o -path '*/node_modules' -prune -o -name '*.test.*js' -print | sort)
  if [ ${#scripts[@]} -gt 0 ]; then
    step 'node --test'
    node --test "${scripts[@]}"
  fi
  need_peers
  test_peers
  step 'pages in a real browser'
  LIFFKEEP_E2E=1 go test -count=1 -timeout 9m ./e2e/...
  say 'all tests passed'
}

# test_peers runs the modules under e2e/peers: others' own software against the sandbox. Each is a
# module of its own, so that what it needs is not among the product's dependencies.
test_peers() {
  local module
  for module in e2e/peers/*/go.mod; do
    [ -f "$module" ] || continue
    step "${module%/go.mod}"
    (cd "${module%/go.mod}" && go vet ./... && go test -count=1 -timeout 5m ./...)
  done
}

# test_pages: e2e/pages on every engine with its slow tests; the tables of docs/engines.md are in its output.
test_pages() {
  build
  need_npm web # axe-core
  need_engine chromium firefox webkit
  LIFFKEEP_PAGES=1 go test -count=1 -timeout 45m -v ./e2e/pages
}

# test_relay: e2e/relay with its long tests; what docs/architecture.md reports takes LIFFKEEP_ROUNDS=20 LIFFKEEP_CLOCK=5.
test_relay() {
  need_go
  LIFFKEEP_E2E=1 LIFFKEEP_RELAY=1 go test -count=1 -timeout 30m -v ./e2e/relay
}

# fuzz [SECONDS]: every fuzz target for so long, two at a time; prints a table, fails if one
# crashes. What crashed is kept by go test as a new seed under testdata/fuzz.
fuzz() {
  local seconds=${1:-600} rows=() running=0 failed=0 package target log
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz [SECONDS]: $seconds is no whole number above 0"
  need_go
  rm -rf .build/fuzz
  mkdir -p .build/fuzz
  while read -r package target; do rows+=("$package $target"); done < <(go test -json -list '^Fuzz' ./... |
    sed -n 's/.*"Package":"\([^"]*\)","Output":"\(Fuzz[A-Za-z0-9_]*\)\\n".*/\1 \2/p' | sort)
  [ ${#rows[@]} -gt 0 ] || die 'no fuzz target was found'
  say "${#rows[@]} targets, $seconds s each, two at a time"
  for row in "${rows[@]}"; do
    [ $running -lt 2 ] || { wait -n || true; running=$((running - 1)); }
    read -r package target <<<"$row"
    log=.build/fuzz/${package##*/}.$target
    (
      status=ok
      go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -parallel 1 "$package" >"$log.log" 2>&1 || status=FAILED
      echo "$status" >"$log.status"
      say "$status ${package##*/} $target"
    ) &
    running=$((running + 1))
  done
  wait
  printf '%-12s %-20s %8s %12s %6s  %s\n' package target seconds executions new result
  for row in "${rows[@]}"; do
    read -r package target <<<"$row"
    log=.build/fuzz/${package##*/}.$target
    local last status
    status=$(cat "$log.status" 2>/dev/null || echo FAILED)
    last=$(grep -E '^fuzz: elapsed: .*execs: ' "$log.log" | tail -n 1 || true)
    printf '%-12s %-20s %8s %12s %6s  %s\n' "${package##*/}" "$target" "$seconds" \
      "$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' <<<"$last")" "$(sed -n 's/.*new interesting: \([0-9]*\).*/\1/p' <<<"$last")" "$status"
    [ "$status" = ok ] || { failed=1; grep -v '^fuzz: elapsed' "$log.log" | head -n 40 | sed 's/^/    /'; }
  done
  [ $failed -eq 0 ] || die 'a fuzz target failed; its input is a new file under testdata/fuzz'
}

# audit looks for known vulnerabilities. A database that cannot be reached is said, and fails
# nothing; a finding does.
audit() {
  need_go
  local found=0 out=.build/audit.out lock locks
  mkdir -p .build/bin
  step 'Go: govulncheck'
  if GOBIN="$PWD/.build/bin" go install golang.org/x/vuln/cmd/govulncheck@latest >"$out" 2>&1; then
    audit_go 'the module for the page (js/wasm)' env GOOS=js GOARCH=wasm .build/bin/govulncheck ./wasm/... ./indexeddb/... || found=1
    audit_go 'everything, native' .build/bin/govulncheck ./... || found=1
  else
    cat "$out"
    echo 'Go: NOT CHECKED: govulncheck cannot be installed from here'
  fi
  step 'npm: npm audit'
  locks=$(find . -name package-lock.json -not -path '*/node_modules/*' -not -path './.build/*' | sort)
  [ -n "$locks" ] || echo 'npm: nothing to check: there is no package-lock.json, the package has no dependency'
  for lock in $locks; do audit_npm "$lock" || found=1; done
  [ $found -eq 0 ] || die 'known vulnerabilities were found, or a check failed'
}

# audit_go WHAT COMMAND…: runs govulncheck and says what came of it; fails on a finding and on
# any failure other than a database out of reach.
audit_go() {
  local what=$1 out=.build/audit.out
  shift
  if "$@" >"$out" 2>&1; then
    echo "Go: checked, no known vulnerability is called: $what"
    return 0
  fi
  cat "$out"
  grep -q '^govulncheck: fetching vulnerabilities:' "$out" || return 1
  echo "Go: NOT CHECKED: $what: the database (vuln.go.dev) cannot be reached from here"
}

# audit_npm LOCK: the same with npm audit.
audit_npm() {
  local out=.build/audit.out err=.build/audit.err
  if ! command -v npm >/dev/null; then
    echo "npm: NOT CHECKED: $1: npm is not installed"
    return 0
  fi
  if npm --prefix "$(dirname "$1")" audit --package-lock-only >"$out" 2>"$err"; then
    echo "npm: checked, no known vulnerability: $1"
    return 0
  fi
  cat "$out" "$err"
  # only what npm says of itself: the report in out holds the words of others
  grep -q 'audit endpoint returned an error\|ENOTFOUND\|ECONNREFUSED\|EAI_AGAIN\|ENOAUDIT\|ETIMEDOUT' "$err" || return 1
  echo "npm: NOT CHECKED: $1: the registry's database cannot be reached from here"
}

# fleet simulates many phones on one bucket, prints the table and draws .build/fleet.svg; its options go to bench/fleet.
fleet() {
  need_go
  mkdir -p .build
  go build -o .build/fleet ./bench/fleet
  .build/fleet -json .build/fleet.json "$@"
  go -C bench/fleet/plot build -o ../../../.build/plot .
  .build/plot .build/fleet.json .build/fleet.svg
  say 'drawn: .build/fleet.svg'
}

# kill_rounds kills browsers for a quarter of an hour; further options go to e2e/rounds.
kill_rounds() {
  build
  need_engine chromium firefox webkit
  go build -o .build/rounds ./e2e/rounds
  exec .build/rounds -root . "$@"
}

# bench: this project beside the browser's own calls and its peers, in real browsers; options go to bench/.
bench() {
  build
  need_npm bench
  need_engine chromium firefox webkit
  go build -o .build/bench ./bench
  exec .build/bench -root . "$@"
}

size() {
  build
  env $(wasm_env) go build -modfile=.build/go.mod -trimpath "$WASM_GCFLAGS" -o .build/named.wasm ./wasm
  echo 'Largest packages of keep.wasm, bytes of code before compression:'
  go run ./e2e/wasmsize .build/named.wasm 10
  echo
  node --input-type=module - "$WASM_BUDGET" "$JS_BUDGET" <<'JS'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
const [wasmBudget, jsBudget] = process.argv.slice(2).map(Number)
const dist = 'web/dist'

// what the browser must have before it can ask for keep.wasm: index.js, its static
// imports, and the modules these import on the way to the first event
const seen = new Set()
const visit = (file) => {
  if (seen.has(file)) return
  seen.add(file)
  const text = readFileSync(join(dist, file), 'utf8')
  const imports = /^\s*(?:import|export)\b[^'"`;]*?['"](\.[^'"]+)['"]/gm
  for (const [, path] of text.matchAll(imports)) visit(normalize(join(dirname(file), path)))
}
visit('index.js')

const rows = [...seen].map((file) => {
  const bytes = readFileSync(join(dist, file))
  return { file, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length }
})
const js = rows.reduce((sum, row) => ({ raw: sum.raw + row.raw, gzip: sum.gzip + row.gzip, brotli: sum.brotli + row.brotli }),
  { raw: 0, gzip: 0, brotli: 0 })
const size = (name) => statSync(join(dist, name)).size
const wasm = { raw: size('keep.wasm'), gzip: size('keep.wasm.gz'), brotli: size('keep.wasm.br') }
const exec = readFileSync(join(dist, 'wasm_exec.mjs'))

const line = (name, row) => console.log(name.padEnd(28), ...[row.raw, row.gzip, row.brotli].map((n) => String(n).padStart(10)))
console.log(''.padEnd(28), ...['raw', 'gzip', 'brotli'].map((name) => name.padStart(10)))
for (const row of rows) line('  ' + row.file, row)
line('JavaScript before the wasm', js)
line('wasm_exec.mjs, with the wasm', { raw: exec.length, gzip: gzipSync(exec, { level: 9 }).length, brotli: brotliCompressSync(exec).length })
line('keep.wasm', wasm)

let over = false
const budget = (name, have, limit) => {
  console.log(`${name}: ${have} of ${limit} bytes`)
  if (have > limit) { over = true; console.log(`${name} is over its budget`) }
}
budget('keep.wasm, brotli', wasm.brotli, wasmBudget)
budget('JavaScript before it, gzip', js.gzip, jsBudget)
process.exit(over ? 1 : 0)
JS
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
  demo) demo "$@" ;;
  build)
    build
    ls -l web/dist >&2
    ;;
  pack)
    pack
    ls -l .build/pack .build/pack/cdn >&2
    ;;
  shots) shots "$@" ;;
  test)
    case ${1:-} in
      '') run_tests ;;
      --kill) shift && kill_rounds "$@" ;;
      --pages) test_pages ;;
      --relay) test_relay ;;
      *) die "test knows --kill, --pages and --relay, not $1" ;;
    esac
    ;;
  fuzz) fuzz "$@" ;;
  fleet) fleet "$@" ;;
  audit) audit ;;
  bench) bench "$@" ;;
  size) size ;;
  trace)
    need_node
    [ -f web/dist/keep.wasm.names ] || die 'there are no names: run ./build.sh build'
    if [ $# -gt 0 ]; then exec <"$(cd "$caller" && realpath "$1")"; fi
    node wasm/slim/trace.mjs web/dist/keep.wasm.names
    ;;
  *)
    usage >&2
    [ -z "$verb" ] || say "build.sh: unknown verb: $verb"
    exit 2
    ;;
esac
