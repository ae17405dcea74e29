package vips_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/placeholder"
	"github.com/gatehouse-server/gatehouse/render/vips"
)

func ExampleRenderer_Render() {
	renderer, err := vips.New(vips.Config{Workers: 2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = renderer.Close() }()

	ctx := context.Background()
	original := placeholder.New("XLS")
	info, err := renderer.Describe(ctx, original, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	canvas := image.Pt(info.Width, info.Height)
	data, err := renderer.Render(ctx, original, render.Job{
		Canvas: canvas, Region: image.Rectangle{Max: canvas}, Size: canvas.Div(2), Rotation: 90, Quality: "gray", Format: "jpg",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	picture, format, err := image.DecodeConfig(bytes.NewReader(data))
	fmt.Println(info.Format, info.Width, info.Height, "became", format, picture.Width, picture.Height, err)
	// Output: png 360 360 became jpeg 180 180 <nil>
}
