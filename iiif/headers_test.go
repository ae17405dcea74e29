package iiif

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestTagKeepsPartsApart: moving a letter from one part to the next is another tag.
func TestTagKeepsPartsApart(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"1:a", "b"}, {"1", ":a", "b"}, {}} {
		got := tag(parts...)
		if other, found := seen[got]; found {
			t.Errorf("%q and %q have the same tag", parts, other)
		}
		seen[got] = parts
		if len(got) != 24 || got[0] != '"' || got[23] != '"' || got != tag(parts...) {
			t.Errorf("the tag of %q is %s", parts, got)
		}
	}
}

// TestTagStaysTheSame: caches hold tags of earlier versions.
func TestTagStaysTheSame(t *testing.T) {
	t.Parallel()
	for want, parts := range map[string][]string{
		`"TDaq5V_CS1iywG1yrvTNsw"`: {"image", "v1", "allow 0", "1", "key"},
		`"47DEQpj8HBSa-_TImW-5JA"`: {},
	} {
		if got := tag(parts...); got != want {
			t.Errorf("the tag of %q is %s, want %s", parts, got, want)
		}
	}
}

func TestRequestsWithoutConditionsMakeNoGarbage(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if n := testing.AllocsPerRun(10, func() {
		if unchanged(r, `"x"`, modified) {
			t.Fatal("it is unchanged")
		}
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestOneHandlerServesManyAtOnce(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	want := ask{images: images, target: "/iiif/3/a/info.json"}.serve(t).Body.String()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				s := ask{images: images, target: "/iiif/3/a/info.json"}.serve(t)
				if s.Code != http.StatusOK || s.Body.String() != want {
					t.Errorf("%d %s", s.Code, s.Body)
				}
			}
		})
	}
	group.Wait()
}
