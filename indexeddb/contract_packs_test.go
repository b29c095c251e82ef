package indexeddb

import (
	"fmt"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// packTexts are events of a pack, with one message each.
type packTexts []string

func (p packTexts) Text(i int) ([]byte, int) { return []byte(p[i]), 1 }

// keepPack gives the page's end the texts of a pack, in a browser (store_test.go).
var keepPack = func(outbox.Pack, packTexts) {}

func packOf(ticket uint32, first uint64, texts ...string) *outbox.Pack {
	p := outbox.Pack{Texts: packTexts(texts), Ticket: ticket, Notes: len(texts), Messages: len(texts), Session: "session", First: first, At: time.UnixMilli(1795000000123)}
	for _, text := range texts {
		p.Bytes += int64(len(text))
	}
	keepPack(p, texts)
	return &p
}

// What a store writes of a pack is what the core would have written: names counted on past the digits of base 36, sizes in
// bytes and not in characters.
func TestPackIsStoredAsItsSegmentEncoded(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		thai := packOf(1, 34, `{"messages":[{"text":"สวัสดี"}]}`, `{"messages":[{"text":"寿司🍣"}]}`, `{"messages":[{"text":"a"}]}`)
		single := packOf(4, 1296*36-1, `{"messages":[{"text":"\"quoted\"\n"}]}`)
		for name, c := range map[string]outbox.Change{
			"alone":             {Append: []outbox.Segment{{Pack: thai}, {Pack: single}}},
			"beside other rows": {Append: []outbox.Segment{{Pack: thai}, {Head: []byte("h"), Body: []byte("b")}, {Pack: single}}, State: []byte("state")},
		} {
			t.Run(name, func(t *testing.T) {
				seqs, err := b.commit(c)
				require.NoError(t, err)
				require.Len(t, seqs, len(c.Append))
				got := b.segments(seqs[0], seqs[len(seqs)-1])
				scanned := b.scan(seqs[0]-1, 10)
				require.Len(t, got, len(c.Append))
				for i, s := range c.Append {
					want := s.Encoded()
					require.Equal(t, string(want.Head), string(got[i].Head))
					require.Equal(t, string(want.Body), string(got[i].Body))
					require.Equal(t, seqs[i], got[i].Seq)
					require.Equal(t, string(want.Head), string(scanned[i].Head))
				}
			})
		}
	})
}

// The Seqs of many packs in one transaction come in order, without a gap.
func TestPacksGetTheirSeqsInOrder(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		var c outbox.Change
		for i := range 20 {
			c.Append = append(c.Append, outbox.Segment{Pack: packOf(uint32(100+i), uint64(i), fmt.Sprintf(`{"messages":[{"n":%d}]}`, i))})
		}
		seqs, err := b.commit(c)
		require.NoError(t, err)
		for i := range seqs {
			require.Equal(t, seqs[0]+uint64(i), seqs[i])
		}
	})
}
