package conformance_test

import (
	"image"
	"net/http"
	"slices"
	"strings"
)

// infoRequestChecks are those on how info.json is asked for, §5 and §5.1.
func infoRequestChecks(v api) []check {
	const linked3 = `application/ld+json;profile="http://iiif.io/api/image/3/context.json"`
	types := func(want string, accepts ...string) func(*probe) {
		return func(p *probe) {
			for _, accept := range accepts {
				headers := []string{"Accept", accept}
				if accept == "" {
					headers = nil
				}
				if got := p.want(http.StatusOK, p.address(cardID, "info.json"), headers...).header.Get("Content-Type"); got != want {
					p.Errorf("with Accept %q the media type is %q, want %q", accept, got, want)
				}
			}
		}
	}
	checks := []check{
		v.check("5", 1, must, "Image information can be asked for, for every image.", func(p *probe) {
			for id, size := range map[string]image.Point{
				cardID: {X: 600, Y: 400}, tallID: {X: 210, Y: 600}, grayID: {X: 200, Y: 150}, largeID: {X: 2001, Y: 1403}, pyramidID: {X: 1100, Y: 701},
				pagesID: {X: 240, Y: 160}, pagesID + ";p=2": {X: 120, Y: 80}, clearID: {X: 120, Y: 80},
			} {
				if info := p.info(id); info.width != size.X || info.height != size.Y {
					p.Errorf("%s is %d by %d, want %v", id, info.width, info.height, size)
				}
			}
		}),
		v.check("5.1", 1, should, "Any page may read it: Access-Control-Allow-Origin is *.", func(p *probe) {
			if got := p.get(p.address(cardID, "info.json"), "Origin", "https://viewer.example.org").header.Get("Access-Control-Allow-Origin"); got != "*" {
				p.Errorf("it is %q", got)
			}
		}),
	}
	if v.version == 2 {
		return append(checks,
			v.check("5.1", 2, must, "Its media type is application/json unless JSON-LD is asked for.", types("application/json", "", "*/*", "application/json", "text/html", "application/*")),
			v.check("5.1", 3, must, "It is application/ld+json where Accept names that.", types("application/ld+json", "application/ld+json", "application/json;q=0.5, application/ld+json",
				"text/html, application/ld+json;q=0.9, */*;q=0.1")),
			v.check("5.1", 4, must, "The content is the same in both.", sameContent),
		)
	}
	return append(checks,
		v.check("5.1", 2, should, "Without Accept its media type is application/ld+json with the context as profile.", types(linked3, "")),
		v.check("5.1", 3, should, "Accept is followed by the rules of content negotiation.", func(p *probe) {
			types(linked3, "application/ld+json", "application/ld+json, application/json;q=0.9", "application/json;q=0.2, application/ld+json;q=0.8")(p)
			types("application/json", "application/json", "application/json, application/ld+json;q=0.5", "*/*")(p)
			if vary := p.get(p.address(cardID, "info.json")).header.Values("Vary"); !slices.Contains(vary, "Accept") {
				p.Errorf("Vary is %q", vary)
			}
		}),
		v.check("5.1", 4, may, "A media type in Accept may have parameters, profile and charset among them.", func(p *probe) {
			types(linked3, linked3, `application/ld+json; profile="http://iiif.io/api/image/3/context.json"; charset=utf-8`, "application/ld+json;charset=utf-8")(p)
			types("application/json", "application/json;charset=utf-8")(p)
		}),
		v.check("5.1", 5, must, "The content is the same in both.", sameContent),
	)
}

func sameContent(p *probe) {
	plain, linked := p.get(p.address(cardID, "info.json"), "Accept", "application/json"), p.get(p.address(cardID, "info.json"), "Accept", "application/ld+json")
	if string(plain.body) != string(linked.body) || len(plain.body) == 0 {
		p.Error("they differ")
	}
}

func infoChecks(v api) []check {
	checks := append(propertyChecks(v), sizeListChecks(v)...)
	if v.version == 2 {
		return append(checks, profileChecks2(v)...)
	}
	return append(checks, extraChecks3(v)...)
}

// propertyChecks are those on the single properties, §5.2.
func propertyChecks(v api) []check {
	context := "http://iiif.io/api/image/" + string(rune('0'+v.version)) + "/context.json"
	checks := []check{
		v.check("5.2", 1, must, "@context is the version's own.", func(p *probe) {
			if got := p.info(cardID).raw["@context"]; got != context {
				p.Errorf("it is %v", got)
			}
		}),
		v.check("5.2", 2, must, "The id is the base URI, without a slash at its end.", func(p *probe) {
			if got, want := p.info(cardID).id, p.sites.base("")+strings.TrimSuffix(p.address(cardID, ""), "/"); got != want {
				p.Errorf("it is %q, want %q", got, want)
			}
			if info := p.infoAt(p.address(pagesID, "info.json?page=2")); !strings.HasSuffix(info.id, pagesID+";p=2") {
				p.Errorf("with ?page=2 it is %q", info.id)
			}
		}),
		v.check("5.2", 3, must, "protocol is http://iiif.io/api/image.", func(p *probe) {
			if got := p.info(cardID).raw["protocol"]; got != "http://iiif.io/api/image" {
				p.Errorf("it is %v", got)
			}
		}),
		v.check("5.2", 4, must, "width and height are the image's, as whole numbers.", func(p *probe) {
			if info := p.info(pyramidID); info.width != 1100 || info.height != 701 {
				p.Errorf("they are %v and %v", info.raw["width"], info.raw["height"])
			}
		}),
		v.check("5.2", 5, must, "The compliance level has the form of the version.", func(p *probe) {
			if info := p.info(cardID); info.level < 0 {
				p.Errorf("profile is %v", info.raw["profile"])
			}
		}),
		v.check("5.2", 6, must, "No property has a value of the wrong kind, and none is null.", func(p *probe) {
			for key, value := range p.info(largeID).raw {
				if value == nil {
					p.Errorf("%s is null", key)
				}
			}
		}),
	}
	if v.version == 2 {
		return append(checks, v.check("5.2", 7, may, "@type, where it is there, is iiif:Image.", func(p *probe) {
			if got, there := p.info(cardID).raw["@type"]; there && got != "iiif:Image" {
				p.Errorf("it is %v", got)
			}
		}), v.check("5.2", 8, must, "The @type of sizes and tiles, where it is there, is iiif:Size and iiif:Tile.", func(p *probe) {
			for key, want := range map[string]string{"sizes": "iiif:Size", "tiles": "iiif:Tile"} {
				for _, object := range objects(p.info(largeID).raw[key]) {
					if got, there := object["@type"]; there && got != want {
						p.Errorf("%s has the @type %v", key, got)
					}
				}
			}
		}))
	}
	return append(checks,
		v.check("5.2", 7, must, "type is ImageService3.", func(p *probe) {
			if got := p.info(cardID).raw["type"]; got != "ImageService3" {
				p.Errorf("it is %v", got)
			}
		}),
		v.check("5.2", 8, should, "@context is the first property.", func(p *probe) {
			if text := p.info(cardID).text; !strings.HasPrefix(text, `{"@context":`) {
				p.Errorf("it begins with %.40q", text)
			}
		}),
		v.check("5.2", 9, must, "Where there is maxHeight there is maxWidth; they and maxArea are whole numbers.", func(p *probe) { p.limitsStated() }),
		v.check("5.2", 10, must, "Every size and tile that is listed is within the limits.", func(p *probe) { p.withinLimits() }),
		v.check("5.2", 11, must, "No property of version 2 is left: @id, @type, attribution, license, logo.", func(p *probe) {
			for _, key := range []string{"@id", "@type", "attribution", "license", "logo"} {
				if value, there := p.info(cardID).raw[key]; there {
					p.Errorf("%s is %v", key, value)
				}
			}
		}))
}

func (p *probe) limitsStated() {
	p.Helper()
	if info := p.info(cardID); info.maxWidth != 8192 || info.maxHeight != 8192 {
		p.Errorf("they are %d and %d", info.maxWidth, info.maxHeight)
	}
	if info := p.infoAt(p.in(limitedPrefix, cardID, "info.json")); info.maxWidth != limitWidth || info.maxHeight != limitHeight {
		p.Errorf("on the limited server they are %d and %d", info.maxWidth, info.maxHeight)
	}
	if info := p.infoAt(p.in(areaPrefix, cardID, "info.json")); info.maxArea != limitArea {
		p.Errorf("maxArea is %d", info.maxArea)
	}
}

func (p *probe) withinLimits() {
	p.Helper()
	for _, path := range []string{p.in(limitedPrefix, largeID, "info.json"), p.in(limitedPrefix, pyramidID, "info.json"), p.address(largeID, "info.json"), p.in(areaPrefix, largeID, "info.json"), p.in(areaPrefix, pyramidID, "info.json")} {
		info := p.infoAt(path)
		if len(info.sizes) == 0 || len(info.tiles) == 0 {
			p.Errorf("%s lists %d sizes and %d tiles", path, len(info.sizes), len(info.tiles))
		}
		for _, size := range info.sizes {
			if size.X > info.maxWidth || size.Y > info.maxHeight || info.maxArea > 0 && size.X*size.Y > info.maxArea {
				p.Errorf("%s lists the size %v", path, size)
			}
		}
		for _, tile := range info.tiles {
			if tile.size.X > info.maxWidth || tile.size.Y > info.maxHeight || info.maxArea > 0 && tile.size.X*tile.size.Y > info.maxArea {
				p.Errorf("%s lists the tile %v", path, tile.size)
			}
		}
	}
}

// sizeListChecks are those on sizes and tiles: §5.2 in version 2.1.1, §5.3 and §5.4 in 3.0.
func sizeListChecks(v api) []check {
	sizes, first, tiles, second := "5.3", 1, "5.4", 1
	if v.version == 2 {
		sizes, first, tiles, second = "5.2", 11, "5.2", 21
	}
	return []check{
		v.check(sizes, first, must, "Each listed size can be had as w,h.", func(p *probe) {
			for _, id := range []string{cardID, largeID, pyramidID, tallID} {
				for _, size := range p.info(id).sizes {
					p.sizedOf(id, "full/"+join(size.X, size.Y)+"/0/default.jpg", size.X, size.Y)
				}
			}
		}),
		v.check(sizes, first+1, should, "It can also be had as w,.", func(p *probe) {
			for _, id := range []string{cardID, largeID, pyramidID, tallID} {
				for _, size := range p.info(id).sizes {
					p.sizedOf(id, "full/"+join(size.X)+",/0/default.jpg", size.X, size.Y)
				}
			}
		}),
		v.check(sizes, first+2, ours, "Sizes go from small to large, one for each scale factor, rounded up.", func(p *probe) {
			for _, id := range []string{cardID, largeID, pyramidID, tallID} {
				info := p.info(id)
				var want []image.Point
				for _, factor := range slices.Backward(info.tiles[0].factors) {
					want = append(want, image.Pt(ceil(info.width, factor), ceil(info.height, factor)))
				}
				if !slices.Equal(info.sizes, want) {
					p.Errorf("%s lists %v, want %v", id, info.sizes, want)
				}
			}
		}),
		v.check(tiles, second, must, "Each tile at each scale factor can be had, with exactly the size that the specification computes.", func(p *probe) {
			for _, id := range []string{cardID, pyramidID, largeID} {
				p.allTiles(p.address(id, ""), "jpg")
			}
		}),
		v.check(tiles, second+1, must, "No two entries of tiles have the same width and height.", func(p *probe) {
			for _, id := range []string{cardID, pyramidID, largeID} {
				seen := map[image.Point]bool{}
				for _, tile := range p.info(id).tiles {
					if seen[tile.size] || tile.size.X < 1 || tile.size.Y < 1 {
						p.Errorf("%s has the tile %v", id, tile.size)
					}
					seen[tile.size] = true
				}
			}
		}),
		v.check(tiles, second+2, should, "A scale factor is a positive whole number that is there once.", func(p *probe) {
			for _, id := range []string{cardID, pyramidID, largeID} {
				seen := map[int]bool{}
				for _, tile := range p.info(id).tiles {
					for _, factor := range tile.factors {
						if seen[factor] || factor < 1 {
							p.Errorf("%s has the scale factor %d", id, factor)
						}
						seen[factor] = true
					}
				}
			}
		}),
		v.check(tiles, second+3, should, "Sizes and tiles can be had in all combinations of qualities and formats.", func(p *probe) {
			info := p.info(pyramidID)
			size := info.sizes[0]
			for _, format := range info.allFormats() {
				for _, quality := range info.allQualities(p.api) {
					level, tile := "full/"+join(size.X, size.Y)+"/0/"+quality+"."+format, "1024,512,76,189/38,/0/"+quality+"."+format
					if slow(format) {
						p.comes(pyramidID, level, format)
						p.comes(pyramidID, tile, format)
						continue
					}
					p.sizedOf(pyramidID, level, size.X, size.Y)
					p.sizedOf(pyramidID, tile, 38, 95)
				}
			}
		}),
	}
}

// comes checks that a picture begins as its format does. Its size is checked elsewhere.
func (p *probe) comes(id, params, format string) {
	p.Helper()
	if a := p.want(http.StatusOK, p.address(id, params)); !signed(format, a.body) || a.header.Get("Content-Type") != mediaTypes()[format] {
		p.Errorf("%s is %q and begins with %.20q", a.path, a.header.Get("Content-Type"), a.body)
	}
}

func ceil(n, divisor int) int { return (n + divisor - 1) / divisor }

// allTiles asks for each tile that info.json below a base promises, as viewers compute them: by w, in version 2 and by
// w,h in version 3 (implementation notes of both).
func (p *probe) allTiles(base, format string) {
	p.Helper()
	info := p.infoAt(base + "info.json")
	asked := 0
	for _, tile := range info.tiles {
		for _, factor := range tile.factors {
			step := tile.size.Mul(factor)
			for y := 0; y < info.height; y += step.Y {
				for x := 0; x < info.width; x += step.X {
					region := image.Rect(x, y, min(x+step.X, info.width), min(y+step.Y, info.height))
					size := image.Pt(ceil(region.Dx(), factor), ceil(region.Dy(), factor))
					asked++
					p.measured(base+pixels(region)+"/"+join(size.X, size.Y)+"/0/default."+format, size.X, size.Y)
					p.measured(base+pixels(region)+"/"+join(size.X)+",/0/default."+format, size.X, size.Y)
				}
			}
		}
	}
	if asked == 0 {
		p.Errorf("%s promises no tile", base)
	}
}
