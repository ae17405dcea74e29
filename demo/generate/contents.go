package main

import (
	"bytes"
	"image"
	"image/jpeg"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// faces are the fonts; they come with Go's image module.
type faces struct{ regular, bold, mono *typeface }

func newFaces() (f faces, err error) {
	if f.regular, err = newTypeface(goregular.TTF); err != nil {
		return f, err
	}
	if f.bold, err = newTypeface(gobold.TTF); err != nil {
		return f, err
	}
	f.mono, err = newTypeface(gomono.TTF)
	return f, err
}

func permit() letter {
	return letter{
		heading: "THE CITY, DEPARTMENT OF BUILDING", reference: "Ref. SU 99001 / 147        14 March 1995",
		lines: []string{
			"To the owners of the houses at Example Quay,",
			"numbers 12 to 20",
			"",
			"",
			"Dear Sir, dear Madam,",
			"",
			"On the second of January you asked for leave to",
			"rebuild the five houses named above. We have looked",
			"at the drawings and at the calculations, and have",
			"visited the site twice.",
			"",
			"We hereby grant the permit, under the conditions in",
			"the annex. The stepped gable of number 12 has to be",
			"kept as it is. New doors are to be made of oak. The",
			"bricks of the side walls are to be laid in running",
			"bond, with joints of ten millimetres.",
			"",
			"The work has to begin within one year and to end",
			"within three. Before the first stone is moved, the",
			"inspector of this district wants to be told.",
			"",
			"This letter and the drawings go into the archive of",
			"the city, where everybody may read them.",
			"",
			"",
			"For the board,",
			"",
			"",
			"        P. Pretend",
			"        Head of the department",
		},
		stamp: "GRANTED",
	}
}

func calculation() letter {
	return letter{
		heading: "NOBODY & SONS, STRUCTURAL ENGINEERS", reference: "Sheet 4 of 11           Strongroom, Sample Lane 3",
		lines: []string{
			"4.  Walls",
			"",
			"    concrete                         K 300",
			"    reinforcement, each face         12 - 100",
			"    span                             3.20 m",
			"    clear height                     2.65 m",
			"",
			"    load of the floor above          4.0 kN/m2",
			"    own weight                      11.5 kN/m2",
			"                                    ----------",
			"    together                        15.5 kN/m2",
			"",
			"    M = 1/8 q l2 = 1/8 . 15.5 . 3.20 . 3.20",
			"      = 19.8 kNm per metre",
			"",
			"    chosen thickness                 460 mm",
			"",
			"    The door hangs in a frame of steel that is cast",
			"    in; see sheet 7. Its position is not shown on",
			"    drawings that leave the office.",
		},
		stamp: "SECRET",
	}
}

func conditions() []letter {
	return []letter{
		{
			heading: "Conditions of the permit", reference: "SU 99001 - page 1 of 2",
			lines: []string{
				"1.  The work is done as on the drawing SU99000148.", "2.  Changes need leave in writing.", "",
				"3.  The street stays open for walkers at all times.", "4.  Noise ends at six in the evening.", "",
				"5.  Old beams that can be used again are used again.", "6.  The cellar floor is not lowered.", "",
				"7.  Pipes through the facade (water, gas) are brought together in one place.",
			},
		},
		{
			heading: "Inspection", reference: "SU 99001 - page 2 of 2",
			lines: []string{
				"The inspector comes", "", "    - when the foundations are open,", "    - when the beams are in place,", "    - when the roof is closed,",
				"    - and once more at the end.", "", "Tell the department two working days before.",
			},
		},
	}
}

func correspondence() []letter {
	page := func(number, date string, lines ...string) letter {
		return letter{heading: "FROM THE FILE OF EXAMPLE QUAY 14", reference: "Letter " + number + "                " + date, lines: lines}
	}
	return []letter{
		page("1", "9 January 1995", "Dear department,", "", "my neighbour says that my chimney leans. It has", "leaned since 1780. May it go on leaning?", "", "        The owner of number 14"),
		page("2", "23 January 1995", "Dear owner,", "", "the inspector has measured: 31 centimetres.", "It may lean, but not smoke.", "", "        The department"),
		page("3", "2 February 1995", "Dear department,", "", "thank you. We have always liked central heating.", "", "        The owner of number 14"),
	}
}

const telephoneNote = `Trial Square 8, dormer window
-----------------------------
3 September 2014, 10:20
The applicant asks whether the dormer may be white. It may.
A text file is no picture: Gatehouse shows a placeholder for it and hands out
the original as it is.
`

// contents makes the originals, by their paths at the archive.
func contents() (map[string]func() ([]byte, error), error) {
	f, err := newFaces()
	if err != nil {
		return nil, err
	}
	drawing := facades(f.regular, f.bold)
	if drawing.err != nil {
		return nil, drawing.err
	}
	return map[string]func() ([]byte, error){
		"edepot/SU/99001/SU99000147_00001.jpg": func() ([]byte, error) { return scanned(permit(), f, 1) },
		"edepot/SU/99001/SU99000148_00001.tif": func() ([]byte, error) { return pictures.Pyramid(drawing, 512) },
		"edepot/SU/99001/SU99000149_00001.jpg": func() ([]byte, error) { return asJPEG(photo(3600, 2400)) },
		"edepot/SU/99001/SU99000150_00001.pdf": func() ([]byte, error) { return document(conditions()...), nil },
		"edepot/SU/99001/SU99000151_00001.tif": func() ([]byte, error) { return fileOfLetters(correspondence(), f) },
		"edepot/ST/00015/ST00000126_00001.jpg": func() ([]byte, error) { return scanned(calculation(), f, 2) },
		"wabo/SDZ/TA-38657/628547_1.jpg": func() ([]byte, error) {
			return asJPEG(drawing.Draw(image.Rect(0, 0, sheetWidth/8, sheetHeight/8), 8))
		},
		"wabo/SDZ/TA-38657/628548_1.txt": func() ([]byte, error) { return []byte(telephoneNote), nil },
	}, nil
}

func scanned(l letter, f faces, seed int) ([]byte, error) {
	m, err := scan(l, f.mono, f.bold, seed)
	if err != nil {
		return nil, err
	}
	return asJPEG(m)
}

func fileOfLetters(letters []letter, f faces) ([]byte, error) {
	var pages []image.Image
	for i, l := range letters {
		m, err := scan(l, f.mono, f.bold, 10+i)
		if err != nil {
			return nil, err
		}
		pages = append(pages, gray(m))
	}
	return pictures.Pages(pages...)
}

func asJPEG(m image.Image) ([]byte, error) {
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 86})
	return out.Bytes(), err
}
