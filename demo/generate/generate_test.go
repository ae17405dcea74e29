package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryDocumentHasAnOriginal(t *testing.T) {
	makers, err := contents()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dossiers() {
		for _, p := range d.Documents {
			for _, f := range p.Files {
				if makers[d.source()+"/"+f.Path] == nil {
					t.Errorf("nobody makes %s of %s", f.Path, d.source())
				}
				delete(makers, d.source()+"/"+f.Path)
			}
		}
	}
	for name := range makers {
		t.Errorf("%s belongs to no document", name)
	}
}

func TestCollectionShowsEachReasonToRefuse(t *testing.T) {
	var secret, inSecretDossier, copyrighted, open, permits bool
	for _, d := range dossiers() {
		for _, p := range d.Documents {
			switch {
			case d.source() == "wabo":
				permits = true
			case d.Access != public:
				inSecretDossier = true
			case p.Access != public:
				secret = true
			case p.Copyright != "N":
				copyrighted = true
			default:
				open = true
			}
		}
	}
	if !secret || !inSecretDossier || !copyrighted || !open || !permits {
		t.Errorf("a case is missing: %v %v %v %v %v", secret, inSecretDossier, copyrighted, open, permits)
	}
}

func TestCatalogNamesWhatTheMetadataNames(t *testing.T) {
	data, err := catalog(dossiers())
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Items []struct{ Identifier, File string }
	}
	if err := json.Unmarshal(data, &entries); err != nil {
		t.Fatal(err)
	}
	if got := entries[0].Items[0].Identifier; got != "edepot:SU_99001~SU99000147_0" {
		t.Errorf("identifier %q", got)
	}
	if got := entries[2].Items[0].Identifier; got != "wabo:SDZ_TA-38657~628547_0" {
		t.Errorf("identifier %q", got)
	}
}

func TestSceneLooksTheSameInPartsAndAsAWhole(t *testing.T) {
	s := newScene(300, 200, color.RGBA{255, 255, 255, 255})
	ink := s.layer(color.RGBA{0, 0, 0, 255})
	ink.line(point{10, 10}, point{290, 190}, 5)
	ink.arc(point{150, 100}, 60, 0, 6, 3)
	whole := s.Draw(image.Rect(0, 0, 300, 200), 1)
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.IntRange(0, 299).Draw(t, "x"), rapid.IntRange(0, 199).Draw(t, "y")
		w, h := rapid.IntRange(1, 60).Draw(t, "w"), rapid.IntRange(1, 60).Draw(t, "h")
		part := s.Draw(image.Rect(x, y, x+w, y+h), 1)
		for dy := range min(h, 200-y) {
			for dx := range min(w, 300-x) {
				a, b := part.RGBAAt(dx, dy).R, whole.RGBAAt(x+dx, y+dy).R
				if max(a, b)-min(a, b) > 2 {
					t.Fatalf("pixel %d,%d is %d in the part and %d in the whole", x+dx, y+dy, a, b)
				}
			}
		}
	})
}

func TestOverlappingShapesDoNotCancel(t *testing.T) {
	s := newScene(40, 40, color.RGBA{255, 255, 255, 255})
	ink := s.layer(color.RGBA{0, 0, 0, 255})
	ink.polygon(point{5, 5}, point{35, 5}, point{35, 35}, point{5, 35})
	ink.polygon(point{5, 5}, point{5, 35}, point{35, 35}, point{35, 5})
	if got := s.Draw(image.Rect(0, 0, 40, 40), 1).RGBAAt(20, 20); got.R != 0 {
		t.Errorf("the middle is %v", got)
	}
}

func TestFontsHaveAllThatIsWritten(t *testing.T) {
	f, err := newFaces()
	if err != nil {
		t.Fatal(err)
	}
	if s := facades(f.regular, f.bold); s.err != nil || len(s.layers) < 5 {
		t.Error(s.err)
	}
	data, err := scanned(permit(), f, 1)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width != scanWidth {
		t.Errorf("scan %+v, %v", config, err)
	}
}

func TestDocumentKeepsItsOffsets(t *testing.T) {
	data := document(conditions()...)
	table := bytes.LastIndex(data, []byte("startxref\n"))
	start, err := strconv.Atoi(strings.Fields(string(data[table:]))[1])
	if err != nil || !bytes.HasPrefix(data[start:], []byte("xref\n")) {
		t.Fatalf("the table of offsets is not at %d: %v", start, err)
	}
	for i, line := range strings.Split(string(data[start:]), "\n")[3:] {
		offset, err := strconv.Atoi(strings.Fields(line + " ")[0])
		if err != nil {
			break
		}
		if want := strconv.Itoa(i+1) + " 0 obj"; !bytes.HasPrefix(data[offset:], []byte(want)) {
			t.Errorf("at %d stands no %q", offset, want)
		}
	}
	if n := bytes.Count(data, []byte("/Type /Page ")); n != 2 {
		t.Errorf("%d pages, want 2", n)
	}
}

func TestSecretsAreMadeOnceAndLongEnough(t *testing.T) {
	dir := t.TempDir()
	read := func() string {
		data, err := os.ReadFile(filepath.Join(dir, "mail_login"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if err := makeSecrets(dir); err != nil {
		t.Fatal(err)
	}
	first := read()
	if len(first) < 32 {
		t.Errorf("%d bytes are too few for a key", len(first))
	}
	if err := makeSecrets(dir); err != nil {
		t.Fatal(err)
	}
	if read() != first {
		t.Error("a second start changed the key")
	}
}

func TestTheNextFreePortIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	taken := listener.Addr().(*net.TCPAddr).Port
	if got, err := freeFrom(taken); err != nil || got <= taken {
		t.Errorf("port %d, %v; %d is taken", got, err, taken)
	}
	if _, err := freeFrom(1 << 16); err == nil {
		t.Error("a port beyond all ports was found")
	}
}

func TestEnvIsReadableForAShell(t *testing.T) {
	dir := t.TempDir()
	if err := writeEnv(dir, 20000); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"DEMO_DIR='", "DEMO_PORT=", "DEMO_ADMIN_PORT=", "DEMO_METADATA_PORT=", "DEMO_ARCHIVE_PORT="} {
		if !strings.Contains(string(data), name) {
			t.Errorf("%s is not in %s", name, data)
		}
	}
	if got := quoted("it's"); got != `'it'\''s'` {
		t.Errorf("quoted: %s", got)
	}
}
