package iiif

import "testing"

func TestInfoType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		accept       []string
		want2, want3 string
	}{
		{nil, typeJSON, typeLD3},
		{[]string{""}, typeJSON, typeLD3},
		{[]string{"*/*"}, typeJSON, typeJSON},
		{[]string{"application/json"}, typeJSON, typeJSON},
		{[]string{"application/*"}, typeJSON, typeJSON},
		{[]string{"text/html"}, typeJSON, typeJSON},
		{[]string{"application/ld+json"}, typeLD2, typeLD3},
		{[]string{"Application/LD+JSON"}, typeLD2, typeLD3},
		{[]string{`application/ld+json;profile="http://iiif.io/api/image/3/context.json"`}, typeLD2, typeLD3},
		{[]string{"application/ld+json, application/json"}, typeLD2, typeLD3},
		{[]string{"application/json, application/ld+json"}, typeLD2, typeLD3},
		{[]string{"application/json", "application/ld+json;q=0.9"}, typeJSON, typeJSON},
		{[]string{"application/json;q=0.5", "application/ld+json;q=0.9"}, typeLD2, typeLD3},
		{[]string{"application/ld+json;q=0"}, typeJSON, typeJSON},
		{[]string{"application/ld+json; q = x"}, typeJSON, typeJSON},
		{[]string{"application/ld+json;q=NaN"}, typeJSON, typeJSON},
		{[]string{"application/ld+json;q=7"}, typeJSON, typeJSON},
		{[]string{"text/html,application/xhtml+xml,*/*;q=0.8"}, typeJSON, typeJSON},
	} {
		for version, want := range map[int]string{2: c.want2, 3: c.want3} {
			if got := infoType(version, c.accept); got != want {
				t.Errorf("version %d: Accept %q gets %s, want %s", version, c.accept, got, want)
			}
		}
	}
}
