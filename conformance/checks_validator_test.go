package conformance_test

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// validatorChecks ask what IIIF/image-validator asks, at all its levels, and accept what it accepts. It has a picture of
// 10 by 10 squares, and takes a colour as right when each of red, green and blue is less than 6 off. Its random numbers
// are ours, from a fixed start, so that a failure comes again.
func validatorChecks() []check {
	var checks []check
	for _, v := range versions() {
		add := func(name string, level int, text string, run func(*square)) {
			section := fmt.Sprintf("level %d", level)
			if level > 2 {
				section = "optional"
			}
			checks = append(checks, check{
				number: fmt.Sprintf("V%d-%s", v.version, name), strength: must, section: section, text: text,
				run: v.bind(func(p *probe) {
					run(&square{probe: p, prefix: strictPrefix, random: rand.New(rand.NewPCG(7, uint64(len(name))))}) //nolint:gosec // No secrets.
				}),
			})
		}
		addValidatorInfo(v, add)
		addValidatorRegions(v, add)
		addValidatorSizes(v, add)
		addValidatorRotations(v, add)
		addValidatorFormats(v, add)
	}
	return checks
}

// square measures with the validators' picture. Its requests go to the collection with confined_upscale reject and
// upscaling named, since one test each wants that, against the specification.
type square struct {
	*probe
	prefix string
	random *rand.Rand
}

type adder func(name string, level int, text string, run func(*square))

func (s *square) path(region, size, rotation, quality, format string) string {
	if size == "" {
		size = s.api.whole
	}
	return s.in(s.prefix, squaresID, region+"/"+size+"/"+rotation+"/"+quality+"."+format)
}

// between is a random number, both ends included.
func (s *square) between(low, high int) int { return low + s.random.IntN(high-low+1) }

// garble makes random text of the characters from 0 to z, without those that end a path segment.
func (s *square) garble(length int) string {
	out := make([]byte, length)
	for i := range out {
		out[i] = byte(s.between('0', 'z'))
	}
	return encodeID(strings.NewReplacer("?", "$", "#", "$", "/", "$").Replace(string(out)))
}

// most is the colour that most pixels of a part have.
func most(m *image.NRGBA, part image.Rectangle) color.NRGBA {
	counts := map[color.NRGBA]int{}
	var found color.NRGBA
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			c := m.NRGBAAt(x, y)
			if counts[c]++; counts[c] > counts[found] {
				found = c
			}
		}
	}
	return found
}

func (s *square) is(m *image.NRGBA, part image.Rectangle, column, row int) bool {
	return near(most(m, part), squareColour(column, row)) < 6
}

// some looks at five random squares of a picture of the whole, of which so many must be right.
func (s *square) some(m *image.NRGBA, enough int) {
	s.Helper()
	size := m.Bounds().Size()
	width, height := size.X/10, size.Y/10
	right := 0
	for range 5 {
		column, row := s.between(0, 9), s.between(0, 9)
		if s.is(m, image.Rect(column*width+13, row*height+13, column*width+width, row*height+height), column, row) {
			right++
		}
	}
	if right < enough {
		s.Errorf("%d of 5 squares have their colour", right)
	}
}

func addValidatorInfo(v api, add adder) {
	add("info_json", 0, "info.json has its properties, of the right kinds.", func(s *square) { s.structure(s.prefix) })
	add("id_basic", 0, "A picture comes.", func(s *square) { s.decoded(s.path("full", "", "0", "default", "jpg")) })
	add("id_squares", 0, "It is the right picture: four of five squares.", func(s *square) {
		s.some(s.measured(s.path("full", "", "0", "default", "jpg"), 1000, 1000), 4)
	})
	add("id_escaped", 1, "A hyphen that is percent-encoded is a hyphen.", func(s *square) {
		s.decoded(strings.ReplaceAll(s.path("full", "", "0", "default", "jpg"), "-squares", "%2Dsquares"))
	})
	add("id_error_random", 1, "A random identifier is 404.", func(s *square) {
		s.want(http.StatusNotFound, s.in(s.prefix, "3d6b4b52-1f2c-11ee-be56-0242ac120002", "full/"+v.whole+"/0/default.jpg"))
	})
	add("id_error_escapedslash", 1, "An identifier with a slash that is not encoded is 404.", func(s *square) {
		s.want(http.StatusNotFound, s.in(s.prefix, "a/b", "full/"+v.whole+"/0/default.jpg"))
	})
	add("id_error_unescaped", 1, "An identifier with bare brackets is 400 or 404.", func(s *square) {
		if status := s.get(s.in(s.prefix, "[frob]", "full/"+v.whole+"/0/default.jpg")).status; status != http.StatusBadRequest && status != http.StatusNotFound {
			s.Errorf("the status is %d", status)
		}
	})
	add("baseurl_redirect", 1, "The base URI redirects.", func(s *square) {
		base := strings.TrimSuffix(s.in(s.prefix, squaresID, ""), "/")
		a := s.get(base)
		if a.status < 300 || a.status > 399 || a.header.Get("Location") != s.sites.base(base)+base+"/info.json" {
			s.Errorf("it is %d to %q", a.status, a.header.Get("Location"))
		}
	})
	add("cors", 1, "info.json has Access-Control-Allow-Origin: *.", func(s *square) {
		if got := s.get(s.in(s.prefix, squaresID, "info.json"), "Origin", "http://iiif.io/").header.Get("Access-Control-Allow-Origin"); got != "*" {
			s.Errorf("it is %q", got)
		}
	})
	add("jsonld", 1, "JSON-LD's media type comes when it is asked for.", func(s *square) {
		if got := s.get(s.in(s.prefix, squaresID, "info.json"), "Accept", "application/ld+json").header.Get("Content-Type"); !strings.HasPrefix(got, "application/ld+json") {
			s.Errorf("it is %q", got)
		}
	})
	for _, relation := range []string{"profile", "canonical"} {
		add("linkheader_"+relation, 3, "A picture has the Link header "+relation+".", func(s *square) {
			target := s.get(s.path("full", "", "0", "default", "jpg")).links()[relation]
			if target == "" || relation == "profile" && !strings.HasPrefix(target, fmt.Sprintf("http://iiif.io/api/image/%d/", v.version)) {
				s.Errorf("it is %q", target)
			}
		})
	}
}

// structure is what both validators ask of info.json.
func (s *square) structure(prefix string) {
	s.Helper()
	path := s.in(prefix, squaresID, "info.json")
	a := s.want(http.StatusOK, path)
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	if kind != "application/json" && kind != "application/ld+json" {
		s.Errorf("the media type is %q", kind)
	}
	info := s.infoAt(path)
	if info.width != 1000 || info.height != 1000 || info.level < 0 || len(info.sizes) == 0 || len(info.tiles) == 0 {
		s.Errorf("it is %v", info.raw)
	}
	if want := s.sites.base(path) + strings.TrimSuffix(path, "/info.json"); info.id != want {
		s.Errorf("the id is %q, want %q", info.id, want)
	}
	if info.raw["@context"] != fmt.Sprintf("http://iiif.io/api/image/%d/context.json", s.api.version) || info.raw["protocol"] != "http://iiif.io/api/image" {
		s.Errorf("context and protocol are %v and %v", info.raw["@context"], info.raw["protocol"])
	}
	for _, size := range info.sizes {
		if size.X < 1 || size.Y < 1 {
			s.Errorf("there is the size %v", size)
		}
	}
	for _, tile := range info.tiles {
		if tile.size.X < 1 || len(tile.factors) == 0 || slices.Min(tile.factors) < 1 {
			s.Errorf("there is the tile %v", tile)
		}
	}
	if s.api.version == 3 {
		s.structure3(info)
	}
}

func (s *square) structure3(info info) {
	s.Helper()
	if info.raw["type"] != "ImageService3" {
		s.Errorf("the type is %v", info.raw["type"])
	}
	for _, key := range []string{"license", "attribution", "logo"} {
		if _, there := info.raw[key]; there {
			s.Errorf("there is %s", key)
		}
	}
	for _, key := range []string{"extraQualities", "extraFormats", "extraFeatures"} {
		if len(words(info.raw[key])) == 0 || slices.Contains(words(info.raw[key]), "") {
			s.Errorf("%s is %v", key, info.raw[key])
		}
	}
	for _, key := range []string{"service", "partOf", "seeAlso"} {
		for _, object := range objects(info.raw[key]) {
			if object["id"] == nil && object["@id"] == nil || object["type"] == nil && object["@type"] == nil {
				s.Errorf("%s has %v", key, object)
			}
		}
	}
}
