package main

import (
	"encoding/json"
	"fmt"
	"path"
)

// dossier is a building dossier in the shape that the metadata server sends; the words in it are that server's.
type dossier struct {
	Title     string  `json:"titel"`
	Number    string  `json:"dossiernr"`
	District  string  `json:"stadsdeel"`
	Date      string  `json:"datering"`
	Type      string  `json:"dossier_type"`
	Source    string  `json:"source"`
	Access    string  `json:"access"`
	Until     *string `json:"access_restricted_until"`
	Documents []paper `json:"documenten"`
	Addresses []any   `json:"adressen"`
}

// paper is a document of a dossier.
type paper struct {
	Part          string     `json:"subdossier_titel"`
	Barcode       string     `json:"barcode"`
	Description   string     `json:"document_omschrijving"`
	Access        string     `json:"access"`
	Until         *string    `json:"access_restricted_until"`
	Copyright     string     `json:"copyright"`
	CopyUntil     *string    `json:"copyright_until"`
	Holders       *string    `json:"copyright_holders"`
	Manufacturers *string    `json:"copyright_manufacturers"`
	Files         []original `json:"bestanden"`

	// What the page tells besides.
	kind  string
	pages int
}

// original is a file at the archive.
type original struct {
	Name string `json:"filename"`
	Path string `json:"file_pad"`
	URL  string `json:"url"`
}

const (
	public     = "PUBLIC"
	restricted = "RESTRICTED"
)

func dossiers() []dossier {
	later := func(date string) *string { return &date }
	architect := later("A. Nobody, Amsterdam")
	all := []dossier{
		{
			Title: "Example Quay 12 – 20, rebuilding of five canal houses", Number: "99001", District: "SU", Date: "1995-01-01",
			Type: "oprichting", Source: "EDEPOT", Access: public,
			Documents: []paper{
				{
					Part: "Permit", Barcode: "SU99000147", Description: "Letter that grants the permit", Access: public, Copyright: "N",
					Files: files("SU99000147_00001.jpg"), kind: "Page scan, JPEG", pages: 1,
				},
				{
					Part: "Drawings", Barcode: "SU99000148", Description: "Elevations, plans and section", Access: public, Copyright: "Y",
					CopyUntil: later("2065-01-01"), Holders: architect, Manufacturers: architect,
					Files: files("SU99000148_00001.tif"), kind: "Drawing of 280 megapixels, tiled TIFF", pages: 1,
				},
				{
					Part: "Surroundings", Barcode: "SU99000149", Description: "View across the water", Access: public, Copyright: "N",
					Files: files("SU99000149_00001.jpg"), kind: "Photograph, JPEG", pages: 1,
				},
				{
					Part: "Permit", Barcode: "SU99000150", Description: "Conditions of the permit", Access: public, Copyright: "N",
					Files: files("SU99000150_00001.pdf"), kind: "PDF of two pages", pages: 2,
				},
				{
					Part: "Aanvraag en behandeling", Barcode: "SU99000151", Description: "Letters between owner and city", Access: restricted,
					Until: later("2036-01-01"), Copyright: "N",
					Files: files("SU99000151_00001.tif"), kind: "TIFF of three pages", pages: 3,
				},
			},
		},
		{
			Title: "Sample Lane 3, strongroom of a bank", Number: "00015", District: "ST", Date: "1971-06-01",
			Type: "verbouwing", Source: "EDEPOT", Access: restricted, Until: later("2046-01-01"),
			Documents: []paper{
				{
					Part: "Calculations", Barcode: "ST00000126", Description: "Thickness of the walls", Access: public, Copyright: "N",
					Files: files("ST00000126_00001.jpg"), kind: "Page scan, JPEG", pages: 1,
				},
			},
		},
		{
			Title: "Trial Square 8, dormer window", Number: "TA-38657", District: "SDZ", Date: "2014-09-01",
			Type: "verbouwing", Source: "WABO", Access: public,
			Documents: []paper{
				{
					Part: "Drawings", Barcode: "628547", Description: "Overview of the elevations", Access: public, Copyright: "N",
					Files: files("628547_1.jpg"), kind: "Drawing, JPEG", pages: 1,
				},
				{
					Part: "Correspondence", Barcode: "628548", Description: "Notes of a telephone call", Access: public, Copyright: "N",
					Files: files("628548_1.txt"), kind: "Text file, no picture", pages: 1,
				},
			},
		},
	}
	for i := range all {
		all[i].locate()
	}
	return all
}

func files(names ...string) []original {
	var out []original
	for _, name := range names {
		out = append(out, original{Name: name})
	}
	return out
}

// locate fills in what follows from names and numbers.
func (d *dossier) locate() {
	d.Addresses = []any{}
	for i := range d.Documents {
		for n := range d.Documents[i].Files {
			f := &d.Documents[i].Files[n]
			f.Path = path.Join(d.District, d.Number, f.Name)
			f.URL = "https://dossiers.example.org/iiif/2/" + d.identifier(d.Documents[i].Barcode, n)
		}
	}
}

// source is the name of the place in the Caddyfile that keeps the originals.
func (d *dossier) source() string {
	if d.Source == "WABO" {
		return "wabo"
	}
	return "edepot"
}

func (d *dossier) identifier(barcode string, number int) string {
	return fmt.Sprintf("%s:%s_%s~%s_%d", d.source(), d.District, d.Number, barcode, number)
}

// catalog is what the page lists. In a city, a search engine knows it.
func catalog(all []dossier) ([]byte, error) {
	type item struct {
		Identifier  string `json:"identifier"`
		Part        string `json:"part"`
		Description string `json:"description"`
		Kind        string `json:"kind"`
		File        string `json:"file"`
		Pages       int    `json:"pages"`
		Access      string `json:"access"`
		Copyright   bool   `json:"copyright"`
	}
	type entry struct {
		Title  string `json:"title"`
		Number string `json:"number"`
		Source string `json:"source"`
		Access string `json:"access"`
		Items  []item `json:"items"`
	}
	var out []entry
	for _, d := range all {
		e := entry{Title: d.Title, Number: d.District + " " + d.Number, Source: d.source(), Access: d.Access}
		for _, p := range d.Documents {
			for n, f := range p.Files {
				e.Items = append(e.Items, item{
					Identifier: d.identifier(p.Barcode, n), Part: p.Part, Description: p.Description, Kind: p.kind, File: f.Name,
					Pages: p.pages, Access: p.Access, Copyright: p.Copyright != "N",
				})
			}
		}
		out = append(out, e)
	}
	return json.MarshalIndent(out, "", "  ")
}
