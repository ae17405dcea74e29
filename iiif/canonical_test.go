package iiif

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func splitRequest(s string) []string { return strings.Split(s, "/") }

func TestCanonical(t *testing.T) {
	t.Parallel()
	legacy := standard(2)
	legacy.LegacyFit = true
	small := Rules{Version: 3, Limits: Limits{MaxWidth: 200, MaxHeight: 200}}
	small2 := Rules{Version: 2, Limits: small.Limits}
	for _, c := range []struct {
		rules    Rules
		in, want string
	}{
		{standard(2), "full/full/0/default.jpg", "full/full/0/default.jpg"},
		{standard(2), "full/max/0/default.jpg", "full/full/0/default.jpg"},
		{standard(2), "0,0,300,200/300,200/0.0/default.jpg", "full/full/0/default.jpg"},
		{standard(2), "pct:0,0,100,100/pct:100/360/default.jpg", "full/full/0/default.jpg"},
		{standard(2), "full/,100/0/default.jpg", "full/150,/0/default.jpg"},
		{standard(2), "full/150,100/0/default.jpg", "full/150,/0/default.jpg"},
		{standard(2), "full/!150,150/0/default.jpg", "full/150,/0/default.jpg"},
		{standard(2), "full/pct:50/0/default.jpg", "full/150,/0/default.jpg"},
		{standard(2), "full/225,100/0/default.jpg", "full/225,100/0/default.jpg"},
		{standard(2), "full/600,/0/default.jpg", "full/600,/0/default.jpg"},
		{standard(2), "square/full/0/default.jpg", "50,0,200,200/full/0/default.jpg"},
		{standard(2), "100,100,900,900/100,/0/default.jpg", "100,100,200,100/100,/0/default.jpg"},
		{standard(2), "full/full/!090.50/grey.png", "full/full/!90.5/gray.png"},
		{standard(2), "full/full/0.50/color.png", "full/full/.5/color.png"},
		{standard(3), "full/max/0.50/color.png", "full/max/0.5/color.png"},
		{standard(3), "full/300,/0/default.jpg", "full/max/0/default.jpg"},
		{standard(3), "full/^max/0/default.jpg", "full/^max/0/default.jpg"},
		{standard(3), "full/^8192,/0/default.jpg", "full/^max/0/default.jpg"},
		{standard(3), "full/^150,/0/default.jpg", "full/150,100/0/default.jpg"},
		{standard(3), "full/,100/0/default.jpg", "full/150,100/0/default.jpg"},
		{standard(3), "full/^600,/0/default.jpg", "full/^600,400/0/default.jpg"},
		{standard(3), "full/^100,400/0/default.jpg", "full/^100,400/0/default.jpg"},
		{standard(3), "pct:50,50,50,50/max/!360/default.jpg", "150,100,150,100/max/!0/default.jpg"},
		{small, "full/max/0/default.jpg", "full/max/0/default.jpg"},
		{small, "full/200,/0/default.jpg", "full/max/0/default.jpg"},
		{small, "full/^max/0/default.jpg", "full/max/0/default.jpg"},
		{small2, "full/200,/0/default.jpg", "full/full/0/default.jpg"},
		{legacy, "full/150,150/0/default.jpg", "full/150,/0/default.jpg"},
		{legacy, "full/900,900/0/default.jpg", "full/full/0/default.jpg"},
	} {
		s := splitRequest(c.in)
		p, err := ParseParams(c.rules.Version, s[0], s[1], s[2], s[3])
		if err != nil {
			t.Fatal(err)
		}
		img := Image{Width: 300, Height: 200}
		plan, err := c.rules.Resolve(p, img)
		if err != nil {
			t.Fatalf("%s: %v", c.in, err)
		}
		if got := c.rules.Canonical(p, plan, img); got != c.want {
			t.Errorf("version %d: the canonical form of %s is %s, want %s", c.rules.Version, c.in, got, c.want)
		}
	}
}

// checkCanonical holds what is true of every canonical form: it reads as the same plan, and is its own canonical form.
func checkCanonical(t interface{ Fatalf(string, ...any) }, r Rules, p Params, plan Plan, img Image) {
	form := r.Canonical(p, plan, img)
	s := splitRequest(form)
	again, err := ParseParams(r.Version, s[0], s[1], s[2], s[3])
	if err != nil {
		t.Fatalf("the canonical form %s of %s cannot be read: %v", form, p, err)
	}
	same, err := r.Resolve(again, img)
	if err != nil || same != plan {
		t.Fatalf("the canonical form %s of %s gives %+v, %v; want %+v", form, p, same, err, plan)
	}
	if second := r.Canonical(again, same, img); second != form {
		t.Fatalf("the canonical form of %s is %s and of that %s", p, form, second)
	}
}

func TestCanonicalFormGivesTheSamePlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]int{2, 3}).Draw(t, "version")
		rules, img, params := genRules(version).Draw(t, "rules"), genImage().Draw(t, "image"), genParams(version).Draw(t, "params")
		if plan, err := rules.Resolve(params, img); err == nil {
			checkCanonical(t, rules, params, plan, img)
		}
	})
}
