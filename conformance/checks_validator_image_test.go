package conformance_test

import (
	"fmt"
	"image"
	"net/http"
	"strings"
)

func addValidatorRegions(v api, add adder) {
	add("region_pixels", 1, "Regions in pixels: four of five squares.", func(s *square) {
		right := 0
		for range 5 {
			column, row := s.between(0, 9), s.between(0, 9)
			m := s.decoded(s.path(fmt.Sprintf("%d,%d,74,74", column*100+13, row*100+13), "", "0", "default", "jpg"))
			if s.is(m, m.Bounds(), column, row) {
				right++
			}
		}
		if right < 4 {
			s.Errorf("%d of 5", right)
		}
	})
	add("region_percent", 2, "Regions in percent: four of five squares.", func(s *square) {
		right := 0
		for range 5 {
			column, row := s.between(0, 9), s.between(0, 9)
			m := s.decoded(s.path(fmt.Sprintf("pct:%d,%d,9,9", column*10+1, row*10+1), "", "0", "default", "jpg"))
			if s.is(m, m.Bounds(), column, row) {
				right++
			}
		}
		if right < 4 {
			s.Errorf("%d of 5", right)
		}
	})
	level := map[int]int{2: 3, 3: 1}[v.version]
	add("region_square", level, "The region square has equal sides.", func(s *square) {
		s.measured(s.path("square", "", "0", "default", "jpg"), 1000, 1000)
		s.measured(s.in(s.prefix, tallID, "square/"+v.whole+"/0/default.jpg"), 210, 210)
	})
	add("region_error_random", 1, "A random region is 400.", func(s *square) {
		for range 20 {
			s.want(http.StatusBadRequest, s.path(s.garble(6), "", "0", "default", "jpg"))
		}
	})
}

func addValidatorSizes(v api, add adder) {
	add("size_wc", 1, "w,: the size, and four of five squares.", func(s *square) {
		n := s.between(450, 750)
		s.some(s.measured(s.path("full", join(n)+",", "0", "default", "jpg"), n, n), 4)
	})
	add("size_ch", 1, ",h: the size, and four of five squares.", func(s *square) {
		n := s.between(450, 750)
		s.some(s.measured(s.path("full", ","+join(n), "0", "default", "jpg"), n, n), 4)
	})
	add("size_percent", 1, "pct:n: the size, and four of five squares.", func(s *square) {
		n := s.between(45, 75)
		s.some(s.measured(s.path("full", "pct:"+join(n), "0", "default", "jpg"), 10*n, 10*n), 4)
	})
	add("size_wh", 2, "w,h: the size, and four of five squares.", func(s *square) {
		w, h := s.between(350, 750), s.between(350, 750)
		s.some(s.measured(s.path("full", join(w, h), "0", "default", "jpg"), w, h), 4)
	})
	add("size_bwh", 2, "!w,h: the size, and three of five squares.", func(s *square) {
		w, h := s.between(350, 750), s.between(350, 750)
		s.some(s.measured(s.path("full", "!"+join(w, h), "0", "default", "jpg"), min(w, h), min(w, h)), 3)
	})
	add("size_region", 1, "A square at 35 to 90 pixels: size and colour, five times.", func(s *square) {
		for range 5 {
			n, column, row := s.between(35, 90), s.between(0, 9), s.between(0, 9)
			m := s.measured(s.path(fmt.Sprintf("%d,%d,100,100", column*100, row*100), join(n, n), "0", "default", "jpg"), n, n)
			if !s.is(m, m.Bounds(), column, row) {
				s.Errorf("the square %d,%d is %v, want %v", column, row, most(m, m.Bounds()), squareColour(column, row))
			}
		}
	})
	add("size_error_random", 1, "A random size is 400.", func(s *square) {
		for range 20 {
			s.want(http.StatusBadRequest, s.path("full", s.garble(6), "0", "default", "jpg"))
		}
	})
	if v.version == 2 {
		add("size_up", 3, ",h above the image's: the size, and three of five squares.", func(s *square) {
			n := s.between(1100, 2000)
			s.some(s.measured(s.path("full", ","+join(n), "0", "default", "jpg"), n, n), 3)
		})
		return
	}
	add("size_noup", 1, "Without ^, no size above the image's is made; that takes !w,h in, for which confined_upscale reject is set.", func(s *square) {
		n := s.between(1100, 2000)
		for _, size := range []string{join(n, n), "," + join(n), join(n) + ",", "pct:200", "!2000,3000"} {
			s.want(http.StatusBadRequest, s.path("full", size, "0", "default", "jpg"))
		}
	})
	add("size_nofull", 0, "The size full is not answered 200.", func(s *square) {
		s.want(http.StatusBadRequest, s.path("full", "full", "0", "default", "jpg"))
	})
	add("size_up", 3, "With ^, sizes above the image's are made: the size, and three of five squares.", func(s *square) {
		n := s.between(1100, 2000)
		for _, size := range []string{"^" + join(n, n), "^," + join(n), "^" + join(n) + ","} {
			s.some(s.measured(s.path("full", size, "0", "default", "jpg"), n, n), 3)
		}
		s.some(s.measured(s.path("full", "^max", "0", "default", "jpg"), 1000, 1000), 3)
		s.some(s.measured(s.path("full", "^pct:200", "0", "default", "jpg"), 2000, 2000), 3)
		s.some(s.measured(s.path("full", "^!2000,500", "0", "default", "jpg"), 500, 500), 3)
		s.some(s.measured(s.path("full", "^!2000,3000", "0", "default", "jpg"), 2000, 2000), 3)
	})
}

func addValidatorRotations(v api, add adder) {
	// Two opposite corners show which squares are there now.
	corners := func(s *square, rotation string, first, last image.Point) {
		s.Helper()
		m := s.measured(s.path("full", "", rotation, "default", "jpg"), 1000, 1000)
		if !s.is(m, image.Rect(12, 12, 76, 76), first.X, first.Y) || !s.is(m, image.Rect(912, 912, 976, 976), last.X, last.Y) {
			s.Errorf("turned by %s, the corners are wrong", rotation)
		}
	}
	add("rot_full_basic", 2, "Turned by 90, 180 and 270, the corners are where they should be.", func(s *square) {
		corners(s, "180", image.Pt(9, 9), image.Pt(0, 0))
		corners(s, "90", image.Pt(0, 9), image.Pt(9, 0))
		corners(s, "270", image.Pt(9, 0), image.Pt(0, 9))
	})
	add("rot_mirror", 3, "Mirrored, the corners are where they should be.", func(s *square) { corners(s, "!0", image.Pt(9, 0), image.Pt(0, 9)) })
	add("rot_mirror_180", 3, "Mirrored and turned by 180, too.", func(s *square) { corners(s, "!180", image.Pt(0, 9), image.Pt(9, 0)) })
	add("rot_region_basic", 2, "A square, turned by 180, has its colour and size.", func(s *square) {
		for range 4 {
			column, row := s.between(0, 9), s.between(0, 9)
			m := s.measured(s.path(fmt.Sprintf("%d,%d,76,76", column*100+13, row*100+13), "", "180", "default", "jpg"), 76, 76)
			if !s.is(m, m.Bounds(), column, row) {
				s.Errorf("the square %d,%d has another colour", column, row)
			}
		}
	})
	add("rot_full_non90", 3, "Turned by any angle, a picture comes.", func(s *square) {
		s.decoded(s.path("full", "", join(s.between(1, 359)), "default", "jpg"))
	})
	add("rot_region_non90", 3, "A square, turned by any angle, comes.", func(s *square) {
		for range 4 {
			s.decoded(s.path(fmt.Sprintf("%d,%d,100,100", s.between(0, 9)*100, s.between(0, 9)*100), "", join(s.between(1, 359)), "default", "jpg"))
		}
	})
	add("rot_error_random", 1, "A random rotation is 400.", func(s *square) {
		for range 20 {
			// Four random characters may be a number; the validator does not think of that.
			if text := s.garble(4); strings.Trim(text, "0123456789.") != "" {
				s.want(http.StatusBadRequest, s.path("full", "", text, "default", "jpg"))
			}
		}
	})
}

func addValidatorFormats(v api, add adder) {
	add("quality_color", 2, "color is in colour.", func(s *square) {
		if s.share(s.path("full", "", "0", "color", "jpg"), 5) > 0.35 {
			s.Error("it is gray")
		}
	})
	add("quality_grey", 2, "gray has pixels whose colours differ by less than 5: two thirds of them and more.", func(s *square) {
		if share := s.share(s.path("full", "", "0", "gray", "jpg"), 5); share <= 0.65 {
			s.Errorf("%v of the pixels are gray", share)
		}
	})
	add("quality_bitonal", 2, "bitonal has pixels that are black or white: two thirds of them and more.", func(s *square) {
		m := s.decoded(s.path("full", "", "0", "bitonal", "jpg"))
		right := 0
		for i := 0; i < len(m.Pix); i += 4 {
			if sum := int(m.Pix[i]) + int(m.Pix[i+1]) + int(m.Pix[i+2]); sum < 15 || sum > 750 {
				right++
			}
		}
		if right <= 650000 {
			s.Errorf("%d of 1000000 pixels are black or white", right)
		}
	})
	add("quality_error_random", 1, "A random quality is 400.", func(s *square) {
		for range 20 {
			s.want(http.StatusBadRequest, s.path("full", "", "0", s.garble(6), "jpg"))
		}
	})
	add("format_error_random", 1, "A random format is 400.", func(s *square) {
		for range 20 {
			s.want(http.StatusBadRequest, s.path("full", "", "0", "default", s.garble(3)))
		}
	})
	for i, format := range []string{"jpg", "png", "tif", "gif", "webp", "jp2", "pdf"} {
		add("format_"+format, []int{0, 2, 3, 3, 3, 3, 3}[i], "The format "+format+" begins as such files do.", func(s *square) { s.format(format) })
	}
}

// format checks the first bytes of a format, which is listed or refused.
func (s *square) format(format string) {
	s.Helper()
	path := s.path("full", "", "0", "default", format)
	for _, listed := range s.infoAt(s.in(s.prefix, squaresID, "info.json")).allFormats() {
		if listed == format {
			if a := s.want(http.StatusOK, path); !signed(format, a.body) {
				s.Errorf("it begins with %.20q", a.body)
			}
			return
		}
	}
	s.want(http.StatusBadRequest, path)
}

// share is how many pixels, of all, have colours that differ by less than so much.
func (s *square) share(path string, less int) float64 {
	s.Helper()
	m := s.decoded(path)
	gray := 0
	for i := 0; i < len(m.Pix); i += 4 {
		r, g, b := int(m.Pix[i]), int(m.Pix[i+1]), int(m.Pix[i+2])
		if max(r, g)-min(r, g) < less && max(g, b)-min(g, b) < less {
			gray++
		}
	}
	return float64(gray) / float64(len(m.Pix)/4)
}
