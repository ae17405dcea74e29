package e2e_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"testing"
)

var (
	red    = color.RGBA{R: 230, G: 20, B: 30, A: 255}
	green  = color.RGBA{R: 20, G: 200, B: 40, A: 255}
	blue   = color.RGBA{R: 30, G: 40, B: 220, A: 255}
	yellow = color.RGBA{R: 240, G: 220, B: 20, A: 255}
	white  = color.RGBA{R: 255, G: 255, B: 255, A: 255}
)

// near checks a pixel's colour as far as JPEG keeps it.
func near(t testing.TB, what string, m image.Image, at image.Point, want color.RGBA) {
	t.Helper()
	got := color.RGBAModel.Convert(m.At(at.X, at.Y)).(color.RGBA)
	const tolerance = 24
	for _, pair := range [][2]uint8{{got.R, want.R}, {got.G, want.G}, {got.B, want.B}} {
		if d := int(pair[0]) - int(pair[1]); d > tolerance || d < -tolerance {
			t.Errorf("%s: the pixel at %v is %v, want %v", what, at, got, want)
			return
		}
	}
}

// quadrants is a picture whose quarters are red and green above, blue and yellow below.
func quadrants(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	half := image.Pt(width/2, height/2)
	for _, quarter := range []struct {
		at image.Point
		c  color.RGBA
	}{{image.Pt(0, 0), red}, {image.Pt(half.X, 0), green}, {image.Pt(0, half.Y), blue}, {half, yellow}} {
		draw.Draw(m, image.Rectangle{quarter.at, quarter.at.Add(half)}, image.NewUniform(quarter.c), image.Point{}, draw.Src)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Regions, sizes, mirrors and rotations put each colour where the Image API says, decoded by another library than the
// one that made them. The colours are those of the corners: left above, right above, left below, right below.
func TestPixels(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"q.jpg": quadrants(t, 400, 200)}, "q.jpg")
	for params, want := range map[string]struct {
		width, height int
		corners       [4]color.RGBA
	}{
		"full/max/0/default":             {400, 200, [4]color.RGBA{red, green, blue, yellow}},
		"full/max/0/color":               {400, 200, [4]color.RGBA{red, green, blue, yellow}},
		"full/100,/0/default":            {100, 50, [4]color.RGBA{red, green, blue, yellow}},
		"full/,100/0/default":            {200, 100, [4]color.RGBA{red, green, blue, yellow}},
		"full/pct:25/0/default":          {100, 50, [4]color.RGBA{red, green, blue, yellow}},
		"full/60,90/0/default":           {60, 90, [4]color.RGBA{red, green, blue, yellow}},
		"full/!60,90/0/default":          {60, 30, [4]color.RGBA{red, green, blue, yellow}},
		"0,0,200,100/max/0/default":      {200, 100, [4]color.RGBA{red, red, red, red}},
		"200,0,200,100/max/0/default":    {200, 100, [4]color.RGBA{green, green, green, green}},
		"0,100,200,100/max/0/default":    {200, 100, [4]color.RGBA{blue, blue, blue, blue}},
		"200,100,999,999/max/0/default":  {200, 100, [4]color.RGBA{yellow, yellow, yellow, yellow}},
		"100,50,200,100/max/0/default":   {200, 100, [4]color.RGBA{red, green, blue, yellow}},
		"square/max/0/default":           {200, 200, [4]color.RGBA{red, green, blue, yellow}},
		"pct:50,0,50,100/max/0/default":  {200, 200, [4]color.RGBA{green, green, yellow, yellow}},
		"pct:0,50,100,50/40,/0/default":  {40, 10, [4]color.RGBA{blue, yellow, blue, yellow}},
		"full/max/90/default":            {200, 400, [4]color.RGBA{blue, red, yellow, green}},
		"full/max/180/default":           {400, 200, [4]color.RGBA{yellow, blue, green, red}},
		"full/max/270/default":           {200, 400, [4]color.RGBA{green, yellow, red, blue}},
		"full/max/360/default":           {400, 200, [4]color.RGBA{red, green, blue, yellow}},
		"full/max/!0/default":            {400, 200, [4]color.RGBA{green, red, yellow, blue}},
		"full/max/!90/default":           {200, 400, [4]color.RGBA{yellow, green, blue, red}},
		"full/max/!180/default":          {400, 200, [4]color.RGBA{blue, yellow, red, green}},
		"0,0,200,200/50,/90/default":     {50, 50, [4]color.RGBA{blue, red, blue, red}},
		"200,100,200,100/20,/!0/default": {20, 10, [4]color.RGBA{yellow, yellow, yellow, yellow}},
	} {
		for _, format := range []string{"jpg", "png"} {
			what := params + "." + format
			decoder := map[string]string{"jpg": "jpeg", "png": "png"}[format]
			for _, version := range []string{"2", "3"} {
				m := h.get("/iiif/"+version+"/"+edepotID("1", 0)+"/"+what, h.roles("BD/R")...).picture(t, decoder, want.width, want.height)
				for i, at := range cornersOf(want.width, want.height) {
					near(t, what, m, at, want.corners[i])
				}
			}
		}
	}
	h.calm()
}

// cornersOf are points within the corners, away from edges that JPEG blurs.
func cornersOf(width, height int) [4]image.Point {
	left, top := width/8, height/8
	right, bottom := width-1-left, height-1-top
	return [4]image.Point{{X: left, Y: top}, {X: right, Y: top}, {X: left, Y: bottom}, {X: right, Y: bottom}}
}

// Upscaling, other qualities and free rotations.
func TestPixelsBeyondTheOriginal(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"q.jpg": quadrants(t, 400, 200)}, "q.jpg")
	ask := func(path string) answer { return h.get("/iiif/"+path, h.roles("BD/R")...) }
	id := edepotID("1", 0)

	for _, path := range []string{"2/" + id + "/full/800,/0/default.jpg", "3/" + id + "/full/^800,/0/default.jpg", "3/" + id + "/full/^!800,999/0/default.jpg"} {
		m := ask(path).picture(t, "jpeg", 800, 400)
		for i, at := range cornersOf(800, 400) {
			near(t, path, m, at, [4]color.RGBA{red, green, blue, yellow}[i])
		}
	}
	ask("3/"+id+"/full/800,/0/default.jpg").is(t, http.StatusBadRequest)
	ask("3/"+id+"/full/full/0/default.jpg").is(t, http.StatusBadRequest)
	ask("2/"+id+"/full/^max/0/default.jpg").is(t, http.StatusBadRequest)

	gray := ask("2/"+id+"/full/max/0/gray.png").picture(t, "png", 400, 200)
	black := ask("2/"+id+"/full/max/0/bitonal.png").picture(t, "png", 400, 200)
	for _, at := range cornersOf(400, 200) {
		r, g, b, _ := gray.At(at.X, at.Y).RGBA()
		if r != g || g != b {
			t.Errorf("gray has the colour %v", gray.At(at.X, at.Y))
		}
		if c := color.GrayModel.Convert(black.At(at.X, at.Y)).(color.Gray); c.Y != 0 && c.Y != 255 {
			t.Errorf("bitonal has the gray %d", c.Y)
		}
	}

	// Turned by 45 degrees the box grows to (400+200)/√2, and its corners are empty.
	for format, decoder := range map[string]string{"jpg": "jpeg", "png": "png"} {
		a := ask("2/" + id + "/full/max/45/default." + format)
		m, _, err := image.Decode(bytes.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if size := m.Bounds().Size(); size.X < 423 || size.X > 427 || size.Y < 423 || size.Y > 427 {
			t.Errorf("%s: the box is %v", decoder, size)
		}
		if _, _, _, alpha := m.At(2, 2).RGBA(); format == "png" && alpha != 0 {
			t.Errorf("png: the corner is %v", m.At(2, 2))
		}
		if format == "jpg" {
			near(t, "the corner of the jpg", m, image.Pt(2, 2), white)
		}
		// The middles of the red and the green quarter, (-100, -50) and (100, -50) from the centre, turned clockwise.
		near(t, decoder, m, image.Pt(212-35, 212-106), red)
		near(t, decoder, m, image.Pt(212+106, 212+35), green)
	}
}
