package conformance_test

import (
	"fmt"
	"image"
	"net/http"
)

func rotationChecks(v api) []check {
	w := v.whole
	whole := image.Rect(0, 0, 600, 400)
	return []check{
		v.check("4.3", 1, must, "Multiples of 90 degrees turn clockwise and change no pixel.", func(p *probe) {
			for _, degrees := range []float64{0, 90, 180, 270} {
				p.matches(cardID, fmt.Sprintf("full/%s/%v/default.png", w, degrees), exact(whole).right(degrees, false))
			}
		}),
		v.check("4.3", 2, must, "! mirrors left and right.", func(p *probe) {
			p.matches(cardID, "full/"+w+"/!0/default.png", exact(whole).right(0, true))
			p.matches(cardID, "17,33,120,90/"+w+"/!0/default.png", exact(image.Rect(17, 33, 137, 123)).right(0, true))
		}),
		v.check("4.3", 3, must, "It mirrors first, and turns then.", func(p *probe) {
			for _, degrees := range []float64{90, 180, 270} {
				p.matches(cardID, fmt.Sprintf("full/%s/!%v/default.png", w, degrees), exact(whole).right(degrees, true))
			}
		}),
		v.check("4.3", 4, must, "Any number from 0 to 360 is a rotation.", func(p *probe) {
			for _, rotation := range []string{"0.5", "1", "22.5", "89.999", "123.456789", "359.9", "!0.1", "!345"} {
				p.picture(cardID, "full/90,/"+rotation+"/default.png")
			}
			p.matches(cardID, "full/"+w+"/360/default.png", exact(whole))
			p.matches(cardID, "full/"+w+"/!360/default.png", exact(whole).right(0, true))
		}),
		v.check("4.3", 5, should, "A rotation out of range, or none at all, is 400.", func(p *probe) {
			for _, rotation := range []string{"360.1", "361", "720", "-1", "-90", "+90", "90.", "1e1", "a", "!", "!!0", "0!", "90%20", "", "NaN", "1,5", "99999999999999999999"} {
				p.refused(http.StatusBadRequest, "full/60,/"+rotation+"/default.jpg")
			}
		}),
		v.check("4.3", 6, should, "All of the content is there: the box grows.", func(p *probe) {
			for _, degrees := range []float64{10, 45, 100, 222.5} {
				p.matches(cardID, fmt.Sprintf("full/300,/%v/default.png", degrees), resampled(whole, 300, 200).turned(degrees, "clear"))
			}
		}),
		v.check("4.3", 7, should, "The content is not scaled by turning.", func(p *probe) {
			p.matches(cardID, "100,100,240,160/"+w+"/30/default.png", resampled(image.Rect(100, 100, 340, 260), 240, 160).turned(30, "clear"))
			p.matches(cardID, "full/300,/315/default.png", resampled(whole, 300, 200).turned(315, "clear"))
		}),
		v.check("4.3", 8, should, "There is no more room around it than the box needs.", func(p *probe) {
			for _, rotation := range []float64{3, 45, 77.7, 181} {
				p.matches(cardID, fmt.Sprintf("full/150,/%v/default.png", rotation), resampled(whole, 150, 100).turned(rotation, "clear"))
			}
		}),
		v.check("4.3", 9, should, "Where the format can, the background is transparent.", func(p *probe) {
			p.matches(cardID, "full/300,/30/default.png", resampled(whole, 300, 200).turned(30, "clear"))
			p.matches(cardID, "full/300,/30/default.webp", resampled(whole, 300, 200).turned(30, "clear").lossy())
			p.matches(cardID, "full/300,/30/default.tif", resampled(whole, 300, 200).turned(30, "clear"))
		}),
		v.check("4.3", 10, ours, "In a JPEG it is white.", func(p *probe) {
			p.matches(cardID, "full/300,/30/default.jpg", resampled(whole, 300, 200).turned(30, "white").lossy())
		}),
	}
}
