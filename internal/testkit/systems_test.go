package testkit_test

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg" // decoders for what the package makes
	_ "image/png"
	"net/http"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

var _ clock.Clock = (*testkit.FakeClock)(nil)

func TestMetadataServerAnswersForItsDossiers(t *testing.T) {
	m := testkit.NewMetadataServer(t, testkit.Dossier{
		District: "SU", Number: "99001", Access: "PUBLIC",
		Documents: []testkit.Document{{Barcode: "SU99000147", Access: nil, Copyright: testkit.Missing{}, Files: []string{"SU/99001/SU99000147_00001.jpg"}}},
	})
	status, body, err := get(t, m.URL()+"/iiif-metadata/bouwdossier/SU_99001/")
	if err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	var dossier struct {
		Access     string
		Documenten []map[string]any
	}
	if err := json.Unmarshal([]byte(body), &dossier); err != nil {
		t.Fatal(err)
	}
	document := dossier.Documenten[0]
	if access, there := document["access"]; !there || access != nil {
		t.Errorf("a nil access became %v, %v", access, there)
	}
	if _, there := document["copyright"]; there {
		t.Error("a missing copyright is there")
	}
	file := document["bestanden"].([]any)[0].(map[string]any)
	if file["filename"] != "SU99000147_00001.jpg" || file["file_pad"] != "SU/99001/SU99000147_00001.jpg" {
		t.Errorf("file is %v", file)
	}

	m.Remove("SU", "99001")
	if status, _, _ := get(t, m.URL()+testkit.DossierPath("SU", "99001")); status != http.StatusNotFound {
		t.Errorf("a removed dossier gives %d", status)
	}
}

func TestArchiveWantsItsHeaderAndServesRanges(t *testing.T) {
	a := testkit.NewArchive(t, "Token abc")
	a.Put("SU/a.txt", "text/plain", []byte("0123456789"))
	ask := func(authorization, requested string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/SU/a.txt", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization)
		request.Header.Set("Range", requested)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var body bytes.Buffer
		if _, err := body.ReadFrom(response.Body); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, body.String()
	}
	if status, _ := ask("Token other", ""); status != http.StatusUnauthorized {
		t.Errorf("another header gives %d", status)
	}
	if status, body := ask("Token abc", "bytes=2-4"); status != http.StatusPartialContent || body != "234" {
		t.Errorf("a range gives %d %q", status, body)
	}
	if a.BytesSent() != 3 {
		t.Errorf("%d bytes counted, want 3", a.BytesSent())
	}
	a.RefuseRanges()
	if status, body := ask("Token abc", "bytes=2-4"); status != http.StatusOK || body != "0123456789" {
		t.Errorf("a refused range gives %d %q", status, body)
	}
	a.Remove("SU/a.txt")
	if status, _ := ask("Token abc", ""); status != http.StatusNotFound {
		t.Errorf("a removed file gives %d", status)
	}
}

func TestPicturesHaveTheirSizeAndKind(t *testing.T) {
	for kind, data := range map[string][]byte{"jpeg": testkit.JPEG(t, 70, 30), "png": testkit.PNG(t, 70, 30)} {
		config, format, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || format != kind || config.Width != 70 || config.Height != 30 {
			t.Errorf("%s: %+v %s %v", kind, config, format, err)
		}
	}
	for name, data := range map[string][]byte{"pyramid": testkit.PyramidTIFF(t, 300, 200), "pages": testkit.MultiPageTIFF(t, 40, 30, 3)} {
		if !bytes.HasPrefix(data, []byte("II*\x00")) {
			t.Errorf("%s is no TIFF", name)
		}
	}
}

func TestFakeClockMovesOnlyWhenTold(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := testkit.NewFakeClock(start)
	late, soon := c.After(time.Hour), c.After(time.Minute)
	if !c.WaitForWaiters(2) {
		t.Fatal("nobody waits")
	}
	c.Advance(30 * time.Minute)
	if got := <-soon; !got.Equal(start.Add(30 * time.Minute)) {
		t.Errorf("woken at %v", got)
	}
	select {
	case <-late:
		t.Error("woken too early")
	default:
	}
	c.Advance(30 * time.Minute)
	<-late
	if !c.Now().Equal(start.Add(time.Hour)) {
		t.Errorf("it is %v", c.Now())
	}
	<-c.After(0)
}
