package main

import (
	"fmt"
	"image/color"
	"math"
	"slices"
)

// The sheet is drawn at 1 : 50 on A1, scanned at 600 dots per inch: 20000 by 14000 pixels, and about 4.7 mm of the
// street in each.
const (
	sheetWidth, sheetHeight = 20000, 14000
	metre                   = 300.0 // pixels
	thin, medium, thick     = 3.0, 7.0, 14.0
)

// sheet gathers the layers of the big drawing.
type sheet struct {
	black, grey, red, blue, wash *layer
	upright, bold                *typeface
}

// facades draws a row of canal houses, their ground floor and a section, as an architect would hand them in.
func facades(upright, bold *typeface) *scene {
	s := newScene(sheetWidth, sheetHeight, color.RGBA{250, 246, 234, 255})
	d := sheet{
		wash:    s.layer(color.RGBA{240, 222, 196, 255}),
		grey:    s.layer(color.RGBA{176, 162, 146, 255}),
		black:   s.layer(color.RGBA{36, 34, 40, 255}),
		blue:    s.layer(color.RGBA{40, 76, 140, 255}),
		red:     s.layer(color.RGBA{172, 44, 36, 255}),
		upright: upright, bold: bold,
	}
	d.frame()
	x := 1500.0
	for i, width := range []float64{5.6, 6.4, 7.2, 5.2, 6.8} {
		d.house(point{x, 7000}, width*metre, 12+2*(i%2), i)
		d.plan(point{x, 12700}, width*metre, i)
		d.dimension(point{x, 7420}, width*metre, fmt.Sprintf("%.2f", width))
		x += width * metre
	}
	d.black.line(point{900, 7000}, point{x + 700, 7000}, thick)
	d.section(point{13000, 7000})
	d.title(point{12700, 10100})
	return s
}

func (d sheet) frame() {
	d.black.rectangle(point{300, 300}, sheetWidth-600, sheetHeight-600, thick)
	d.black.rectangle(point{400, 400}, sheetWidth-800, sheetHeight-800, thin)
	for i := range 16 {
		x := 400 + float64(i)*(sheetWidth-800)/16
		d.grey.line(point{x, 300}, point{x, 400}, medium)
		d.black.text(d.upright, point{x + 560, 385}, 80, 0, string(rune('A'+i)))
	}
	d.black.text(d.bold, point{900, 900}, 260, 0, "Front elevations, Example Quay 12 – 20")
	d.black.text(d.upright, point{900, 1180}, 150, 0, "Scale 1 : 50. Existing work black, new work red, services blue. All measures in metres.")
	d.black.text(d.bold, point{900, 8150}, 200, 0, "Ground floors")
	d.black.text(d.bold, point{13000, 1700}, 200, 0, "Section a – a")
}

// house draws an elevation that stands on its lower left corner.
func (d sheet) house(foot point, width float64, height, kind int) {
	top := float64(height) * metre
	d.wash.polygon(foot, foot.plus(width, 0), foot.plus(width, -top), foot.plus(0, -top))
	d.bricks(foot, width, top)
	d.black.rectangle(foot.plus(0, -top), width, top, medium)
	d.gable(foot.plus(0, -top), width, kind)
	floors, bays := 4, 3
	storey := top / float64(floors)
	for floor := range floors {
		for bay := range bays {
			w, h := width/float64(bays)*0.62, storey*0.62
			at := foot.plus(width/float64(bays)*(float64(bay)+0.19), -storey*float64(floor)-h-storey*0.14)
			if floor == 0 && bay == kind%bays {
				d.door(at.plus(0, storey*0.14), w, h)
				continue
			}
			d.window(at, w, h, 4-floor/2)
		}
		d.black.line(foot.plus(0, -storey*float64(floor)), foot.plus(width, -storey*float64(floor)), medium)
	}
	d.black.text(d.bold, foot.plus(width/2-80, 280), 150, 0, fmt.Sprint(12+2*kind))
	d.blue.line(foot.plus(width-70, 0), foot.plus(width-70, -top), thick)
}

// bricks hatches a wall in running bond.
func (d sheet) bricks(foot point, width, top float64) {
	const course, stretcher = 39.0, 132.0
	for row := 0; float64(row)*course < top; row++ {
		y := foot.y - float64(row)*course
		d.grey.line(point{foot.x, y}, point{foot.x + width, y}, thin)
		for x := stretcher * (0.5 + 0.5*float64(row%2)); x < width; x += stretcher {
			d.grey.line(point{foot.x + x, y}, point{foot.x + x, max(y-course, foot.y-top)}, thin)
		}
	}
}

// gable closes a house: stepped, bell, neck or a plain cornice.
func (d sheet) gable(left point, width float64, kind int) {
	middle := width / 2
	switch kind % 4 {
	case 0:
		outline := []point{left}
		for i := range 6 {
			f := float64(i)
			outline = append(outline, left.plus(f*middle/6.5, -f*200-200), left.plus((f+1)*middle/6.5, -f*200-200))
		}
		for i := len(outline) - 1; i >= 0; i-- {
			outline = append(outline, point{2*left.x + width - outline[i].x, outline[i].y})
		}
		d.wash.polygon(slices.Clone(outline)...)
		d.black.lines(medium, outline...)
	case 1:
		radius := middle * 0.9
		var dome []point
		for i := range 61 {
			angle := math.Pi * (1 + float64(i)/60)
			dome = append(dome, left.plus(middle+radius*math.Cos(angle), radius*math.Sin(angle)))
		}
		d.wash.polygon(dome...)
		d.black.arc(left.plus(middle, 0), radius, math.Pi, 2*math.Pi, medium)
		d.black.arc(left.plus(middle, 0), radius-60, math.Pi, 2*math.Pi, thin)
		d.black.rectangle(left.plus(middle-60, -radius-260), 120, 260, medium)
	case 2:
		d.wash.polygon(left.plus(middle*0.55, 0), left.plus(width-middle*0.55, 0), left.plus(width-middle*0.55, -900), left.plus(middle*0.55, -900))
		d.black.rectangle(left.plus(middle*0.55, -900), width-middle*1.1, 900, medium)
		d.black.lines(medium, left.plus(middle*0.5, -900), left.plus(middle, -1250), left.plus(width-middle*0.5, -900), left.plus(middle*0.5, -900))
		d.black.arc(left.plus(middle*0.55, -420), middle*0.45, math.Pi/2, math.Pi, medium)
		d.black.arc(left.plus(width-middle*0.55, -420), middle*0.45, 0, math.Pi/2, medium)
	default:
		d.black.rectangle(left.plus(-70, -150), width+140, 150, medium)
		for x := 60.0; x < width; x += 150 {
			d.black.rectangle(left.plus(x, -120), 70, 90, thin)
		}
	}
	d.red.arc(left.plus(middle, 420), 90, 0, 2*math.Pi, medium)
}

func (d sheet) window(at point, w, h float64, rows int) {
	d.wash.polygon(at, at.plus(w, 0), at.plus(w, h), at.plus(0, h))
	d.black.rectangle(at, w, h, medium)
	d.black.rectangle(at.plus(24, 24), w-48, h-48, thin)
	for i := 1; i < 3; i++ {
		d.black.line(at.plus(w*float64(i)/3, 24), at.plus(w*float64(i)/3, h-24), thin)
	}
	for i := 1; i < rows; i++ {
		d.black.line(at.plus(24, h*float64(i)/float64(rows)), at.plus(w-24, h*float64(i)/float64(rows)), thin)
	}
	d.black.rectangle(at.plus(-30, h), w+60, 34, medium)
	d.black.arc(at.plus(w/2, w*0.42), w*0.68, -math.Pi*0.77, -math.Pi*0.23, thin)
}

func (d sheet) door(at point, w, h float64) {
	d.red.rectangle(at, w, h, thick)
	d.red.line(at.plus(0, h*0.28), at.plus(w, h*0.28), medium)
	d.red.rectangle(at.plus(w*0.14, h*0.36), w*0.72, h*0.22, thin)
	d.red.rectangle(at.plus(w*0.14, h*0.64), w*0.72, h*0.28, thin)
	d.red.arc(at.plus(w*0.86, h*0.62), 18, 0, 2*math.Pi, thin)
	for i := range 3 {
		d.black.rectangle(at.plus(-40*float64(i+1), h-45*float64(3-i)), w+80*float64(i+1), 45, thin)
	}
}

// plan draws a ground floor on its lower left corner.
func (d sheet) plan(foot point, width float64, kind int) {
	const depth, wall = 4200.0, 90.0
	d.black.rectangle(foot.plus(0, -depth), width, depth, thick)
	d.black.rectangle(foot.plus(wall, wall-depth), width-2*wall, depth-2*wall, medium)
	for y := -depth; y < 0; y += 70 {
		d.grey.line(foot.plus(0, y), foot.plus(wall, y+wall), thin)
		d.grey.line(foot.plus(width-wall, y), foot.plus(width, y+wall), thin)
	}
	for i := range 12 {
		y := -depth*0.62 + float64(i)*75
		d.black.line(foot.plus(wall, y), foot.plus(wall+width*0.22, y), thin)
	}
	d.red.line(foot.plus(wall, -depth*0.36), foot.plus(width*0.7, -depth*0.36), thick)
	d.red.arc(foot.plus(width*0.7, -depth*0.36), width*0.24, 0, math.Pi/2, thin)
	d.black.text(d.upright, foot.plus(width*0.34, -depth*0.70), 130, 0, "kitchen")
	d.black.text(d.upright, foot.plus(width*0.34, -depth*0.20), 130, 0, "front room")
	d.blue.lines(medium, foot.plus(width-200, -depth+wall), foot.plus(width-200, -depth*0.5), foot.plus(width*0.5, -depth*0.5))
	d.black.text(d.upright, foot.plus(width*0.34, -depth*0.16+80), 90, 0, fmt.Sprintf("%.1f m²", width*depth/metre/metre*0.3+float64(kind)))
}

// dimension draws a measure below an elevation.
func (d sheet) dimension(from point, width float64, words string) {
	d.black.line(from, from.plus(width, 0), thin)
	for _, x := range []float64{0, width} {
		d.black.line(from.plus(x, -70), from.plus(x, 70), thin)
		d.black.line(from.plus(x-40, 40), from.plus(x+40, -40), medium)
	}
	d.black.text(d.upright, from.plus(width/2-130, -30), 110, 0, words)
}

// section cuts through the second house; it stands on its lower left corner.
func (d sheet) section(foot point) {
	const length, height = 5200.0, 3900.0
	for floor := range 5 {
		y := -float64(floor) * height / 4
		d.black.rectangle(foot.plus(0, y-60), length, 60, medium)
		for x := 0.0; x < length; x += 110 {
			d.black.rectangle(foot.plus(x, y-50), 60, 40, thin)
		}
	}
	d.black.rectangle(foot.plus(0, -height), length, height, thick)
	d.black.lines(thick, foot.plus(0, -height), foot.plus(length/2, -height-1150), foot.plus(length, -height))
	d.red.lines(medium, foot.plus(length*0.18, -height-400), foot.plus(length*0.5, -height-1060), foot.plus(length*0.82, -height-400), foot.plus(length*0.18, -height-400))
	for i := range 22 {
		x := length*0.40 + float64(i)*48
		d.black.lines(thin, foot.plus(x, -float64(i)*44), foot.plus(x, -float64(i+1)*44), foot.plus(x+48, -float64(i+1)*44))
	}
	for i := range 30 {
		d.grey.line(foot.plus(-300+float64(i)*200, 60), foot.plus(-500+float64(i)*200, 260), thin)
	}
	d.blue.arc(foot.plus(length*0.5, 420), 260, 0, 2*math.Pi, medium)
	d.blue.line(foot.plus(length*0.5, 160), foot.plus(length*0.5, -height), medium)
}

// title is the block in the lower right corner.
func (d sheet) title(at point) {
	const width, height = 6500.0, 3100.0
	d.black.rectangle(at, width, height, thick)
	for _, y := range []float64{0.30, 0.48, 0.66, 0.84} {
		d.black.line(at.plus(0, height*y), at.plus(width, height*y), medium)
	}
	d.black.text(d.bold, at.plus(200, 520), 420, 0, "Example Quay 12 – 20")
	d.black.text(d.upright, at.plus(200, 800), 190, 0, "Rebuilding of five canal houses")
	for i, row := range [][2]string{
		{"Architect", "A. Nobody, Amsterdam"},
		{"Drawing", "SU99000148, sheet 1 of 1"},
		{"Date", "14 March 1995"},
		{"Scale", "1 : 50"},
	} {
		y := height*(0.30+0.18*float64(i)) + 340
		d.black.text(d.upright, at.plus(200, y), 170, 0, row[0])
		d.black.text(d.bold, at.plus(1700, y), 220, 0, row[1])
	}
	d.red.arc(at.plus(width-900, height-1350), 620, 0, 2*math.Pi, thick)
	d.red.arc(at.plus(width-900, height-1350), 560, 0, 2*math.Pi, medium)
	d.red.centred(d.bold, at.plus(width-900, height-1350), 190, -0.3, "APPROVED")
}
