// Command plot draws the figures of bench/fleet as one SVG: requests a minute and 429s around the drill, and how soon
// conversations were delivered. A module of its own, so that what draws never enters the product's.
//
//	go run . figures.json fleet.svg
package main

import (
	"encoding/json"
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// figure is one run, as bench/fleet writes it.
type figure struct {
	Policy, Drill string
	Clients       int
	DrillAt       float64
	Requests      []float64
	Refused       []float64
	Delay         []float64
	Delivered     []float64
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: plot FIGURES.json OUT.svg")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var figures []figure
	if err := json.Unmarshal(text, &figures); err != nil {
		return fmt.Errorf("read %s: %w", from, err)
	}
	plots, err := panels(figures)
	if err != nil {
		return err
	}
	canvas := vgsvg.New(28*vg.Centimeter, vg.Length(len(plots))*9*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: 6 * vg.Millimeter, PadLeft: 3 * vg.Millimeter, PadRight: 3 * vg.Millimeter,
		PadTop: 3 * vg.Millimeter, PadBottom: 3 * vg.Millimeter}
	dc := draw.New(canvas)
	grid := make([][]*plot.Plot, len(plots))
	for i, p := range plots {
		grid[i] = []*plot.Plot{p}
	}
	for i, row := range plot.Align(grid, tiles, dc) {
		plots[i].Draw(row[0])
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(out); err != nil {
		return err
	}
	return out.Close()
}

// panels makes the two charts of a drill, for each drill there is, and the one of the delays.
func panels(figures []figure) (plots []*plot.Plot, err error) {
	byDrill := map[string][]figure{}
	var order []string
	for _, f := range figures {
		if byDrill[f.Drill] == nil {
			order = append(order, f.Drill)
		}
		byDrill[f.Drill] = append(byDrill[f.Drill], f)
	}
	for _, drill := range order {
		runs := byDrill[drill]
		asked, err := overTime(drill, "requests a minute", runs, func(f figure, i int) float64 { return f.Requests[i] })
		if err != nil {
			return nil, err
		}
		refused, err := overTime(drill, "429s a minute", runs, func(f figure, i int) float64 { return f.Refused[i] })
		if err != nil {
			return nil, err
		}
		plots = append(plots, asked, refused)
		if drill == "steady" {
			p, err := delays(runs)
			if err != nil {
				return nil, err
			}
			plots = append(plots, p)
		}
	}
	return plots, nil
}

// overTime draws a line a policy over the measured day.
func overTime(drill, what string, runs []figure, value func(figure, int) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s, %d clients: %s", drill, runs[0].Clients, what)
	p.X.Label.Text, p.Y.Label.Text, p.Y.Min = "hour of the day (JST)", what, 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, f := range runs {
		day := float64(int(f.DrillAt/24)) * 24
		var points plotter.XYs
		for k := range f.Requests {
			if hour := float64(k)/6 - day; hour >= 0 && hour < 24 {
				points = append(points, plotter.XY{X: hour, Y: value(f, k)})
			}
		}
		if err := add(p, f.Policy, points, i); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// delays draws which share was delivered within which time.
func delays(runs []figure) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "steady: share delivered within a time"
	p.X.Label.Text, p.Y.Label.Text = "minutes (logarithmic)", "share"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Min, p.Y.Max = 0, 1
	p.Add(plotter.NewGrid())
	for i, f := range runs {
		var points plotter.XYs
		for k := range f.Delay {
			points = append(points, plotter.XY{X: f.Delay[k], Y: f.Delivered[k]})
		}
		if err := add(p, f.Policy, points, i); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// colors tell the policies apart, for colour-blind readers too (Okabe and Ito).
var colors = []color.RGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255}}

func add(p *plot.Plot, name string, points plotter.XYs, i int) error {
	if len(points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	line.Color, line.Width = colors[i%len(colors)], vg.Points(1.5)
	if i == 0 {
		line.Width = vg.Points(3) // the product
	}
	p.Add(line)
	p.Legend.Add(name, line)
	return nil
}
