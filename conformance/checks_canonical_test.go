package conformance_test

import (
	"net/http"
	"strings"
)

// forms are requests with their canonical forms, as {image, asked, canonical}.
func forms(v api) [][3]string {
	if v.version == 2 {
		return [][3]string{
			{cardID, "full/full/0/default.jpg", "full/full/0/default.jpg"},
			{cardID, "0,0,600,400/max/0/default.jpg", "full/full/0/default.jpg"},
			{cardID, "pct:0,0,100,100/pct:100/0/default.jpg", "full/full/0/default.jpg"},
			{equalID, "square/320,/0/default.jpg", "full/full/0/default.jpg"},
			{cardID, "square/,100/0/default.jpg", "100,0,400,400/100,/0/default.jpg"},
			{cardID, "pct:50,50,60,60/pct:50/0/default.jpg", "300,200,300,200/150,/0/default.jpg"},
			{cardID, "full/150,100/0/default.jpg", "full/150,/0/default.jpg"},
			{cardID, "full/!150,150/0/default.jpg", "full/150,/0/default.jpg"},
			{cardID, "full/,100/0/default.jpg", "full/150,/0/default.jpg"},
			{cardID, "full/150,101/0/default.jpg", "full/150,101/0/default.jpg"},
			{cardID, "full/pct:150/0/default.jpg", "full/900,/0/default.jpg"},
			{cardID, "full/150,/360/default.jpg", "full/150,/0/default.jpg"},
			{cardID, "full/150,/!0.0/default.jpg", "full/150,/!0/default.jpg"},
			{cardID, "full/150,/022.50/default.png", "full/150,/22.5/default.png"},
			{cardID, "full/150,/0.5/default.png", "full/150,/.5/default.png"},
			{cardID, "full/150,/0/grey.png", "full/150,/0/gray.png"},
		}
	}
	return [][3]string{
		{cardID, "full/max/0/default.jpg", "full/max/0/default.jpg"},
		{cardID, "0,0,600,400/600,/0/default.jpg", "full/max/0/default.jpg"},
		{cardID, "pct:0,0,100,100/pct:100/0/default.jpg", "full/max/0/default.jpg"},
		{equalID, "square/320,/0/default.jpg", "full/max/0/default.jpg"},
		{cardID, "square/,100/0/default.jpg", "100,0,400,400/100,100/0/default.jpg"},
		{cardID, "pct:50,50,60,60/pct:50/0/default.jpg", "300,200,300,200/150,100/0/default.jpg"},
		{cardID, "full/150,/0/default.jpg", "full/150,100/0/default.jpg"},
		{cardID, "full/!150,150/0/default.jpg", "full/150,100/0/default.jpg"},
		{cardID, "full/^150,/0/default.jpg", "full/150,100/0/default.jpg"},
		{cardID, "full/^600,400/0/default.jpg", "full/max/0/default.jpg"},
		{cardID, "full/^pct:150/0/default.jpg", "full/^900,600/0/default.jpg"},
		{cardID, "0,0,200,1/^8192,/0/default.jpg", "0,0,200,1/^max/0/default.jpg"},
		{cardID, "full/150,/360/default.jpg", "full/150,100/0/default.jpg"},
		{cardID, "full/150,/!0.0/default.jpg", "full/150,100/!0/default.jpg"},
		{cardID, "full/150,/022.50/default.png", "full/150,100/22.5/default.png"},
		{cardID, "full/150,/.5/default.png", "full/150,100/0.5/default.png"},
	}
}

func canonicalChecks(v api) []check {
	section := "4.8"
	if v.version == 2 {
		section = "4.7"
	}
	each := func(part int, where func(form [3]string) bool) func(*probe) {
		return func(p *probe) {
			for _, form := range forms(p.api) {
				if !where(form) {
					continue
				}
				got, want := strings.Split(p.canonical(form[0], form[1]), "/"), strings.Split(form[2], "/")
				if len(got) != 4 || got[part] != want[part] {
					p.Errorf("the canonical form of %s is %v, want %v", form[1], got, want)
				}
			}
		}
	}
	all := func([3]string) bool { return true }
	sizeText := "The canonical size is full, w, where the proportions are kept, and else w,h."
	rotationText := "The canonical rotation has no zeros at its end and none before its dot."
	if v.version == 3 {
		sizeText = "The canonical size is max, ^max, w,h or, enlarged, ^w,h."
		rotationText = "The canonical rotation is a whole number where possible, and else without zeros at its end."
	}
	return []check{
		v.check(section, 1, may, "A Link header names the canonical address of a picture.", func(p *probe) {
			a := p.want(http.StatusOK, p.address(cardID, "full/60,/0/default.jpg"))
			if want := p.sites.base("") + p.address(cardID, ""); !strings.HasPrefix(a.links()["canonical"], want) {
				p.Errorf("Link is %q", a.header.Values("Link"))
			}
		}),
		v.check(section, 2, should, "The canonical region is full or x,y,w,h.", each(0, all)),
		v.check(section, 3, should, sizeText, each(1, all)),
		v.check(section, 4, should, rotationText, each(2, all)),
		v.check(section, 5, should, "The canonical quality is default or the word, and the format is always there.", each(3, all)),
		v.check(section, 6, must, "The canonical address gives the same picture, and is its own canonical form.", func(p *probe) {
			for _, form := range forms(p.api) {
				asked, canonical := p.get(p.address(form[0], form[1])), p.get(p.address(form[0], form[2]))
				if string(asked.body) != string(canonical.body) || asked.header.Get("ETag") != canonical.header.Get("ETag") {
					p.Errorf("%s and %s are different pictures", form[1], form[2])
				}
				if again := p.canonical(form[0], form[2]); again != form[2] {
					p.Errorf("the canonical form of %s is %s", form[2], again)
				}
			}
		}),
		v.check(section, 7, should, "It counts for tiles and for sizes at limits too.", func(p *probe) {
			for _, path := range []string{
				p.address(pyramidID, "1024,512,76,189/76,/0/default.jpg"), p.address(largeID, "0,0,2001,1403/501,/0/default.jpg"),
				p.in(limitedPrefix, cardID, "full/max/0/default.jpg"), p.in(limitedPrefix, tallID, "full/max/0/default.jpg"), p.in(tierPrefix, cardID, "full/max/0/default.jpg"),
				p.in(legacyPrefix, exampleID, "full/150,150/0/default.jpg"),
			} {
				asked := p.want(http.StatusOK, path)
				target := strings.TrimPrefix(asked.links()["canonical"], p.sites.base(path))
				again := p.want(http.StatusOK, target)
				if string(again.body) != string(asked.body) || again.links()["canonical"] != asked.links()["canonical"] {
					p.Errorf("%s and its canonical form %s are different", path, target)
				}
			}
		}),
	}
}
