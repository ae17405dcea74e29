package iiif

import (
	"net/http"
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
