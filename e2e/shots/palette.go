package main

import (
	"image"
	"image/color"
	"slices"
)

// apart is how different two colours of a palette are at least, as the sum over red, green and blue of 0 to 255.
const apart = 6

// reduce returns the picture in at most 256 colours, a third of the bytes: the most frequent ones that differ from one
// another, and for each other pixel the nearest of them. A screen has few colours and the blends of its letters' edges.
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
	for _, c := range order {
		if len(chosen) == 256 {
			break
		}
		if !slices.ContainsFunc(chosen, func(other color.Color) bool { return distance(c, other.(color.RGBA)) < apart }) {
			chosen = append(chosen, c)
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

func distance(a, b color.RGBA) int {
	d := func(x, y uint8) int { return max(int(x), int(y)) - min(int(x), int(y)) }
	return d(a.R, b.R) + d(a.G, b.G) + d(a.B, b.B)
}
