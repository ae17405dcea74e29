package iiif

import (
	"image"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestTileSizeFollowsTheFile(t *testing.T) {
	t.Parallel()
	wide := Limits{MaxWidth: 8192, MaxHeight: 8192}
	for _, c := range []struct {
		own    image.Point
		limits Limits
		want   image.Point
	}{
		{image.Pt(256, 256), wide, image.Pt(256, 256)},
		{image.Pt(256, 128), wide, image.Pt(256, 128)},
		{image.Pt(1024, 0), wide, image.Pt(1024, 1024)},
		{image.Point{}, wide, image.Pt(512, 512)},
		{image.Pt(16384, 16384), wide, image.Pt(512, 512)},
		{image.Pt(256, 256), Limits{MaxWidth: 100, MaxHeight: 200}, image.Pt(100, 100)},
		{image.Point{}, Limits{MaxWidth: 8192, MaxHeight: 8192, MaxArea: 10_000}, image.Pt(100, 100)},
	} {
		if got := tileSize(Image{TileWidth: c.own.X, TileHeight: c.own.Y}, c.limits); got != c.want {
			t.Errorf("tiles of %v within %v are %v, want %v", c.own, c.limits, got, c.want)
		}
	}
}

func TestScaleFactorsEndWhereOneTileHoldsAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		canvas, tile image.Point
		want         []int
	}{
		{image.Pt(512, 512), image.Pt(512, 512), []int{1}},
		{image.Pt(513, 10), image.Pt(512, 512), []int{1, 2}},
		{image.Pt(6000, 4000), image.Pt(512, 512), []int{1, 2, 4, 8, 16}},
		{image.Pt(1, 1), image.Pt(1, 1), []int{1}},
		{image.Pt(100, 1000), image.Pt(256, 128), []int{1, 2, 4, 8}},
	} {
		if got := scaleFactors(c.canvas, c.tile); !slices.Equal(got, c.want) {
			t.Errorf("the scale factors of %v in %v are %v, want %v", c.canvas, c.tile, got, c.want)
		}
	}
}

// TestEdgeTilesRoundUp: version 2's viewers ask for "w," and expect what a pyramid holds.
func TestEdgeTilesRoundUp(t *testing.T) {
	t.Parallel()
	img := Image{Width: 4097, Height: 4993}
	for _, c := range []struct {
		region, size string
		want         image.Point
	}{
		{"0,4096,4096,897", "512,", image.Pt(512, 113)}, // a tile at scale factor 8: 112.125 rows
		{"4096,0,1,4096", "1,", image.Pt(1, 512)},       // a column of one pixel
		{"4096,4096,1,897", "1,", image.Pt(1, 449)},     // its corner, a tile at 2, 4 and 8 alike: the largest
		{"0,4096,4096,897", ",113", image.Pt(512, 113)}, // the same by its height
		{"1,4096,4096,897", "512,", image.Pt(512, 112)}, // no tile
		{"full", "513,", image.Pt(513, 625)},            // a level: 624.125 rows in the file, 625.2 by proportion
		{"full", "4097,", image.Pt(4097, 4993)},         // the first level
		{"full", "1000,", image.Pt(1000, 1219)},         // no level: 1218.7
		{"0,0,100,101", "50,", image.Pt(50, 51)},        // half up
		{"0,0,100,101", "25,", image.Pt(25, 25)},        // half up, downwards
	} {
		plan, err := resolve(standard(2), c.region+"/"+c.size+"/0/default.jpg", img)
		if err != nil || plan.Size != c.want {
			t.Errorf("%s/%s is %v, %v; want %v", c.region, c.size, plan.Size, err, c.want)
		}
	}
}

// advertised are the requests that a viewer makes out of info.json (Image API 3.0, implementation notes): each tile of
// the corners and edges at each scale factor, and each size.
func advertised(r Rules, img Image) (requests []string, sizes []image.Point) {
	canvas := image.Pt(img.Width, img.Height)
	tile := tileSize(img, r.Limits)
	add := func(region string, size image.Point) {
		both := string(appendNumbers(nil, size.X, size.Y))
		requests, sizes = append(requests, region+"/"+both+"/0/default.jpg"), append(sizes, size)
	}
	factors := scaleFactors(canvas, tile)
	for _, size := range r.sizes(canvas, factors) {
		add("full", image.Pt(size.Width, size.Height))
	}
	for _, factor := range factors {
		step := tile.Mul(factor)
		last := image.Pt((canvas.X-1)/step.X, (canvas.Y-1)/step.Y)
		for _, at := range []image.Point{{}, {X: last.X}, {Y: last.Y}, last, last.Div(2)} {
			box := image.Rect(at.X*step.X, at.Y*step.Y, (at.X+1)*step.X, (at.Y+1)*step.Y).Intersect(image.Rectangle{Max: canvas})
			add(string(appendNumbers(nil, box.Min.X, box.Min.Y, box.Dx(), box.Dy())), ceilDiv(box.Size(), factor))
		}
	}
	return requests, sizes
}

// TestWhatInfoAdvertisesResolves is the promise of info.json: every tile and every size is there, at just its size,
// under any limits, in both versions and with LegacyFit.
func TestWhatInfoAdvertisesResolves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := genRules(rapid.SampledFrom([]int{2, 3}).Draw(t, "version")).Draw(t, "rules")
		img := genImage().Draw(t, "image")
		requests, sizes := advertised(rules, img)
		for i, request := range requests {
			plan, err := resolve(rules, request, img)
			if err != nil {
				t.Fatalf("%s of %+v: %v", request, img, err)
			}
			if plan.Size != sizes[i] {
				t.Fatalf("%s of %+v is %v, want %v", request, img, plan.Size, sizes[i])
			}
		}
	})
}

// TestTilesByWidthResolve: viewers of version 2 ask for tiles as "w,".
func TestTilesByWidthResolve(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules, img := genRules(2).Draw(t, "rules"), genImage().Draw(t, "image")
		requests, sizes := advertised(rules, img)
		for i, request := range requests {
			p, err := ParseParams(2, splitRequest(request)[0], strconv.Itoa(sizes[i].X)+",", "0", "default.jpg")
			if err != nil {
				t.Fatal(err)
			}
			plan, err := rules.Resolve(p, img)
			if err != nil {
				t.Fatalf("%s of %+v by its width: %v", request, img, err)
			}
			full := plan.Region == image.Rect(0, 0, img.Width, img.Height)
			if !full && plan.Size != sizes[i] && tileOnce(rules, img, plan.Region) {
				t.Fatalf("%s of %+v by its width is %v, want %v", request, img, plan.Size, sizes[i])
			}
		}
	})
}

// tileOnce tells whether a region is a tile at one scale factor alone: at several, the width may not tell which.
func tileOnce(r Rules, img Image, region image.Rectangle) bool {
	canvas, tile := image.Pt(img.Width, img.Height), tileSize(img, r.Limits)
	g, count := grid{canvas: canvas, tile: tile, region: region}, 0
	for _, factor := range scaleFactors(canvas, tile) {
		if g.isTile(factor) {
			count++
		}
	}
	return count == 1
}
