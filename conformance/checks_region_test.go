package conformance_test

import (
	"image"
	"net/http"
)

func regionChecks(v api) []check {
	w := v.whole
	return []check{
		v.check("4.1", 1, must, "full is the whole image.", func(p *probe) {
			p.matches(cardID, "full/"+w+"/0/default.png", exact(image.Rect(0, 0, 600, 400)))
		}),
		v.check("4.1", 2, must, "square is as wide and high as the shorter side.", func(p *probe) {
			p.sizedOf(cardID, "square/"+w+"/0/default.png", 400, 400)
			p.sizedOf(tallID, "square/"+w+"/0/default.png", 210, 210)
			p.sizedOf(equalID, "square/"+w+"/0/default.png", 320, 320)
			p.sizedOf(pyramidID, "square/200,/0/default.png", 200, 200)
		}),
		v.check("4.1", 3, ours, "square lies in the middle.", func(p *probe) {
			p.matches(cardID, "square/"+w+"/0/default.png", exact(image.Rect(100, 0, 500, 400)))
			p.matches(tallID, "square/"+w+"/0/default.png", exact(image.Rect(0, 195, 210, 405)))
		}),
		v.check("4.1", 4, must, "x,y,w,h is this rectangle of pixels.", func(p *probe) {
			for _, r := range []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(125, 15, 245, 155), image.Rect(599, 399, 600, 400), image.Rect(0, 399, 600, 400), image.Rect(17, 0, 18, 400)} {
				p.matches(cardID, pixels(r)+"/"+w+"/0/default.png", exact(r))
			}
		}),
		v.check("4.1", 5, must, "0,0 is the upper left pixel; x counts to the right and y downwards.", func(p *probe) {
			p.matches(cardID, "0,0,20,10/"+w+"/0/default.png", exact(image.Rect(0, 0, 20, 10)))
			p.matches(cardID, "580,0,20,10/"+w+"/0/default.png", exact(image.Rect(580, 0, 600, 10)))
			p.matches(cardID, "0,390,20,10/"+w+"/0/default.png", exact(image.Rect(0, 390, 20, 400)))
		}),
		v.check("4.1", 6, must, "pct: counts in percent of the image's width and height.", func(p *probe) {
			p.matches(cardID, "pct:10,20,30,40/"+w+"/0/default.png", exact(image.Rect(60, 80, 240, 240)))
			p.matches(cardID, "pct:0,0,100,100/"+w+"/0/default.png", exact(image.Rect(0, 0, 600, 400)))
			p.matches(tallID, "pct:50,50,50,50/"+w+"/0/default.png", exact(image.Rect(105, 300, 210, 600)))
		}),
		v.check("4.1", 7, must, "Percentages may have fractions; we round half up.", func(p *probe) {
			p.matches(cardID, "pct:12.5,12.5,37.5,62.5/"+w+"/0/default.png", exact(image.Rect(75, 50, 300, 300)))
			p.matches(cardID, "pct:0.1,0.1,50.05,50.05/"+w+"/0/default.png", exact(image.Rect(1, 0, 301, 200)))
		}),
		v.check("4.1", 8, should, "What reaches beyond the image is cropped at its edge.", func(p *probe) {
			p.matches(cardID, "500,300,200,200/"+w+"/0/default.png", exact(image.Rect(500, 300, 600, 400)))
			p.matches(cardID, "0,0,99999,99999/"+w+"/0/default.png", exact(image.Rect(0, 0, 600, 400)))
			p.matches(cardID, "590,0,20,400/"+w+"/0/default.png", exact(image.Rect(590, 0, 600, 400)))
		}),
		v.check("4.1", 9, should, "So is what reaches beyond it in percent.", func(p *probe) {
			p.matches(cardID, "pct:50,50,100,100/"+w+"/0/default.png", exact(image.Rect(300, 200, 600, 400)))
			p.matches(cardID, "pct:0,0,200,25/"+w+"/0/default.png", exact(image.Rect(0, 0, 600, 100)))
		}),
		v.check("4.1", 10, should, "A region without width or height is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "0,0,0,10/max/0/default.jpg", "0,0,10,0/max/0/default.jpg", "0,0,0,0/max/0/default.jpg",
				"pct:0,0,0,10/max/0/default.jpg", "pct:0,0,10,0.0/max/0/default.jpg", "pct:0,0,0.01,0.01/max/0/default.jpg")
		}),
		v.check("4.1", 11, should, "A region wholly outside of the image is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "600,0,10,10/max/0/default.jpg", "0,400,10,10/max/0/default.jpg", "9999,9999,10,10/max/0/default.jpg",
				"pct:100,0,10,10/max/0/default.jpg", "pct:0,100,10,10/max/0/default.jpg", "pct:101,101,1,1/max/0/default.jpg")
		}),
		v.check("4.1", 12, must, "The specification's six examples have the sizes that it gives.", func(p *probe) {
			p.sizedOf(exampleID, "full/"+w+"/0/default.jpg", 300, 200)
			p.sizedOf(exampleID, "square/"+w+"/0/default.jpg", 200, 200)
			p.sizedOf(exampleID, "125,15,120,140/"+w+"/0/default.jpg", 120, 140)
			p.sizedOf(exampleID, "pct:41.6,7.5,40,70/"+w+"/0/default.jpg", 120, 140)
			p.sizedOf(exampleID, "125,15,200,200/"+w+"/0/default.jpg", 175, 185)
			p.sizedOf(exampleID, "pct:41.6,7.5,66.6,100/"+w+"/0/default.jpg", 175, 185)
		}),
		v.check("4.1", 13, should, "What is no region is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "Full/max/0/default.jpg", "whole/max/0/default.jpg", "0,0,10/max/0/default.jpg", "0,0,10,10,10/max/0/default.jpg",
				",,,/max/0/default.jpg", "pct:1,2,3/max/0/default.jpg", "pct:a,0,1,1/max/0/default.jpg", "pct:-1,0,10,10/max/0/default.jpg",
				"pct/max/0/default.jpg", "square,/max/0/default.jpg", "0,%200,10,10/max/0/default.jpg", "smart/max/0/default.jpg")
		}),
	}
}
