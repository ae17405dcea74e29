package viewers_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// picture is an image as a viewer is told of it.
type picture struct {
	file originals.File
	// ID is that of its image service.
	ID string `json:"id"`
	// Canvas and Index say where the manifest has it.
	Canvas string `json:"canvas"`
	Index  int    `json:"index"`
}

// picturesOf gives the images of files by a version of the Image API, in a collection of which base is the address.
func picturesOf(files []originals.File, base string, version int) []picture {
	pictures := make([]picture, len(files))
	for i, f := range files {
		identifier := url.PathEscape(f.File)
		if f.Pages > 1 {
			identifier += ";p=" + strconv.Itoa(f.Page)
		}
		pictures[i] = picture{file: f, ID: fmt.Sprintf("%s/%d/%s", base, version, identifier), Canvas: fmt.Sprintf("%s/canvas/%d", base, i), Index: i}
	}
	return pictures
}

// object is a JSON object.
type object map[string]any

// addManifest3 writes a manifest by Presentation 3, of images by Image 3.
func (s *site) addManifest3(t *testing.T, name string, pictures []picture) {
	t.Helper()
	canvases := make([]object, len(pictures))
	for i, p := range pictures {
		canvases[i] = object{
			"id": p.Canvas, "type": "Canvas", "label": object{"none": []string{p.file.Name}}, "width": p.file.Width, "height": p.file.Height,
			"items": []object{{
				"id": p.Canvas + "/page", "type": "AnnotationPage",
				"items": []object{{
					"id": p.Canvas + "/annotation", "type": "Annotation", "motivation": "painting", "target": p.Canvas,
					"body": object{
						"id": p.ID + "/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg", "width": p.file.Width, "height": p.file.Height,
						"service": []object{{"id": p.ID, "type": "ImageService3", "profile": "level2"}},
					},
				}},
			}},
		}
	}
	s.addJSON(t, name, object{
		"@context": "http://iiif.io/api/presentation/3/context.json",
		"id":       s.URL() + "/" + name, "type": "Manifest", "label": object{"en": []string{"Kinds of originals"}}, "items": canvases,
	})
}

// addManifest2 writes a manifest by Presentation 2, of images by Image 2.
func (s *site) addManifest2(t *testing.T, name string, pictures []picture) {
	t.Helper()
	canvases := make([]object, len(pictures))
	for i, p := range pictures {
		canvases[i] = object{
			"@id": p.Canvas, "@type": "sc:Canvas", "label": p.file.Name, "width": p.file.Width, "height": p.file.Height,
			"images": []object{{
				"@id": p.Canvas + "/annotation", "@type": "oa:Annotation", "motivation": "sc:painting", "on": p.Canvas,
				"resource": object{
					"@id": p.ID + "/full/full/0/default.jpg", "@type": "dctypes:Image", "format": "image/jpeg", "width": p.file.Width, "height": p.file.Height,
					"service": object{
						"@context": "http://iiif.io/api/image/2/context.json", "@id": p.ID, "profile": "http://iiif.io/api/image/2/level2.json",
					},
				},
			}},
		}
	}
	s.addJSON(t, name, object{
		"@context": "http://iiif.io/api/presentation/2/context.json",
		"@id":      s.URL() + "/" + name, "@type": "sc:Manifest", "label": "Kinds of originals",
		"sequences": []object{{"@id": s.URL() + "/" + name + "/sequence", "@type": "sc:Sequence", "canvases": canvases}},
	})
}

func (s *site) addJSON(t *testing.T, name string, value any) {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	s.addPage(t, name, content)
}
