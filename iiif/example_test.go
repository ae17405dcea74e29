package iiif_test

import (
	"fmt"

	"github.com/gatehouse-server/gatehouse/iiif"
)

func ExampleParsePath() {
	req, ours, err := iiif.ParsePath("/iiif", "/iiif/3/plans%2F1932.tif;p=2/pct:0,0,50,50/!300,300/!90/gray.png", "")
	fmt.Println(ours, err)
	fmt.Println(req.Version, req.Identifier, req.RawIdentifier, req.Page)
	fmt.Println(req.Params)
	// Output:
	// true <nil>
	// 3 plans/1932.tif plans%2F1932.tif 2
	// pct:0,0,50,50/!300,300/!90/gray.png
}

func ExampleRules_Resolve() {
	rules := iiif.Rules{Version: 3, Limits: iiif.Limits{MaxWidth: 8192, MaxHeight: 8192}}
	img := iiif.Image{Width: 6000, Height: 4000}
	params, err := iiif.ParseParams(3, "pct:0,0,50,50", "!300,300", "360", "default.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := rules.Resolve(params, img)
	fmt.Println(plan.Region, plan.Size, err)
	fmt.Println(rules.Canonical(params, plan, img))
	_, err = rules.Resolve(iiif.Params{Size: iiif.Size{Mode: iiif.SizeWidth, W: 7000}}, img)
	fmt.Println(err)
	// Output:
	// (0,0)-(3000,2000) (300,200) <nil>
	// 0,0,3000,2000/300,200/0/default.jpg
	// iiif_size: The size "7000," is larger than the region of 6000 by 4000 pixels; that is allowed after ^ only.
}
