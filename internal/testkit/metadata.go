package testkit

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Missing as the value of a field, leaves the key out of the JSON; nil makes it null.
type Missing struct{}

// Dossier is a building dossier as the metadata server tells it. Fields of type any take what a test wants to see:
// the usual string, nil, Missing or something of the wrong type.
type Dossier struct {
	District, Number string
	Access           any
	Documents        []Document
}

// Document is one document of a Dossier.
type Document struct {
	Barcode   any
	Access    any
	Copyright any
	Title     any // subdossier_titel
	// Files are paths at the archive (file_pad); their last elements are the file names.
	Files []string
}

// JSON is the answer of the metadata server for this dossier.
func (d Dossier) JSON() []byte {
	documents := make([]map[string]any, 0, len(d.Documents))
	for _, doc := range d.Documents {
		documents = append(documents, doc.object())
	}
	return must(json.Marshal(present(map[string]any{
		"titel": "Example Quay 12 - 18", "dossiernr": d.Number, "stadsdeel": d.District, "datering": "1995-01-01",
		"dossier_type": "oprichting", "source": "EDEPOT",
		"access": d.Access, "access_restricted_until": nil,
		"documenten": documents,
		"adressen":   []map[string]any{{"straat": "Example Quay", "huisnummer_van": 12, "huisnummer_tot": 18}},
	})))
}

func (d Document) object() map[string]any {
	files := make([]map[string]any, 0, len(d.Files))
	for _, path := range d.Files {
		files = append(files, map[string]any{
			"filename": path[strings.LastIndexByte(path, '/')+1:],
			"file_pad": path,
			"url":      "https://dossiers.example.org/iiif/2/" + url.PathEscape(path),
		})
	}
	return present(map[string]any{
		"subdossier_titel": d.Title, "barcode": d.Barcode, "document_omschrijving": nil,
		"access": d.Access, "access_restricted_until": nil,
		"copyright": d.Copyright, "copyright_until": nil, "copyright_holders": nil, "copyright_manufacturers": nil,
		"bestanden": files,
	})
}

func present(object map[string]any) map[string]any {
	for key, value := range object {
		if _, missing := value.(Missing); missing {
			delete(object, key)
		}
	}
	return object
}

// MetadataServer stands in for the server that knows the dossiers.
type MetadataServer struct {
	*StandIn
	mu     sync.Mutex
	bodies map[string][]byte
}

// NewMetadataServer starts one that knows these dossiers.
func NewMetadataServer(t testing.TB, dossiers ...Dossier) *MetadataServer {
	t.Helper()
	m := &MetadataServer{bodies: map[string][]byte{}}
	for _, d := range dossiers {
		m.Put(d)
	}
	m.StandIn = NewStandIn(t, http.HandlerFunc(m.serve))
	return m
}

// DossierPath is the escaped path of a dossier at the metadata server.
func DossierPath(district, number string) string {
	return "/iiif-metadata/bouwdossier/" + url.PathEscape(district+"_"+number) + "/"
}

// Put adds a dossier or replaces it.
func (m *MetadataServer) Put(d Dossier) { m.PutRaw(d.District, d.Number, d.JSON()) }

// PutRaw lets a dossier be answered with any bytes.
func (m *MetadataServer) PutRaw(district, number string, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies[DossierPath(district, number)] = body
}

// Remove makes a dossier unknown: 404.
func (m *MetadataServer) Remove(district, number string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.bodies, DossierPath(district, number))
}

func (m *MetadataServer) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	body, ok := m.bodies[r.URL.EscapedPath()]
	m.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
