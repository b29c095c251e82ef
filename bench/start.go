package main

import (
	"context"
	"net/url"
	"os"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

// runStart measures from the navigation to the first durable append. Cold: a fresh profile, nothing cached; warm: the same
// profile in a browser that was started anew. Of liff-keep also until the module is ready.
func runStart(ctx context.Context, s *site, engine browser.Engine, rounds int) ([]Result, error) {
	const cold, warm = "first durable append, cold start", "first durable append, warm start"
	const coldReady, warmReady = "module ready, cold start", "module ready, warm start"
	values := map[string]map[string][]float64{cold: {}, warm: {}, coldReady: {}, warmReady: {}}
	variants := []string{ours, plugin, rawSingle, "idb", "Dexie", "localForage"}
	for round := range rounds {
		for i := range variants {
			variant := variants[(i+round)%len(variants)]
			profile, err := os.MkdirTemp("", "liff-keep-bench-")
			if err != nil {
				return nil, err
			}
			p := &page{profile: profile}
			for _, row := range [][2]string{{cold, coldReady}, {warm, warmReady}} {
				if err := p.start(ctx, engine, s, "/bench/page/start.html?variant="+url.QueryEscape(variant)); err != nil {
					p.close()
					return nil, err
				}
				var got struct{ MS, Ready float64 }
				if err := p.do(ctx, "times", nil, &got); err != nil {
					p.close()
					return nil, err
				}
				values[row[0]][variant] = append(values[row[0]][variant], got.MS)
				if variant == ours {
					values[row[1]][variant] = append(values[row[1]][variant], got.Ready)
				}
				p.leave()
			}
			p.close()
		}
	}
	var out []Result
	for _, row := range []string{cold, warm, coldReady, warmReady} {
		for _, variant := range variants {
			if len(values[row][variant]) > 0 {
				out = append(out, summarize(row, engine.Name, variant, "ms", values[row][variant]))
			}
		}
	}
	return out, nil
}
