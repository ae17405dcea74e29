package conformance_test

import (
	"encoding/json"
	"fmt"
	"image"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// probe measures one check.
type probe struct {
	*testing.T
	api   api
	sites *sites
}

// answer is what came back, whole.
type answer struct {
	path   string
	status int
	header http.Header
	body   []byte
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
	}
}

// address is that of a picture or of info.json in the open collection: the identifier and what follows it.
func (p *probe) address(id, rest string) string {
	return fmt.Sprintf("/iiif/%d/%s/%s", p.api.version, id, rest)
}

// in is address in another collection.
func (p *probe) in(prefix, id, rest string) string {
	return fmt.Sprintf("%s/%d/%s/%s", prefix, p.api.version, id, rest)
}

// get asks for a path; headers are names and values in turn.
func (p *probe) get(path string, headers ...string) answer {
	p.Helper()
	return p.do(http.MethodGet, path, headers...)
}

func (p *probe) do(method, path string, headers ...string) answer {
	p.Helper()
	return p.ask(p.sites.client, method, p.sites.base(path)+path, headers...)
}

func (p *probe) ask(client *http.Client, method, url string, headers ...string) answer {
	p.Helper()
	request, err := http.NewRequestWithContext(p.Context(), method, url, nil)
	if err != nil {
		p.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Add(pair[0], pair[1])
	}
	response, err := client.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.Fatalf("%s: %v", url, err)
	}
	return answer{request.URL.RequestURI(), response.StatusCode, response.Header, body}
}

// want checks the status of a path.
func (p *probe) want(status int, path string, headers ...string) answer {
	p.Helper()
	a := p.get(path, headers...)
	if a.status != status {
		p.Errorf("%s is answered %d %.120q, want %d", path, a.status, a.body, status)
	}
	return a
}

// refused checks that each of the image parameters of the card is answered with the status.
func (p *probe) refused(status int, params ...string) {
	p.Helper()
	for _, rest := range params {
		p.want(status, p.address(cardID, rest))
	}
}

// picture asks for image parameters of an image in the open collection and decodes what comes.
func (p *probe) picture(id, params string) *image.NRGBA {
	p.Helper()
	return p.decoded(p.address(id, params))
}

// decoded asks for a picture by its path, and checks status and media type. It ends the check where there is none.
func (p *probe) decoded(path string) *image.NRGBA {
	p.Helper()
	a := p.get(path)
	if a.status != http.StatusOK {
		p.Fatalf("%s is answered %d %.120q", path, a.status, a.body)
	}
	format := path[strings.LastIndexByte(path, '.')+1:]
	if got, want := a.header.Get("Content-Type"), mediaTypes()[format]; got != want {
		p.Errorf("%s has the media type %q, want %q", path, got, want)
	}
	picture, err := decode(p.T, format, a.body)
	if err != nil {
		p.Fatalf("%s: %v", path, err)
	}
	return picture
}

// sized checks the size of a picture of the card.
func (p *probe) sized(params string, width, height int) *image.NRGBA {
	p.Helper()
	return p.sizedOf(cardID, params, width, height)
}

func (p *probe) sizedOf(id, params string, width, height int) *image.NRGBA {
	p.Helper()
	return p.measured(p.address(id, params), width, height)
}

// measured checks the size of the picture at a path.
func (p *probe) measured(path string, width, height int) *image.NRGBA {
	p.Helper()
	picture := p.decoded(path)
	if size := picture.Bounds().Size(); size != image.Pt(width, height) {
		p.Errorf("%s is %d by %d, want %d by %d", path, size.X, size.Y, width, height)
	}
	return picture
}

// links are the targets of a Link header by their relation.
func (a answer) links() map[string]string {
	found := map[string]string{}
	for part := range strings.SplitSeq(strings.Join(a.header.Values("Link"), ", "), ", <") {
		target, params, _ := strings.Cut(strings.TrimPrefix(part, "<"), ">")
		for param := range strings.SplitSeq(params, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(param), "="); name == "rel" {
				found[strings.Trim(value, `"`)] = target
			}
		}
	}
	return found
}

// canonical is the canonical parameters of an image request, below the base URI.
func (p *probe) canonical(id, params string) string {
	p.Helper()
	a := p.want(http.StatusOK, p.address(id, params))
	target := a.links()["canonical"]
	rest, found := strings.CutPrefix(target, p.sites.base("")+p.address(id, ""))
	if !found {
		p.Errorf("%s has the canonical address %q", a.path, target)
	}
	return rest
}

// document reads a body as JSON.
func (p *probe) document(a answer) map[string]any {
	p.Helper()
	var found map[string]any
	if err := json.Unmarshal(a.body, &found); err != nil {
		p.Fatalf("%s: %v in %.200q", a.path, err, a.body)
	}
	return found
}
