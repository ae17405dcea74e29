package iiif

import (
	"context"
	"image"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// squares stands for the test picture of the public validators, 1000 by 1000 pixels, and keeps the last plan.
type squares struct {
	fakeImages
	plan Plan
}

func (s *squares) Describe(context.Context, Target) (Image, error) {
	return Image{Width: 1000, Height: 1000, Pages: 1, Version: "1", Name: "67352ccc-d1b0-11e1-89ae-279075081939.png"}, nil
}

func (s *squares) Render(_ context.Context, _ Target, p Plan) ([]byte, error) {
	s.plan = p
	return []byte("pixels"), nil
}

const squaresID = "67352ccc-d1b0-11e1-89ae-279075081939"

// validate fetches like a validator: by a whole URL below the prefix of a version.
func validate(t *testing.T, config Config, version int, rest string, header http.Header) (*httptest.ResponseRecorder, Plan) {
	t.Helper()
	config.Collection = "validation"
	images := &squares{}
	h, err := New(config, images, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/iiif/"+strconv.Itoa(version)+"/"+rest, nil)
	r.Header = header
	w := httptest.NewRecorder()
	if err := h.ServeHTTP(w, r); err != nil {
		problem.Write(w, r, err)
	}
	return w, images.plan
}

// TestValidatorImages makes the image requests of IIIF/image-validator, with the answer that it expects. A size of 0 by
// 0 is a refusal.
func TestValidatorImages(t *testing.T) {
	t.Parallel()
	none := image.Point{}
	for _, c := range []struct {
		name, request string
		size2, size3  image.Point
	}{
		{"region pixels", "100,200,300,400/max/0/default.jpg", image.Pt(300, 400), image.Pt(300, 400)},
		{"region percent", "pct:10,20,30,40/max/0/default.jpg", image.Pt(300, 400), image.Pt(300, 400)},
		{"region square", "square/max/0/default.jpg", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"size full", "full/full/0/default.jpg", image.Pt(1000, 1000), none},
		{"size w,", "full/433,/0/default.jpg", image.Pt(433, 433), image.Pt(433, 433)},
		{"size ,h", "full/,733/0/default.jpg", image.Pt(733, 733), image.Pt(733, 733)},
		{"size w,h", "full/533,433/0/default.jpg", image.Pt(533, 433), image.Pt(533, 433)},
		{"size !w,h", "full/!533,433/0/default.jpg", image.Pt(433, 433), image.Pt(433, 433)},
		{"size pct", "full/pct:45/0/default.jpg", image.Pt(450, 450), image.Pt(450, 450)},
		{"size of a region", "500,500,100,100/45,/0/default.jpg", image.Pt(45, 45), image.Pt(45, 45)},
		{"size up by height", "full/,1500/0/default.jpg", image.Pt(1500, 1500), none},
		{"size up by width", "full/1500,/0/default.jpg", image.Pt(1500, 1500), none},
		{"size up by both", "full/1500,1500/0/default.jpg", image.Pt(1500, 1500), none},
		{"size up by percent", "full/pct:200/0/default.jpg", image.Pt(2000, 2000), none},
		{"size up confined", "full/!2000,3000/0/default.jpg", image.Pt(2000, 2000), image.Pt(1000, 1000)},
		{"size ^w,", "full/^1500,/0/default.jpg", none, image.Pt(1500, 1500)},
		{"size ^pct", "full/^pct:150/0/default.jpg", none, image.Pt(1500, 1500)},
		{"rotation 180", "full/max/180/default.jpg", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"rotation 22.5", "full/max/22.5/default.png", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"mirror 180", "full/max/!180/default.jpg", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"color", "full/max/0/color.jpg", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"gray", "full/max/0/gray.jpg", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"grey", "full/max/0/grey.jpg", image.Pt(1000, 1000), none},
		{"bitonal", "full/max/0/bitonal.jpg", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"tif", "full/max/0/default.tif", image.Pt(1000, 1000), image.Pt(1000, 1000)},
		{"webp", "full/max/0/default.webp", image.Pt(1000, 1000), image.Pt(1000, 1000)},
	} {
		for version, want := range map[int]image.Point{2: c.size2, 3: c.size3} {
			w, plan := validate(t, Config{}, version, squaresID+"/"+c.request, nil)
			if want == none {
				if w.Code != http.StatusBadRequest {
					t.Errorf("%s, version %d: %d, want 400", c.name, version, w.Code)
				}
				continue
			}
			if w.Code != http.StatusOK || plan.Size != want {
				t.Errorf("%s, version %d: %d %v (%s), want %v", c.name, version, w.Code, plan.Size, w.Body, want)
			}
		}
	}
}

// TestValidatorSizeNoup is the one check that wants a switch.
func TestValidatorSizeNoup(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"1500,1500", ",1500", "1500,", "pct:200", "!2000,3000"} {
		if w, _ := validate(t, Config{ConfinedUpscaleReject: true}, 3, squaresID+"/full/"+size+"/0/default.jpg", nil); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", size, w.Code)
		}
	}
}

// TestValidatorRandomStrings puts random words where a parameter belongs.
func TestValidatorRandomStrings(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	word := func(length int) string {
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
		out := make([]byte, length)
		for i := range out {
			out[i] = letters[random.IntN(len(letters))]
		}
		return string(out)
	}
	for range 200 {
		for _, rest := range []string{
			word(6) + "/max/0/default.jpg", "full/" + word(6) + "/0/default.jpg", "full/max/" + word(4) + "/default.jpg",
			"full/max/0/" + word(6) + ".jpg", "full/max/0/default." + word(4),
		} {
			for _, version := range []int{2, 3} {
				if w, _ := validate(t, Config{}, version, squaresID+"/"+rest, nil); w.Code != http.StatusBadRequest {
					t.Errorf("%s: %d %s, want 400", rest, w.Code, w.Body)
				}
			}
		}
	}
}

func TestValidatorHTTP(t *testing.T) {
	t.Parallel()
	for version, context := range map[int]string{2: "http://iiif.io/api/image/2/", 3: "http://iiif.io/api/image/3/"} {
		w, _ := validate(t, Config{}, version, strings.ReplaceAll(squaresID, "-", "%2D")+"/full/max/0/default.jpg", nil)
		link := w.Header().Get("Link")
		if w.Code != http.StatusOK || len(w.Header().Values("Link")) != 1 ||
			!strings.Contains(link, `>;rel="canonical", <`+context+`level2.json>;rel="profile"`) {
			t.Errorf("version %d: %d, Link %s", version, w.Code, link)
		}
		w, _ = validate(t, Config{}, version, squaresID+"/info.json", http.Header{"Accept": {"application/ld+json"}})
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/ld+json") || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("version %d: %v", version, w.Header())
		}
		w, _ = validate(t, Config{}, version, squaresID, nil)
		if w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), squaresID+"/info.json") {
			t.Errorf("version %d: the base URI gives %d %s", version, w.Code, w.Header().Get("Location"))
		}
		w, _ = validate(t, Config{}, version, "a/b/full/max/0/default.jpg", nil)
		if w.Code != http.StatusNotFound {
			t.Errorf("version %d: an unescaped slash gives %d", version, w.Code)
		}
	}
}
