package render

import (
	"image"
	"testing"

	"pgregory.net/rapid"
)

func TestWatermarkLiesWhereItIsSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		position Position
		scale    float64
		canvas   image.Point
		want     image.Rectangle
	}{
		{PositionCenter, 0.5, image.Pt(400, 200), image.Rect(150, 75, 250, 125)},
		{PositionTile, 0.5, image.Pt(400, 200), image.Rect(0, 0, 100, 50)},
		{PositionTop, 0.5, image.Pt(400, 200), image.Rect(150, 0, 250, 50)},
		{PositionBottom, 0.5, image.Pt(400, 200), image.Rect(150, 150, 250, 200)},
		{PositionLeft, 0.5, image.Pt(400, 200), image.Rect(0, 75, 100, 125)},
		{PositionRight, 0.5, image.Pt(400, 200), image.Rect(300, 75, 400, 125)},
		{PositionTopLeft, 0.5, image.Pt(400, 200), image.Rect(0, 0, 100, 50)},
		{PositionTopRight, 0.5, image.Pt(400, 200), image.Rect(300, 0, 400, 50)},
		{PositionBottomLeft, 0.5, image.Pt(400, 200), image.Rect(0, 150, 100, 200)},
		{PositionBottomRight, 0.5, image.Pt(400, 200), image.Rect(300, 150, 400, 200)},
		{PositionBottomRight, 1, image.Pt(200, 400), image.Rect(0, 300, 200, 400)},
		{PositionCenter, 0.001, image.Pt(3, 3), image.Rect(1, 1, 2, 2)},
	} {
		w := Watermark{Image: image.NewNRGBA(image.Rect(0, 0, 40, 20)), Position: c.position, Scale: c.scale}
		if got := w.Bounds(c.canvas); got != c.want {
			t.Errorf("%s at %g on %v lies at %v, want %v", c.position, c.scale, c.canvas, got, c.want)
		}
	}
}

func TestWatermarkLiesOnTheCanvas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 5000)
		canvas := image.Pt(side.Draw(t, "width"), side.Draw(t, "height"))
		w := Watermark{
			Image:    image.NewNRGBA(image.Rect(0, 0, rapid.IntRange(1, 50).Draw(t, "w"), rapid.IntRange(1, 50).Draw(t, "h"))),
			Position: rapid.SampledFrom(Positions()).Draw(t, "position"),
			Scale:    rapid.Float64Range(1e-9, 1).Draw(t, "scale"),
		}
		if got := w.Bounds(canvas); got.Empty() || !got.In(image.Rectangle{Max: canvas}) {
			t.Fatalf("it lies at %v", got)
		}
	})
}
