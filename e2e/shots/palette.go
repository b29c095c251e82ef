package main

import (
	"image"
	"image/color"
	"slices"
)

// reduce returns the picture in at most 256 colours, a third of the bytes: the most frequent ones, as far apart as it takes
// for every colour of the picture to have one of them nearer than that. A screen has few colours and the blends of its
// letters' edges.
func reduce(picture image.Image) *image.Paletted {
	bounds := picture.Bounds()
	counts := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA {
		r, g, b, _ := picture.At(x, y).RGBA()
		return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	order := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		order = append(order, c)
	}
	slices.SortFunc(order, func(a, b color.RGBA) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - int(b.R)<<16 - int(b.G)<<8 - int(b.B) // the same picture, the same bytes
	})
	var chosen color.Palette
	for apart := 4; ; apart += 2 {
		if chosen = pick(order, apart); len(chosen) <= 256 {
			break
		}
	}
	index := make(map[color.RGBA]uint8, len(counts))
	for c := range counts {
		index[c] = uint8(chosen.Index(c))
	}
	out := image.NewPaletted(bounds, chosen)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	return out
}

// pick returns the first colours of order that are so far from one another, and stops at one too many.
func pick(order []color.RGBA, apart int) (chosen color.Palette) {
	for _, c := range order {
		if !slices.ContainsFunc(chosen, func(other color.Color) bool { return distance(c, other.(color.RGBA)) < apart }) {
			chosen = append(chosen, c)
		}
		if len(chosen) > 256 {
			break
		}
	}
	return chosen
}

// distance of two colours: the sum over red, green and blue of 0 to 255.
func distance(a, b color.RGBA) int {
	d := func(x, y uint8) int { return max(int(x), int(y)) - min(int(x), int(y)) }
	return d(a.R, b.R) + d(a.G, b.G) + d(a.B, b.B)
}
