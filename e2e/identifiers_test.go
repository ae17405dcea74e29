package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// everyByte percent-encodes a text more than anybody would.
func everyByte(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// shape is an identifier of the dossier contract, §2, and what it means.
type shape struct {
	identifier        string // as text
	district, dossier string
	barcode           string // as the metadata holds it
	file              int
	fromWabo          bool
}

func shapes() []shape {
	return []shape{
		{identifier: "edepot:ST_00015~ST00000126_0", district: "ST", dossier: "00015", barcode: "ST00000126"},
		{identifier: "edepot:SQ_01452X~SQ10079651_0", district: "SQ", dossier: "01452X", barcode: "SQ10079651"},
		{identifier: "edepot:SQ_01452~SQ-01452 (2)-SQ10079651_1", district: "SQ", dossier: "01452", barcode: "SQ-01452 (2)-SQ10079651", file: 1},
		{identifier: "edepot:SQ_01453~SQ-01453 (2)-SQ10079651_1", district: "SQ", dossier: "01453", barcode: "SQ-01453%20(2)-SQ10079651", file: 1},
		{identifier: "edepot:SQ_28276-SQ-file9EyinW~SQ10263352_3", district: "SQ", dossier: "28276-SQ-file9EyinW", barcode: "SQ10263352", file: 3},
		{identifier: "edepot:SQ_26614abc~sq10241283_1", district: "SQ", dossier: "26614abc", barcode: "sq10241283", file: 1},
		{identifier: "wabo:SDZ_TA-38657~628547_1", district: "SDZ", dossier: "TA-38657", barcode: "628547", file: 1, fromWabo: true},
		{identifier: "wabo:SDO_10316333~ECS0000004420-000-00-00_2", district: "SDO", dossier: "10316333", barcode: "ECS0000004420-000-00-00", file: 2, fromWabo: true},
		{identifier: "wabo:SDO_T-10316333~ECS0000004420_000_000", district: "SDO", dossier: "T-10316333", barcode: "ECS0000004420_000", fromWabo: true},
		{identifier: "edepot:ST-00001-ST0001_00001", district: "ST", dossier: "00001", barcode: "ST0001", file: 1},
		{identifier: "edepot:ST_00016~ST00000127_00002", district: "ST", dossier: "00016", barcode: "ST00000127", file: 2},
	}
}

// Each shape is found as text, with its reserved characters encoded, wholly encoded, and with an extension, below both
// versions; and what is fetched is what it means.
func TestIdentifierShapes(t *testing.T) {
	h := newHouse(t, plan{metadata: "fresh 0"})
	picture := testkit.JPEG(t, 20, 10)
	wrong := testkit.JPEG(t, 10, 20)
	for i, s := range shapes() {
		t.Run(s.identifier, func(t *testing.T) {
			archive := h.edepot
			if s.fromWabo {
				archive = h.wabo
			}
			var files []string
			for n := range 5 {
				path := fmt.Sprintf("%s/%d/%d.jpg", s.district, i, n)
				files = append(files, path)
				archive.Put(path, "image/jpeg", wrong)
			}
			archive.Put(files[s.file], "image/jpeg", picture)
			h.metadata.Put(testkit.Dossier{District: s.district, Number: s.dossier, Access: "PUBLIC", Documents: []testkit.Document{
				{Barcode: "another", Access: "RESTRICTED", Copyright: "Y", Files: []string{"no.jpg"}},
				{Barcode: nil, Access: "RESTRICTED", Copyright: "Y", Files: []string{"no.jpg"}},
				{Barcode: s.barcode, Access: "PUBLIC", Copyright: "N", Files: files},
			}})
			for _, extension := range []string{"", ".jpg", ".JPG", ".tiff"} {
				text := s.identifier + extension
				plain := strings.ReplaceAll(text, " ", "%20")
				half := strings.NewReplacer(":", "%3A", "~", "%7E", " ", "%20", "(", "%28", ")", "%29").Replace(text)
				for _, sent := range []string{plain, half, everyByte(text)} {
					for _, version := range []string{"2", "3"} {
						h.metadata.Forget()
						a := h.get("/iiif/"+version+"/"+sent+"/info.json", h.roles("BD/R")...)
						a.size(t, 20, 10)
						if got := a.info(t); got.ID+got.ID3 != h.server.URL()+"/iiif/"+version+"/"+sent {
							t.Errorf("the id is %q", got.ID+got.ID3)
						}
						if n := h.metadata.CountPath(testkit.DossierPath(s.district, s.dossier)); n != 1 || h.metadata.Count() != 1 {
							t.Errorf("%s asked for %v", sent, h.metadata.Requests())
						}
					}
				}
			}
		})
	}
}

func TestFileNumbersOutOfRange(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	for _, number := range []string{"1", "2", "00001", "10", "999999999"} {
		h.get("/iiif/2/edepot:SU_1~D_"+number+"/info.json", h.roles("BD/X")...).text(t, http.StatusNotFound, "Document not found in metadata")
	}
	for _, number := range []string{"0", "00", "00000", "000000000"} {
		h.get("/iiif/2/edepot:SU_1~D_"+number+"/info.json", h.roles("BD/X")...).size(t, 4, 4)
	}
	if n := h.metadata.Count(); n != 1 {
		t.Errorf("%d requests for metadata, want 1", n)
	}
}

// What is no identifier is told so before metadata is asked for, and after the credential was looked at.
func TestIdentifiersThatAreNone(t *testing.T) {
	h := newHouse(t, plan{})
	for _, identifier := range []string{
		"x", "edepot", "edepot:", "edepot:SU", "edepot:SU_1", "edepot:SU_1~", "edepot:SU_1~D", "edepot:SU_1~D_", "edepot:SU_1~D_x",
		"edepot:SU_1~D_-1", "edepot:SU_1~D_+1", "edepot:SU_1~D_0x1", "edepot:SU_1~D_1e1", "edepot:SU_1~D_%D9%A1", ":SU_1~D_0", "SU_1~D_0",
		"edepot:_1~D_0", "edepot:SU_~D_0", "edepot:SU_1~_0", "edepot:SU_1~D~E_0", "edepot::SU_1~D_0", "elsewhere:SU_1~D_0", "EDEPOT:SU_1~D_0",
		"edepot:SU_1~D_0.jpg.exe.tar", "edepot:SU_1~D_0.", "edepot%20:SU_1~D_0", "%20edepot:SU_1~D_0", "edepot%253ASU_1~D_0", "edepot:SU_1%2FD_0",
	} {
		for _, version := range []string{"2", "3"} {
			for _, tail := range []string{"", "/info.json", imageTail, "?source_file=true"} {
				path := "/iiif/" + version + "/" + identifier + tail
				h.get(path, h.roles("BD/X")...).text(t, http.StatusBadRequest, "Invalid formatted url")
				h.get(path, h.roles()...).text(t, http.StatusUnauthorized, "Invalid scope")
				h.get(path).text(t, http.StatusUnauthorized, "No token supplied")
				if t.Failed() {
					t.Fatalf("asked for %s", path)
				}
			}
		}
	}
	if n := h.behind(); n > 0 {
		t.Errorf("%d requests to servers behind", n)
	}
}
