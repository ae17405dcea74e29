package conformance_test

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
)

// validatorNGChecks ask what dbmdz/image-validator-ng asks. It has the same kind of picture as the other validator, and
// compares whole pictures: the mean difference must be below 6. Of single squares it leaves out 13 pixels along the
// edges, and no pixel of the rest may be 6 off. Pictures of another size are computed here by averaging areas.
func validatorNGChecks() []check {
	var checks []check
	for _, v := range versions() {
		add := func(name string, level int, text string, run func(*square)) {
			section := fmt.Sprintf("level %d", level)
			if level > 2 {
				section = "optional"
			}
			checks = append(checks, check{
				number: fmt.Sprintf("NG%d-%s", v.version, name), strength: must, section: section, text: text,
				run: v.bind(func(p *probe) {
					run(&square{probe: p, prefix: strictPrefix, random: rand.New(rand.NewPCG(31, uint64(len(name))))}) //nolint:gosec // No secrets.
				}),
			})
		}
		addNGInfo(v, add)
		addNGRegions(v, add)
		addNGSizes(v, add)
		addNGRotations(add)
		addNGFormats(v, add)
	}
	return checks
}

// placed is the validators' picture, turned by an angle, at a point of the box that holds it: its colour, and how far
// the nearest edge between two squares is.
func placed(size image.Point, degrees float64, mirror bool, box image.Point, x, y int) (column, row int, edge float64) {
	e := expectation{region: image.Rect(0, 0, 1000, 1000), size: size, degrees: degrees, mirror: mirror}
	u, v, inside := e.source(box, x, y)
	if inside < 0 {
		return 0, 0, -1
	}
	column, row = min(int(u/100), 9), min(int(v/100), 9)
	off := func(a float64, n int) float64 { return min(a-float64(n*100), float64((n+1)*100)-a) }
	scale := min(float64(size.X), float64(size.Y)) / 1000
	return column, row, min(off(u, column), off(v, row)) * scale
}

// alike compares a part of a picture with the validators' one by the mean difference of all colours. A pixel on an edge
// between squares counts as the better of what it might be.
func (s *square) alike(what string, m *image.NRGBA, size image.Point, degrees float64, mirror bool, part image.Rectangle) {
	s.Helper()
	var sum float64
	count := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			column, row, edge := placed(size, degrees, mirror, m.Bounds().Size(), x, y)
			if edge < 1 {
				continue
			}
			got, want := m.NRGBAAt(x, y), squareColour(column, row)
			for _, pair := range [][2]uint8{{got.R, want.R}, {got.G, want.G}, {got.B, want.B}} {
				sum += math.Abs(float64(pair[0]) - float64(pair[1]))
				count++
			}
		}
	}
	if count == 0 || sum/float64(count) >= 6 {
		s.Errorf("%s differs by %.2f in the mean of %d values", what, sum/float64(count), count)
	}
}

// same is alike for the whole picture at a size.
func (s *square) same(size string, width, height int) {
	s.Helper()
	m := s.measured(s.path("full", size, "0", "default", "jpg"), width, height)
	s.alike(size, m, image.Pt(width, height), 0, false, m.Bounds())
}

// rectangle checks one square at 100 by 100 pixels.
func (s *square) rectangle(region string, column, row int) {
	s.Helper()
	m := s.measured(s.path(region, "", "0", "default", "jpg"), 100, 100)
	for y := 13; y < 87; y++ {
		for x := 13; x < 87; x++ {
			if near(m.NRGBAAt(x, y), squareColour(column, row)) >= 6 {
				s.Errorf("%s: %d,%d is %v, want %v", region, x, y, m.NRGBAAt(x, y), squareColour(column, row))
				return
			}
		}
	}
}

func addNGInfo(v api, add adder) {
	add("info_json", 0, "info.json has its properties, of the right kinds, and the very address as its id.", func(s *square) { s.structure(s.prefix) })
	add("id_basic", 0, "A picture comes.", func(s *square) { s.decoded(s.path("full", "", "0", "default", "jpg")) })
	add("id_squares", 0, "The whole picture is the right one.", func(s *square) { s.same(v.whole, 1000, 1000) })
	add("id_escaped", 1, "A hyphen that is percent-encoded is a hyphen.", func(s *square) {
		s.want(http.StatusOK, s.in(s.prefix, strings.ReplaceAll(squaresID, "-", "%2D"), "info.json"))
	})
	add("id_error_random", 1, "A random identifier is 404.", func(s *square) {
		s.want(http.StatusNotFound, s.in(s.prefix, "8f0ee0c2-1f2c-11ee-be56-0242ac120002", "info.json"))
	})
	add("id_error_escapedslash", 1, "An identifier with a slash that is not encoded is 404.", func(s *square) {
		s.want(http.StatusNotFound, s.in(s.prefix, "a/b", "info.json"))
	})
	add("id_error_unescaped", 1, "An identifier with brackets that nobody knows is 404 or 400.", func(s *square) {
		if status := s.get(s.in(s.prefix, "%5Bfrob%5D", "info.json")).status; status != http.StatusNotFound && status != http.StatusBadRequest {
			s.Errorf("it is %d", status)
		}
	})
	add("http_baseurl_redirect", 1, "The base URI redirects to info.json.", func(s *square) {
		base := strings.TrimSuffix(s.in(s.prefix, squaresID, ""), "/")
		if a := s.get(base); a.status < 300 || a.status > 399 || a.header.Get("Location") != s.sites.base(base)+base+"/info.json" {
			s.Errorf("it is %d to %q", a.status, a.header.Get("Location"))
		}
	})
	add("http_cors", 1, "info.json and pictures have the CORS header, with GET and OPTIONS.", func(s *square) {
		for _, path := range []string{s.in(s.prefix, squaresID, "info.json"), s.path("full", "", "0", "default", "jpg")} {
			for _, method := range []string{http.MethodGet, http.MethodOptions} {
				if got := s.do(method, path, "Origin", "http://iiif.io/").header.Get("Access-Control-Allow-Origin"); got != "*" {
					s.Errorf("%s %s has %q", method, path, got)
				}
			}
		}
	})
	add("http_jsonld", 1, "JSON-LD's media type comes when it is asked for.", func(s *square) {
		if got := s.get(s.in(s.prefix, squaresID, "info.json"), "Accept", "application/ld+json").header.Get("Content-Type"); !strings.HasPrefix(got, "application/ld+json") {
			s.Errorf("it is %q", got)
		}
	})
	for _, relation := range []string{"profile", "canonical"} {
		add("http_linkheader_"+relation, 3, "A picture has the Link header "+relation+".", func(s *square) {
			if target := s.get(s.path("full", "", "0", "default", "jpg")).links()[relation]; target == "" {
				s.Error("it has none")
			}
		})
	}
	add("http_caching", 3, "info.json and pictures have ETag or Last-Modified, with HEAD and GET, and these lead to 304.", func(s *square) {
		for _, path := range []string{s.in(s.prefix, squaresID, "info.json"), s.path("full", "", "0", "default", "jpg")} {
			for _, method := range []string{http.MethodHead, http.MethodGet} {
				header := s.do(method, path).header
				if header.Get("ETag") == "" || header.Get("Last-Modified") == "" {
					s.Errorf("%s %s has %q and %q", method, path, header.Get("ETag"), header.Get("Last-Modified"))
				}
				s.want(http.StatusNotModified, path, "If-None-Match", header.Get("ETag"))
				s.want(http.StatusNotModified, path, "If-Modified-Since", header.Get("Last-Modified"))
			}
		}
	})
}

func addNGRegions(v api, add adder) {
	add("region_pixels", 1, "Five squares, by pixels.", func(s *square) {
		for range 5 {
			column, row := s.between(0, 9), s.between(0, 9)
			s.rectangle(fmt.Sprintf("%d,%d,100,100", column*100, row*100), column, row)
		}
	})
	add("region_percent", 2, "Five squares, by percent.", func(s *square) {
		for range 5 {
			column, row := s.between(0, 9), s.between(0, 9)
			s.rectangle(fmt.Sprintf("pct:%d,%d,10,10", column*10, row*10), column, row)
		}
	})
	add("region_square", map[int]int{2: 3, 3: 1}[v.version], "The region square of a square image is all of it.", func(s *square) {
		m := s.measured(s.path("square", "", "0", "default", "jpg"), 1000, 1000)
		s.alike("square", m, image.Pt(1000, 1000), 0, false, m.Bounds())
	})
	add("region_error_random", 1, "A random region is 400.", func(s *square) {
		s.want(http.StatusBadRequest, s.path(s.garble(6), "", "0", "default", "jpg"))
	})
}

func addNGSizes(v api, add adder) {
	four := func(one func(s *square)) func(*square) {
		return func(s *square) {
			for range 4 {
				one(s)
			}
		}
	}
	add("size_wc", 1, "w, four times: size and picture.", four(func(s *square) { n := s.between(450, 750); s.same(join(n)+",", n, n) }))
	add("size_ch", 1, ",h four times: size and picture.", four(func(s *square) { n := s.between(450, 750); s.same(","+join(n), n, n) }))
	add("size_percent", map[int]int{2: 1, 3: 2}[v.version], "pct:n four times: size and picture.", four(func(s *square) {
		n := s.between(45, 75)
		s.same("pct:"+join(n), 10*n, 10*n)
	}))
	add("size_wh", map[int]int{2: 2, 3: 1}[v.version], "w,h four times: size and picture.", four(func(s *square) {
		w, h := s.between(350, 750), s.between(350, 750)
		s.same(join(w, h), w, h)
	}))
	add("size_bwh", 2, "!w,h four times: size and picture.", four(func(s *square) {
		w, h := s.between(350, 750), s.between(350, 750)
		s.same("!"+join(w, h), min(w, h), min(w, h))
	}))
	add("size_region", 2, "A square at 35 to 90 pixels, five times: size and colour.", func(s *square) {
		for range 5 {
			n, column, row := s.between(35, 90), s.between(0, 9), s.between(0, 9)
			m := s.measured(s.path(fmt.Sprintf("%d,%d,100,100", column*100, row*100), join(n, n), "0", "default", "jpg"), n, n)
			if !s.is(m, m.Bounds(), column, row) {
				s.Errorf("the square %d,%d has another colour", column, row)
			}
		}
	})
	add("size_error_random", 1, "A random size is 400, four times.", four(func(s *square) {
		s.want(http.StatusBadRequest, s.path("full", s.garble(6), "0", "default", "jpg"))
	}))
	if v.version == 2 {
		add("size_up", 3, ",h above the image's: size and picture.", func(s *square) { n := s.between(1100, 2000); s.same(","+join(n), n, n) })
		return
	}
	add("size_nofull", 0, "The size full is not answered 200.", func(s *square) { s.want(http.StatusBadRequest, s.path("full", "full", "0", "default", "jpg")) })
	add("size_noup", 1, "Without ^, no size above the image's is answered 200; confined_upscale reject is set.", func(s *square) {
		n := s.between(1100, 2000)
		for _, size := range []string{join(n, n), "," + join(n), join(n) + ",", "pct:200", "!2000,3000"} {
			s.want(http.StatusBadRequest, s.path("full", size, "0", "default", "jpg"))
		}
	})
	add("size_up", 3, "With ^, sizes above the image's are made: size and picture.", func(s *square) {
		n := s.between(1100, 2000)
		s.want(http.StatusBadRequest, s.path("full", ","+join(n), "0", "default", "jpg"))
		s.same("^"+join(n, n), n, n)
		s.same("^,"+join(n), n, n)
		s.same("^"+join(n)+",", n, n)
		s.same("^max", 1000, 1000)
		s.same("^pct:200", 2000, 2000)
		s.same("^!2000,500", 500, 500)
		s.same("^!2000,3000", 2000, 2000)
	})
}

func addNGRotations(add adder) {
	full := image.Pt(1000, 1000)
	add("rot_full_basic", 2, "Turned by 90, 180 and 270, it is the right picture.", func(s *square) {
		for _, degrees := range []float64{90, 180, 270} {
			m := s.measured(s.path("full", "", fmt.Sprint(degrees), "default", "jpg"), 1000, 1000)
			s.alike("turned", m, full, degrees, false, m.Bounds())
		}
	})
	add("rot_region_basic", 2, "Regions, turned by 90, 180 and 270, are the right picture.", func(s *square) {
		for range 2 {
			x, y, w, h := s.between(0, 500), s.between(0, 500), s.between(100, 400), s.between(100, 400)
			for _, degrees := range []float64{90, 180, 270} {
				width, height := w, h
				if degrees != 180 {
					width, height = h, w
				}
				m := s.measured(s.path(fmt.Sprintf("%d,%d,%d,%d", x, y, w, h), "", fmt.Sprint(degrees), "default", "jpg"), width, height)
				s.part("turned", m, image.Rect(x, y, x+w, y+h), degrees, m.Bounds())
			}
		}
	})
	add("rot_mirror", 3, "Mirrored, it is the right picture.", func(s *square) {
		m := s.measured(s.path("full", "", "!0", "default", "jpg"), 1000, 1000)
		s.alike("mirrored", m, full, 0, true, m.Bounds())
	})
	add("rot_mirror_180", 3, "Mirrored and turned by 180, too.", func(s *square) {
		m := s.measured(s.path("full", "", "!180", "default", "jpg"), 1000, 1000)
		s.alike("mirrored", m, full, 180, true, m.Bounds())
	})
	add("rot_full_non90", 3, "Turned by any angle, 300 by 300 pixels of it are right.", func(s *square) {
		degrees := float64(s.between(0, 3)*90 + s.between(1, 89))
		m := s.decoded(s.path("full", "", fmt.Sprint(degrees), "default", "jpg"))
		s.alike("turned", m, full, degrees, false, image.Rect(300, 300, 600, 600))
	})
	add("rot_region_non90", 3, "Regions, turned by any angle, are right in a quarter of them, as far as that has content.", func(s *square) {
		for range 2 {
			x, y, w, h := s.between(0, 500), s.between(0, 500), s.between(100, 400), s.between(100, 400)
			degrees := float64(s.between(0, 3)*90 + s.between(1, 89))
			m := s.decoded(s.path(fmt.Sprintf("%d,%d,%d,%d", x, y, w, h), "", fmt.Sprint(degrees), "default", "jpg"))
			s.part("turned", m, image.Rect(x, y, x+w, y+h), degrees, image.Rect(w/4, h/4, w/2, h/2))
		}
	})
	add("rot_error_random", 1, "A random rotation is 400.", func(s *square) {
		s.want(http.StatusBadRequest, s.path("full", "", "x"+s.garble(3), "default", "jpg"))
	})
}

// part is alike for a region that was turned and not scaled.
func (s *square) part(what string, m *image.NRGBA, region image.Rectangle, degrees float64, part image.Rectangle) {
	s.Helper()
	e := expectation{region: region, size: region.Size(), degrees: degrees}
	var sum float64
	count := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			u, v, inside := e.source(m.Bounds().Size(), x, y)
			if inside < 1 {
				continue
			}
			got, want := m.NRGBAAt(x, y), squareColour(min(int(u/100), 9), min(int(v/100), 9))
			for _, pair := range [][2]uint8{{got.R, want.R}, {got.G, want.G}, {got.B, want.B}} {
				sum += math.Abs(float64(pair[0]) - float64(pair[1]))
				count++
			}
		}
	}
	if count > 0 && sum/float64(count) >= 6 {
		s.Errorf("%s: %v by %v differs by %.2f in the mean", what, region, degrees, sum/float64(count))
	}
}

func addNGFormats(v api, add adder) {
	add("quality_color", 2, "color is in colour.", func(s *square) {
		if s.share(s.path("full", "", "0", "color", "jpg"), 5) > 0.35 {
			s.Error("it is gray")
		}
	})
	add("quality_grey", 2, "gray has equal red, green and blue in 99 of 100 pixels.", func(s *square) {
		if share := s.share(s.path("full", "", "0", "gray", "jpg"), 1); share < 0.99 {
			s.Errorf("%v of the pixels are gray", share)
		}
	})
	add("quality_bitonal", 3, "bitonal has black and white pixels only: 99 of 100, in PNG.", func(s *square) {
		m := s.decoded(s.path("full", "", "0", "bitonal", "png"))
		right := 0
		for i := 0; i < len(m.Pix); i += 4 {
			if c := m.Pix[i]; (c == 0 || c == 255) && m.Pix[i+1] == c && m.Pix[i+2] == c {
				right++
			}
		}
		if right < 990000 {
			s.Errorf("%d of 1000000 pixels are black or white", right)
		}
		s.decoded(s.path("full", "", "0", "bitonal", "jpg"))
	})
	add("quality_error_random", 1, "A random quality is 400.", func(s *square) {
		s.want(http.StatusBadRequest, s.path("full", "", "0", s.garble(6), "jpg"))
	})
	add("format_error_random", 1, "A random format is 400.", func(s *square) {
		s.want(http.StatusBadRequest, s.path("full", "", "0", "default", s.garble(3)))
	})
	for i, format := range []string{"jpg", "png", "tif", "gif", "webp", "jp2", "pdf"} {
		add("format_"+format, []int{0, 2, 3, 3, 3, 3, 3}[i], "The format "+format+" is one.", func(s *square) { s.format(format) })
	}
}
