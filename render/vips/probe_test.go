package vips

import (
	"image"
	"os"
	"testing"
	"time"
	"fmt"
)

func TestProbe(t *testing.T) {
	data, err := os.ReadFile(os.Getenv("PROBE"))
	if err != nil { t.Fatal(err) }
	r := newRenderer(t, Config{TimeLimit: 3*time.Second})
	o := &memory{data: data}
	n := 0
	o.read = func(off int64, k int) error { n++; return nil }
	info, err := r.Describe(t.Context(), o, 0)
	fmt.Println(info, err, n)
	job := full(image.Pt(info.Width, info.Height))
	start := time.Now()
	_, err = r.Render(t.Context(), o, job)
	fmt.Println(err, time.Since(start), n)
	for range 10 { time.Sleep(time.Second); fmt.Println(r.Stats().Running, n) }
}
