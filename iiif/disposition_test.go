package iiif

import (
	"image"
	"mime"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestDisposition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attachment bool
		name, want string
	}{
		{false, "SU99000147_00001.jpg", `inline; filename="SU99000147_00001.jpg"`},
		{true, "a b.pdf", `attachment; filename="a b.pdf"`},
		{false, "Gevel é.jpg", `inline; filename="Gevel _.jpg"; filename*=UTF-8''Gevel%20%C3%A9.jpg`},
		{true, "100%.txt", `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`},
		{true, `a"b\c.txt`, `attachment; filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`},
		{true, "a\r\nSet-Cookie: x", `attachment; filename="a__Set-Cookie: x"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x`},
	} {
		if got := disposition(c.attachment, c.name); got != c.want {
			t.Errorf("disposition(%t, %q) = %s, want %s", c.attachment, c.name, got, c.want)
		}
	}
}

// wholePicture is the plan of a picture of which nothing is changed.
func wholePicture() Plan {
	return Plan{Canvas: image.Pt(60, 40), Region: image.Rect(0, 0, 60, 40), Size: image.Pt(60, 40), Quality: "default"}
}

// Pictures of one image have different names, so that who saves several finds them all.
func TestImageNameTellsPicturesApart(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Plan){
		"a.jpg":            func(*Plan) {},
		"a_10,0,50,40.jpg": func(p *Plan) { p.Region, p.Size = image.Rect(10, 0, 60, 40), image.Pt(50, 40) },
		"a_30x20.jpg":      func(p *Plan) { p.Size = image.Pt(30, 20) },
		"a_22.5.jpg":       func(p *Plan) { p.Rotation = 22.5 },
		"a_!0.jpg":         func(p *Plan) { p.Mirror = true },
		"a_gray.jpg":       func(p *Plan) { p.Quality = "gray" },
		"a_0,0,9,9_3x3_!90_gray.jpg": func(p *Plan) {
			*p = Plan{p.Canvas, image.Rect(0, 0, 9, 9), image.Pt(3, 3), true, 90, "gray", "jpg", ""}
		},
	} {
		plan := wholePicture()
		change(&plan)
		if got := imageName(Image{Name: "a.tif"}, Request{Page: 1, Params: Params{Format: "jpg"}}, plan); got != want {
			t.Errorf("the name is %q, want %q", got, want)
		}
	}
}

func TestImageName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, identifier string
		page             int
		format, want     string
	}{
		{"SU99000147_00001.jpg", "x", 1, "png", "SU99000147_00001.png"},
		{"plan.tiff", "x", 3, "jpg", "plan_p3.jpg"},
		{"", "dir/scan.tif", 1, "jpg", "scan.jpg"},
		{"", "edepot:SU_99001~SU99000147_0", 1, "jpg", "edepot_SU_99001~SU99000147_0.jpg"},
		{"", "..", 1, "jpg", "image.jpg"},
		{"v1.2 final", "x", 1, "jpg", "v1.2 final.jpg"}, // too long for an extension
		{".tif", "x", 1, "jpg", "tif.jpg"},
		{"no.extension_at_all", "x", 1, "jpg", "no.extension_at_all.jpg"},
		{`C:\scans\a.tif`, "x", 1, "jpg", "a.jpg"},
		{"a\u202egpj.exe\x00.tif", "x", 1, "jpg", "agpj.exe.jpg"},
		{strings.Repeat("é", 200) + ".tif", "x", 1, "jpg", strings.Repeat("é", 88) + ".jpg"},
	} {
		got := imageName(Image{Name: c.name}, Request{Identifier: c.identifier, Page: c.page, Params: Params{Format: c.format}}, wholePicture())
		if got != c.want {
			t.Errorf("the name of %q (%q) is %q, want %q", c.name, c.identifier, got, c.want)
		}
	}
}

func TestOriginalName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.xls":                        "report.xls",
		"../../etc/passwd":                  "passwd",
		"a/b.pdf":                           "b.pdf",
		strings.Repeat("x", 300) + ".pdf":   strings.Repeat("x", 176) + ".pdf",
		"x." + strings.Repeat("longer", 50): "x." + strings.Repeat("longer", 50)[:178],
		"":                                  "id",
	} {
		if got := originalName(Original{Name: name}, Request{Identifier: "id"}); got != want {
			t.Errorf("the name of %q is %q, want %q", name, got, want)
		}
	}
}

// TestDispositionReadsBack: a standard parser finds the very name again, and the header holds nothing but ASCII.
func TestDispositionReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := baseName(rapid.String().Draw(t, "name"))
		header := disposition(true, name)
		for i := range len(header) {
			if header[i] < ' ' || header[i] > '~' {
				t.Fatalf("%q holds %#x", header, header[i])
			}
		}
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "attachment" || params["filename"] != name {
			t.Fatalf("%s reads as %s %v, %v; want %q", header, kind, params, err, name)
		}
		if short := shorten(name, 5); len(short) > 5 || !utf8.ValidString(short) {
			t.Fatalf("%q shortened is %q", name, short)
		}
	})
}
