package main

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutABuildItSaysWhatToDo(t *testing.T) {
	root := t.TempDir()
	err := run(t.Context(), []string{"-root", root}, &bytes.Buffer{})
	require.EqualError(t, err, "web/dist is not built: run ./build.sh build first")
}

// A picture of few colours stays as it is; one of many gets 256, each pixel a near one.
func TestReduceKeepsWhatIsSeen(t *testing.T) {
	few, many := image.NewRGBA(image.Rect(0, 0, 90, 80)), image.NewRGBA(image.Rect(0, 0, 90, 80))
	for y := range 80 {
		for x := range 90 {
			few.Set(x, y, color.RGBA{uint8(x / 10 * 20), 0, 200, 255})
			many.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x + y), 255})
		}
	}
	for name, row := range map[string]struct {
		picture *image.RGBA
		colours int
		off     int // at most, the sum over red, green and blue
	}{"few": {few, 9, 0}, "many": {many, 256, 24}} {
		out := reduce(row.picture)
		require.LessOrEqual(t, len(out.Palette), row.colours, name)
		for y := range 80 {
			for x := range 90 {
				was, is := row.picture.RGBAAt(x, y), color.RGBAModel.Convert(out.At(x, y)).(color.RGBA)
				require.LessOrEqual(t, distance(was, is), row.off, "%s %d,%d: %v became %v", name, x, y, was, is)
			}
		}
	}
}
