package conformance_test

import (
	"image"
	"net/http"
)

func sizeChecks(v api) []check {
	if v.version == 2 {
		return sizeChecks2(v)
	}
	return append(sizeChecks3(v), upscaleChecks3(v)...)
}

func sizeChecks2(v api) []check {
	return []check{
		v.check("4.2", 1, must, "full does not scale.", func(p *probe) {
			p.matches(cardID, "full/full/0/default.png", exact(image.Rect(0, 0, 600, 400)))
			p.matches(cardID, "10,20,30,40/full/0/default.png", exact(image.Rect(10, 20, 40, 60)))
		}),
		v.check("4.2", 2, must, "max is as large as the limits allow, and full where they do not matter.", func(p *probe) {
			p.sized("full/max/0/default.png", 600, 400)
			p.measured(p.in(limitedPrefix, cardID, "full/max/0/default.png"), 225, 150)
			p.measured(p.in(limitedPrefix, cardID, "0,0,100,90/max/0/default.png"), 100, 90)
			p.measured(p.in(limitedPrefix, tallID, "full/max/0/default.png"), 53, 150)
		}),
		v.check("4.2", 3, must, "w, has exactly this width, and the height that keeps the proportions.", func(p *probe) {
			p.sized("full/150,/0/default.png", 150, 100)
			p.sized("full/100,/0/default.png", 100, 67)
			p.sized("0,0,300,100/99,/0/default.png", 99, 33)
			p.sizedOf(tallID, "full/7,/0/default.png", 7, 20)
		}),
		v.check("4.2", 4, must, ",h has exactly this height, and the width that keeps the proportions.", func(p *probe) {
			p.sized("full/,100/0/default.png", 150, 100)
			p.sized("full/,150/0/default.png", 225, 150)
			p.sizedOf(tallID, "full/,100/0/default.png", 35, 100)
		}),
		v.check("4.2", 5, must, "pct:n scales both sides to n percent.", func(p *probe) {
			p.sized("full/pct:50/0/default.png", 300, 200)
			p.sized("full/pct:12.5/0/default.png", 75, 50)
			p.sized("0,0,300,100/pct:10/0/default.png", 30, 10)
			p.sized("full/pct:100/0/default.png", 600, 400)
		}),
		v.check("4.2", 6, must, "w,h has exactly this size, distorted if need be.", func(p *probe) {
			p.sized("full/225,100/0/default.png", 225, 100)
			p.sized("full/50,300/0/default.png", 50, 300)
			p.matches(cardID, "full/200,300/0/default.png", resampled(image.Rect(0, 0, 600, 400), 200, 300))
		}),
		v.check("4.2", 7, must, "!w,h is the best fit into this box, in the proportions of the region.", func(p *probe) {
			p.sized("full/!225,100/0/default.png", 150, 100)
			p.sized("full/!100,225/0/default.png", 100, 67)
			p.sized("full/!300,200/0/default.png", 300, 200)
			p.sizedOf(tallID, "full/!100,100/0/default.png", 35, 100)
		}),
		v.check("4.2", 8, should, "A side of no pixels is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/0,/0/default.jpg", "full/,0/0/default.jpg", "full/0,0/0/default.jpg", "full/10,0/0/default.jpg", "full/!0,10/0/default.jpg",
				"full/pct:0/0/default.jpg", "full/pct:0.0/0/default.jpg", "0,0,600,1/pct:10/0/default.jpg", "0,0,600,1/10,/0/default.jpg")
		}),
		v.check("4.2", 9, may, "Sizes above the region's are made: sizeAboveFull.", func(p *probe) {
			p.sizedOf(exampleID, "full/450,/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/,300/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/pct:150/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/310,250/0/default.png", 310, 250)
			p.sizedOf(exampleID, "full/!600,600/0/default.png", 600, 400)
			p.matches(exampleID, "10,20,100,80/300,/0/default.png", resampled(image.Rect(10, 20, 110, 100), 300, 240))
		}),
		v.check("4.2", 10, must, "The specification's examples have the sizes that it gives.", func(p *probe) {
			p.sizedOf(exampleID, "full/full/0/default.jpg", 300, 200)
			p.sizedOf(exampleID, "full/150,/0/default.jpg", 150, 100)
			p.sizedOf(exampleID, "full/,150/0/default.jpg", 225, 150)
			p.sizedOf(exampleID, "full/pct:50/0/default.jpg", 150, 100)
			p.sizedOf(exampleID, "full/225,100/0/default.jpg", 225, 100)
			p.sizedOf(exampleID, "full/!225,100/0/default.jpg", 150, 100)
		}),
		v.check("4.2", 11, should, "What is no size is 400.", func(p *probe) { p.refused(http.StatusBadRequest, noSizes()...) }),
		v.check("4.2", 12, ours, "The ^ of version 3 is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/^max/0/default.jpg", "full/^100,/0/default.jpg", "full/^pct:120/0/default.jpg", "full/^!10,10/0/default.jpg")
		}),
		v.check("4.2", 13, ours, "full over the limits is made to fit; any other size over them is 400.", func(p *probe) {
			p.measured(p.in(limitedPrefix, cardID, "full/full/0/default.png"), 225, 150)
			for _, size := range []string{"251,", ",151", "pct:50", "251,10", "10,151", "!300,300"} {
				p.want(http.StatusBadRequest, p.in(limitedPrefix, cardID, "full/"+size+"/0/default.png"))
			}
		}),
		v.check("4.2", 15, must, "max keeps to maxArea, and any other size over it is 400.", func(p *probe) {
			p.measured(p.in(areaPrefix, cardID, "full/max/0/default.png"), 150, 100)
			p.measured(p.in(areaPrefix, cardID, "0,0,100,150/max/0/default.png"), 100, 150)
			p.measured(p.in(areaPrefix, cardID, "full/15,1000/0/default.png"), 15, 1000)
			p.want(http.StatusBadRequest, p.in(areaPrefix, cardID, "full/151,/0/default.png"))
			p.want(http.StatusBadRequest, p.in(areaPrefix, cardID, "full/15,1001/0/default.png"))
		}),
		v.check("4.2", 16, ours, "With upscaling off, sizes above the region's are 400, and sizeAboveFull is not listed.", func(p *probe) {
			for _, size := range []string{"301,", ",201", "pct:101", "301,10"} {
				p.want(http.StatusBadRequest, p.in(flatPrefix, exampleID, "full/"+size+"/0/default.png"))
			}
			if info := p.infoAt(p.in(flatPrefix, exampleID, "info.json")); info.has("sizeAboveFull") {
				p.Errorf("the features are %v", info.features)
			}
		}),
		v.check("4.2", 14, ours, "With legacy_fit, w,h fits into the box and never enlarges.", func(p *probe) {
			p.measured(p.in(legacyPrefix, exampleID, "full/150,150/0/default.png"), 150, 100)
			p.measured(p.in(legacyPrefix, exampleID, "full/900,900/0/default.png"), 300, 200)
		}),
	}
}

// noSizes are requests whose size cannot be read in either version.
func noSizes() []string {
	return []string{
		"full/MAX/0/default.jpg", "full/100/0/default.jpg", "full/,/0/default.jpg", "full/!100,/0/default.jpg", "full/!,100/0/default.jpg", "full/100,100,100/0/default.jpg",
		"full/pct:/0/default.jpg", "full/pct:a/0/default.jpg", "full/pct:-50/0/default.jpg", "full/pct:1e1/0/default.jpg", "full/%20100,/0/default.jpg", "full/!!10,10/0/default.jpg",
		"full/!max/0/default.jpg", "full/large/0/default.jpg", "full/10,a/0/default.jpg",
	}
}

func sizeChecks3(v api) []check {
	return []check{
		v.check("4.2", 1, must, "max is the region's size where no limit forbids it.", func(p *probe) {
			p.matches(cardID, "full/max/0/default.png", exact(image.Rect(0, 0, 600, 400)))
			p.matches(cardID, "10,20,30,40/max/0/default.png", exact(image.Rect(10, 20, 40, 60)))
		}),
		v.check("4.2", 2, must, "max is brought within maxWidth and maxHeight, and never enlarged.", func(p *probe) {
			p.measured(p.in(limitedPrefix, cardID, "full/max/0/default.png"), 225, 150)
			p.measured(p.in(limitedPrefix, tallID, "full/max/0/default.png"), 53, 150)
			p.measured(p.in(limitedPrefix, cardID, "0,0,500,10/max/0/default.png"), 250, 5)
			p.measured(p.in(limitedPrefix, cardID, "0,0,100,90/max/0/default.png"), 100, 90)
		}),
		v.check("4.2", 3, must, "^max is as large as the limits allow, enlarged if need be.", func(p *probe) {
			p.measured(p.in(limitedPrefix, cardID, "0,0,90,60/^max/0/default.png"), 225, 150)
			p.measured(p.in(limitedPrefix, cardID, "0,0,100,10/^max/0/default.png"), 250, 25)
			p.measured(p.in(limitedPrefix, cardID, "full/^max/0/default.png"), 225, 150)
			p.measured(p.in(openPrefix, grayID, "0,0,200,1/^max/0/default.jpg"), 8192, 41)
		}),
		v.check("4.2", 4, must, "w, has exactly this width, and the height that keeps the proportions.", func(p *probe) {
			p.sized("full/150,/0/default.png", 150, 100)
			p.sized("full/100,/0/default.png", 100, 67)
			p.sized("full/600,/0/default.png", 600, 400)
			p.sizedOf(tallID, "full/7,/0/default.png", 7, 20)
		}),
		v.check("4.2", 5, must, "w, larger than the region is refused.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/601,/0/default.jpg", "0,0,100,100/101,/0/default.jpg")
		}),
		v.check("4.2", 6, must, ",h has exactly this height, and the width that keeps the proportions.", func(p *probe) {
			p.sized("full/,100/0/default.png", 150, 100)
			p.sized("full/,400/0/default.png", 600, 400)
			p.sizedOf(tallID, "full/,100/0/default.png", 35, 100)
		}),
		v.check("4.2", 7, must, ",h larger than the region is refused.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/,401/0/default.jpg", "0,0,100,100/,101/0/default.jpg")
		}),
		v.check("4.2", 8, must, "pct:n scales both sides to n percent.", func(p *probe) {
			p.sized("full/pct:50/0/default.png", 300, 200)
			p.sized("full/pct:12.5/0/default.png", 75, 50)
			p.sized("0,0,300,100/pct:10/0/default.png", 30, 10)
			p.sized("full/pct:100/0/default.png", 600, 400)
		}),
		v.check("4.2", 9, must, "pct:n over 100 is refused.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/pct:101/0/default.jpg", "full/pct:100.1/0/default.jpg", "full/pct:120/0/default.jpg")
		}),
		v.check("4.2", 10, must, "w,h has exactly this size, distorted if need be.", func(p *probe) {
			p.sized("full/225,100/0/default.png", 225, 100)
			p.sized("full/50,300/0/default.png", 50, 300)
			p.matches(cardID, "full/200,300/0/default.png", resampled(image.Rect(0, 0, 600, 400), 200, 300))
		}),
		v.check("4.2", 11, must, "w,h of which either is larger than the region is refused.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/601,100/0/default.jpg", "full/100,401/0/default.jpg", "full/601,401/0/default.jpg", "0,0,50,60/51,60/0/default.jpg")
		}),
		v.check("4.2", 12, must, "!w,h is as large as the box allows, in the proportions of the region.", func(p *probe) {
			p.sized("full/!225,100/0/default.png", 150, 100)
			p.sized("full/!100,225/0/default.png", 100, 67)
			p.sized("full/!599,9999/0/default.png", 599, 399)
			p.sizedOf(tallID, "full/!100,100/0/default.png", 35, 100)
		}),
		v.check("4.2", 13, must, "!w,h is never larger than the region; a larger box is no error.", func(p *probe) {
			p.sized("full/!2000,3000/0/default.png", 600, 400)
			p.sized("0,0,90,60/!600,600/0/default.png", 90, 60)
		}),
		v.check("4.2", 14, must, "!w,h keeps to the server's limits.", func(p *probe) {
			p.measured(p.in(limitedPrefix, cardID, "full/!2000,3000/0/default.png"), 225, 150)
			p.measured(p.in(limitedPrefix, cardID, "full/!240,3000/0/default.png"), 225, 150)
			p.measured(p.in(limitedPrefix, cardID, "full/!120,3000/0/default.png"), 120, 80)
		}),
		v.check("4.2", 15, must, "A size without a pixel is refused.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/0,/0/default.jpg", "full/,0/0/default.jpg", "full/0,0/0/default.jpg", "full/10,0/0/default.jpg", "full/!0,10/0/default.jpg",
				"full/^0,/0/default.jpg", "full/^!10,0/0/default.jpg", "full/pct:0/0/default.jpg", "full/^pct:0/0/default.jpg", "full/pct:0.1/0/default.jpg", "0,0,600,1/10,/0/default.jpg")
		}),
		v.check("4.2", 16, must, "A size over the limits is refused.", func(p *probe) {
			for _, size := range []string{"251,", ",151", "pct:50", "251,10", "10,151", "^251,", "^pct:50", "^251,151"} {
				p.want(http.StatusBadRequest, p.in(limitedPrefix, cardID, "full/"+size+"/0/default.png"))
			}
			p.refused(http.StatusBadRequest, "full/^8193,/0/default.jpg", "full/^10,8193/0/default.jpg")
		}),
		v.check("4.2", 17, must, "The specification's examples have the sizes that it gives.", func(p *probe) {
			p.sizedOf(exampleID, "full/max/0/default.jpg", 300, 200)
			p.sizedOf(exampleID, "full/150,/0/default.jpg", 150, 100)
			p.sizedOf(exampleID, "full/,150/0/default.jpg", 225, 150)
			p.sizedOf(exampleID, "full/pct:50/0/default.jpg", 150, 100)
			p.sizedOf(exampleID, "full/225,100/0/default.jpg", 225, 100)
			p.sizedOf(exampleID, "full/!225,100/0/default.jpg", 150, 100)
			p.sizedOf(exampleID, "full/^360,/0/default.jpg", 360, 240)
			p.sizedOf(exampleID, "full/^,240/0/default.jpg", 360, 240)
			p.sizedOf(exampleID, "full/^pct:120/0/default.jpg", 360, 240)
			p.sizedOf(exampleID, "full/^360,360/0/default.jpg", 360, 360)
			p.sizedOf(exampleID, "full/^!360,360/0/default.jpg", 360, 240)
		}),
		v.check("4.2", 20, must, "max, ^max, !w,h and ^!w,h keep to maxArea; any other size over it is refused.", func(p *probe) {
			for _, size := range []string{"max", "^max", "!600,600", "^!900,900"} {
				p.measured(p.in(areaPrefix, cardID, "full/"+size+"/0/default.png"), 150, 100)
			}
			p.measured(p.in(areaPrefix, cardID, "0,0,30,20/^max/0/default.png"), 150, 100)
			p.measured(p.in(areaPrefix, cardID, "0,0,100,150/max/0/default.png"), 100, 150)
			p.want(http.StatusBadRequest, p.in(areaPrefix, cardID, "full/151,/0/default.png"))
			p.want(http.StatusBadRequest, p.in(areaPrefix, cardID, "full/^15,1001/0/default.png"))
		}),
		v.check("4.2", 18, should, "What is no size is 400; full is none in this version.", func(p *probe) {
			p.refused(http.StatusBadRequest, append(noSizes(), "full/full/0/default.jpg", "full/^full/0/default.jpg")...)
		}),
		v.check("4.2", 19, ours, "With confined_upscale reject, !w,h with a larger box is 400.", func(p *probe) {
			p.want(http.StatusBadRequest, p.in(strictPrefix, cardID, "full/!2000,3000/0/default.png"))
			p.measured(p.in(strictPrefix, cardID, "full/!300,3000/0/default.png"), 300, 200)
		}),
	}
}

func upscaleChecks3(v api) []check {
	return []check{
		v.check("4.2", 21, must, "^w, has exactly this width, enlarged if need be.", func(p *probe) {
			p.sizedOf(exampleID, "full/^450,/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/^150,/0/default.png", 150, 100)
			p.matches(exampleID, "10,20,100,80/^300,/0/default.png", resampled(image.Rect(10, 20, 110, 100), 300, 240))
		}),
		v.check("4.2", 22, must, "^,h has exactly this height, enlarged if need be.", func(p *probe) {
			p.sizedOf(exampleID, "full/^,300/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/^,100/0/default.png", 150, 100)
		}),
		v.check("4.2", 23, must, "^pct:n over 100 enlarges.", func(p *probe) {
			p.sizedOf(exampleID, "full/^pct:150/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/^pct:50/0/default.png", 150, 100)
			p.sizedOf(exampleID, "full/^pct:102.5/0/default.png", 308, 205)
		}),
		v.check("4.2", 24, must, "^w,h has exactly this size, enlarged and distorted if need be.", func(p *probe) {
			p.sizedOf(exampleID, "full/^310,250/0/default.png", 310, 250)
			p.sizedOf(exampleID, "full/^310,20/0/default.png", 310, 20)
			p.sizedOf(exampleID, "full/^10,20/0/default.png", 10, 20)
		}),
		v.check("4.2", 25, must, "^!w,h is as large as the box allows, also where that enlarges.", func(p *probe) {
			p.sizedOf(exampleID, "full/^!600,600/0/default.png", 600, 400)
			p.sizedOf(exampleID, "full/^!900,300/0/default.png", 450, 300)
			p.sizedOf(exampleID, "full/^!150,999/0/default.png", 150, 100)
		}),
		v.check("4.2", 26, must, "^!w,h keeps to the server's limits.", func(p *probe) {
			p.measured(p.in(limitedPrefix, cardID, "0,0,90,60/^!2000,3000/0/default.png"), 225, 150)
			p.measured(p.in(limitedPrefix, cardID, "0,0,100,10/^!2000,3000/0/default.png"), 250, 25)
		}),
		v.check("4.2", 27, should, "Enlarging without ^ is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "0,0,10,10/11,/0/default.jpg", "0,0,10,10/,11/0/default.jpg", "0,0,10,10/11,9/0/default.jpg", "0,0,10,10/pct:110/0/default.jpg")
		}),
		v.check("4.2", 28, should, "Where enlarging is off, ^ that needs it is 501.", func(p *probe) {
			for _, size := range []string{"^pct:120", "^301,", "^,201", "^301,10", "^!400,400", "^max"} {
				p.want(http.StatusNotImplemented, p.in(tierPrefix, cardID, "full/"+size+"/0/default.png"))
				p.want(http.StatusNotImplemented, p.in(flatPrefix, exampleID, "full/"+size+"/0/default.png"))
			}
		}),
		v.check("4.2", 29, should, "Where enlarging is off, ^ that does not need it is answered.", func(p *probe) {
			p.measured(p.in(tierPrefix, cardID, "full/^150,/0/default.png"), 150, 100)
			p.measured(p.in(tierPrefix, cardID, "full/^pct:50/0/default.png"), 150, 100)
			p.measured(p.in(tierPrefix, cardID, "full/^!90,90/0/default.png"), 90, 60)
		}),
		v.check("4.2", 30, should, "Errors of syntax after ^ are 400, also where enlarging is off.", func(p *probe) {
			for _, prefix := range []string{openPrefix, tierPrefix, flatPrefix} {
				for _, size := range []string{"^", "^100", "^,", "^pct:", "^pct:-1", "^a,b", "^!100", "^^100,", "!^100,100", ",^240"} {
					p.want(http.StatusBadRequest, p.in(prefix, cardID, "full/"+size+"/0/default.png"))
				}
			}
		}),
	}
}
