// Package allocs counts, natively, what the hot paths cost: time and allocations for each Step of the core, each encoding of a
// batch and each decoding of an answer. Compare two states of the code with benchstat:
//
//	go install golang.org/x/perf/cmd/benchstat@latest
//	go test -run '^$' -bench . -count 10 ./bench/allocs > old.txt
//	# change the code
//	go test -run '^$' -bench . -count 10 ./bench/allocs > new.txt
//	benchstat old.txt new.txt
//
// Allocations are exact and the same in the page; times are not, the page's are three to five times as long. What counts there
// is garbage: the module has one thread, and collecting it was half of what a burst cost.
package allocs
