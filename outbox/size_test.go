package outbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// LINE guide Q5: 413 beyond 2 MB a note or 500 notes a batch. The batch is split in halves until the culprit is alone; it
// becomes a dead letter, and all others arrive.
func TestL14_5_A413HalvesUntilTheCulpritIsAlone(t *testing.T) {
	p := openPage(t)
	for i := range 8 {
		p.append(fmt.Sprint("k", i+1), "…")
	}
	p.flush()
	tooLarge := &answer{status: 413} // a gateway that refuses whatever holds k6
	p.answer(tooLarge, truthful, tooLarge, tooLarge, truthful, tooLarge)
	p.sleep(time.Second)
	var ids []string
	for _, q := range p.requests {
		ids = append(ids, strings.Join(q.ids, " "))
	}
	require.Equal(t, []string{"k1 k2 k3 k4 k5 k6 k7 k8", "k1 k2 k3 k4", "k5 k6 k7 k8", "k5 k6", "k5", "k6", "k7 k8"}, ids)
	_, dead := p.deadLetters()
	require.Equal(t, []string{"TOO_LARGE k6"}, dead)
	require.Len(t, p.keep, 7)
	s := p.status()
	require.Equal(t, [4]int{7, 0, 0, 1}, [4]int{s.Delivered, s.Pending, s.Parked, s.Dead})
}

// What a 413 taught holds for the next batches, over a restart, and every delivered batch gives one step back (L14.5).
func TestL14_5_BatchesGrowBackAfterA413(t *testing.T) {
	p := openPage(t)
	p.burst(500, "a", 1)
	p.answer(&answer{status: 413})
	p.sleep(time.Second)
	p.restart()
	p.burst(1500, "b", 1)
	p.sleep(10 * time.Minute)
	var sizes []int
	for _, q := range p.requests {
		sizes = append(sizes, len(q.ids))
	}
	require.Equal(t, []int{500, 251, 249, 500, 500, 500}, sizes, "halves by bytes, not by notes")

	p = openPage(t)
	p.burst(500, "a", 1)
	p.answer(times(2, &answer{status: 413})...)
	p.sleep(time.Second)
	require.Contains(t, p.state(), "shrink 0\n", "three deliveries later nothing is left of two 413s")
	sizes = nil
	for _, q := range p.requests {
		sizes = append(sizes, len(q.ids))
	}
	require.Equal(t, []int{500, 251, 126, 125, 249}, sizes)
}

// Where 413 left nothing of a batch, the next one is half as large; then they grow back (L14.5).
func TestL14_5_AfterA413TheNextBatchIsHalfAsLarge(t *testing.T) {
	p := openPage(t)
	p.append("x", "1")
	p.append("y", "2")
	p.flush()
	p.answer(times(3, &answer{status: 413})...)
	p.sleep(time.Second)
	require.Equal(t, 2, p.status().Dead)
	p.restart()
	p.burst(1000, "k", 1)
	p.sleep(10 * time.Minute)
	var sizes []int
	for _, q := range p.requests[3:] {
		sizes = append(sizes, len(q.ids))
	}
	require.Equal(t, []int{250, 500, 250}, sizes)
}

// Other refusals of a whole body are halved as well, and the lone note says what the service said (L9.2: never silently).
func TestL14_5_ARefusedBodyIsHalvedAndItsCulpritNamed(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.append("b", "2")
	p.flush()
	p.answer(&answer{status: 400, body: "bad"}, &answer{status: 422, body: "no emoji, please"})
	p.sleep(time.Second)
	records, dead := p.deadLetters()
	require.Equal(t, []string{"INVALID_EVENT a"}, dead)
	require.Contains(t, string(outbox.DeadInfo(records[0])), "422 no emoji, please")
	require.Equal(t, []string{"b"}, p.stored())
}
