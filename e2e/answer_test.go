package e2e_test

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg" // decoders of what the server sends
	_ "image/png"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

// get asks for a path with a query; headers are names and values in turn.
func (h *house) get(path string, headers ...string) answer {
	h.t.Helper()
	return h.do(http.MethodGet, path, headers...)
}

func (h *house) do(method, path string, headers ...string) answer {
	h.t.Helper()
	return request(h.t, h.client, method, h.server.URL()+path, headers...)
}

func request(t testing.TB, client *http.Client, method, url string, headers ...string) answer {
	t.Helper()
	a, err := exchange(t, client, method, url, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// exchange is request for goroutines, which must not end the test.
func exchange(t testing.TB, client *http.Client, method, url string, headers ...string) (answer, error) {
	start := time.Now()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		return answer{}, err
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, body, time.Since(start)}, err
}

// text checks an answer that is a plain text and must not be kept.
func (a answer) text(t testing.TB, status int, text string) {
	t.Helper()
	if a.status != status || string(a.body) != text {
		t.Errorf("got %d %.200q, want %d %q", a.status, a.body, status, text)
		return
	}
	a.headers(t, "Content-Type", plainText, "Access-Control-Allow-Origin", "*", "Cache-Control", noStore)
	if !a.varies("Authorization") {
		t.Errorf("Vary is %q", a.header.Values("Vary"))
	}
}

// is checks the status alone; the body goes into the complaint.
func (a answer) is(t testing.TB, status int) bool {
	t.Helper()
	if a.status != status {
		t.Errorf("got %d %.200q, want %d", a.status, a.body, status)
	}
	return a.status == status
}

// headers checks names and values in turn; an empty value means that the header must not be there.
func (a answer) headers(t testing.TB, namesAndValues ...string) {
	t.Helper()
	for pair := range slices.Chunk(namesAndValues, 2) {
		if got := strings.Join(a.header.Values(pair[0]), ", "); got != pair[1] {
			t.Errorf("%s is %q, want %q", pair[0], got, pair[1])
		}
	}
}

func (a answer) varies(name string) bool {
	for _, line := range a.header.Values("Vary") {
		for listed := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(listed), name) {
				return true
			}
		}
	}
	return false
}

// picture checks a 200 with a picture of a size and gives it.
func (a answer) picture(t testing.TB, format string, width, height int) image.Image {
	t.Helper()
	if !a.is(t, http.StatusOK) {
		return image.NewRGBA(image.Rect(0, 0, width, height))
	}
	a.headers(t, "Content-Type", "image/"+format)
	m, got, err := image.Decode(bytes.NewReader(a.body))
	if err != nil || got != format || m.Bounds().Size() != image.Pt(width, height) {
		t.Errorf("got %s, %v; want %s of %d by %d", got, err, format, width, height)
		if m != nil {
			t.Errorf("it is %v", m.Bounds().Size())
		}
		return image.NewRGBA(image.Rect(0, 0, width, height))
	}
	return m
}

// info is what both versions of info.json have in common, and what tests ask of either.
type info struct {
	ID     string `json:"@id"`
	ID3    string `json:"id"`
	Width  int
	Height int
	Sizes  []struct{ Width, Height int }
	Tiles  []struct {
		Width, Height int
		ScaleFactors  []int
	}
}

// info checks a 200 with an info.json.
func (a answer) info(t testing.TB) info {
	t.Helper()
	var out info
	if a.is(t, http.StatusOK) {
		if err := json.Unmarshal(a.body, &out); err != nil {
			t.Errorf("%v in %.200q", err, a.body)
		}
	}
	return out
}

// size checks the size in an info.json.
func (a answer) size(t testing.TB, width, height int) {
	t.Helper()
	if got := a.info(t); got.Width != width || got.Height != height {
		t.Errorf("info.json tells %d by %d, want %d by %d", got.Width, got.Height, width, height)
	}
}
