package main

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const callers = 200

// zeros is a body of n bytes that takes no memory.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) { return len(b), nil }

// 200 callers with 4 MB each meet a host that takes nothing for a while: what waits stays with the callers. Held in the
// relay it would be 800 MB.
func TestMemoryStaysFlatUnderASlowHost(t *testing.T) {
	const size = 4 << 20
	var arrived atomic.Int64
	open := make(chan struct{})
	r := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		<-open
		_, _ = io.Copy(io.Discard, r.Body)
	}, func(c *config) { c.calls, c.timeout = callers, time.Minute })
	client := &http.Client{Transport: &http.Transport{}}
	before := heap()
	var all sync.WaitGroup
	var good atomic.Int64
	for range callers {
		all.Go(func() {
			answer, err := client.Do(r.request("/x", zeros(size)))
			if err == nil && answer.StatusCode == 200 {
				good.Add(1)
				answer.Body.Close()
			}
		})
	}
	for arrived.Load() < callers {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond) // the sockets fill up to what the system gives them
	during := heap()
	close(open)
	all.Wait()
	require.EqualValues(t, callers, good.Load())
	grown := int64(during) - int64(before)
	t.Logf("%d calls of %d MB under way: the heap of callers, relay and host together grew by %d kB", callers, size>>20, grown>>10)
	require.Less(t, grown, int64(64<<20))
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Back-pressure: beyond -max-calls nobody waits in line, everyone gets an answer, and the slots come back.
func TestBeyondItsSlotsTheRelaySaysBusy(t *testing.T) {
	const slots = 20
	open := make(chan struct{})
	r := newRig(t, func(w http.ResponseWriter, r *http.Request) { <-open; echo(w, r) },
		func(c *config) { c.calls, c.timeout = slots, time.Minute })
	var all sync.WaitGroup
	var good, refusedCalls atomic.Int64
	for range callers {
		all.Go(func() {
			answer, err := http.DefaultClient.Do(r.request("/x", text(10)))
			if err != nil {
				return
			}
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			switch answer.StatusCode {
			case 200:
				good.Add(1)
			case 503:
				if answer.Header.Get("Retry-After") != "" && refused(t, body) == "BUSY" {
					refusedCalls.Add(1)
				}
			}
		})
	}
	for refusedCalls.Load() < callers-slots {
		time.Sleep(5 * time.Millisecond)
	}
	close(open)
	all.Wait()
	require.EqualValues(t, slots, good.Load())
	require.EqualValues(t, callers-slots, refusedCalls.Load())
	answer, _ := r.do(r.request("/x", text(10)))
	require.Equal(t, 200, answer.StatusCode, "the slots are free again")
}
