//go:build linux

package vips

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/source"
)

// asChild makes the test's own program a child.
const asChild = "GATEHOUSE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		if err := child.Serve(Worker{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// newIsolated is a Renderer over children.
func newIsolated(t testing.TB, c Config, children child.Config) *Renderer {
	t.Helper()
	children.Args, children.Env, children.Setup = []string{"vips-child"}, []string{asChild + "=1"}, c.Setup()
	pool, err := child.New(children)
	if err != nil {
		t.Fatal(err)
	}
	c.Children = pool
	r, err := New(c, nil)
	if err != nil {
		_ = pool.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Children make the same pictures, byte for byte, of files and of what is read through the server.
func TestIsolationChangesNothing(t *testing.T) {
	inside, outside := newRenderer(t, Config{}), newIsolated(t, Config{}, child.Config{Children: 2})
	can, other := inside.Capabilities(), outside.Capabilities()
	if fmt.Sprint(can) != fmt.Sprint(other) {
		t.Errorf("%+v, in children %+v", can, other)
	}
	dir := t.TempDir()
	size := image.Pt(refWidth, refHeight)
	mark := &render.Watermark{Version: "v", Image: image.NewNRGBA(image.Rect(0, 0, 40, 30)), Position: render.PositionCenter, Opacity: 0.5, Scale: 0.5}
	for i := range mark.Image.Pix {
		mark.Image.Pix[i] = byte(i * 13)
	}
	jobs := []render.Job{
		full(size),
		{Canvas: size, Region: image.Rect(10, 20, 400, 300), Size: image.Pt(195, 140), Quality: "default", Format: "jpg"},
		{Canvas: size, Region: image.Rect(0, 0, 512, 256), Size: image.Pt(128, 64), Quality: "gray", Format: "jpg", Rotation: 90, Mirror: true},
		{Canvas: size, Region: image.Rect(0, 0, 100, 100), Size: image.Pt(700, 700), Quality: "color", Format: "tif", Rotation: 33},
		{Canvas: size, Region: image.Rect(0, 0, 600, 400), Size: image.Pt(300, 200), Quality: "default", Format: "webp", Watermark: mark},
		{Canvas: size, Region: image.Rect(0, 0, 600, 400), Size: image.Pt(300, 200), Quality: "bitonal", Format: "png"},
	}
	for n, name := range slices.Sorted(maps.Keys(fixtures())) {
		data := fixtures()[name]
		path := filepath.Join(dir, "original")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for kind, original := range map[string]source.Original{"memory": &memory{name: name, data: data}, "file": &local{file}} {
			was, wasErr := inside.Describe(context.Background(), original, 0)
			is, isErr := outside.Describe(context.Background(), original, 0)
			if fmt.Sprint(was, wasErr) != fmt.Sprint(is, isErr) {
				t.Errorf("%s in %s: %+v, %v; in children %+v, %v", name, kind, was, wasErr, is, isErr)
			}
			for _, i := range []int{n % len(jobs), (n + 3) % len(jobs)} {
				job := jobs[i]
				if wasErr == nil && (was.Width != refWidth || was.Height != refHeight) {
					page := image.Pt(was.Width, was.Height)
					job = render.Job{Canvas: page, Region: image.Rectangle{Max: page}, Size: image.Pt(50+i, 40), Quality: job.Quality, Format: job.Format}
				}
				was, wasErr := inside.Render(context.Background(), original, job)
				is, isErr := outside.Render(context.Background(), original, job)
				if !bytes.Equal(was, is) || fmt.Sprint(wasErr) != fmt.Sprint(isErr) {
					t.Errorf("%s in %s, job %d: %d bytes, %v; in children %d bytes, %v", name, kind, i, len(was), wasErr, len(is), isErr)
				}
			}
		}
		_ = file.Close()
	}
	if s := outside.config.Children.Stats(); len(s.Replaced) > 0 {
		t.Errorf("children had to go: %v", s.Replaced)
	}
}

// Children come up however short the time for a render is.
func TestStartWithAShortTimeLimit(t *testing.T) {
	r := newIsolated(t, Config{TimeLimit: time.Millisecond}, child.Config{})
	if len(r.Capabilities().Formats) == 0 {
		t.Errorf("%+v", r.Capabilities())
	}
}

func TestErrorsCrossOver(t *testing.T) {
	r := newIsolated(t, Config{HeaderCache: -1}, child.Config{})
	png := fixtures()["png"]
	_, err := r.Render(context.Background(), &memory{data: png[:len(png)/2]}, pngJob())
	wantProblem(t, err, http.StatusUnprocessableEntity, "broken_image")
	_, err = r.Describe(context.Background(), &memory{data: []byte("no picture at all"), name: "letter.txt"}, 0)
	var unsupported *render.UnsupportedError
	if !errors.As(err, &unsupported) || unsupported.Kind != "TXT" {
		t.Errorf("%v", err)
	}
	_, err = r.Describe(context.Background(), &memory{data: fixtures()["tiff pages"]}, 99)
	wantProblem(t, err, http.StatusBadRequest, "page")
	// What the archive says comes through as it is.
	gone := problem.New(http.StatusBadGateway, "source_failed", "gone")
	gone.RetryAfter = time.Minute
	long := append(bytes.Clone(png), make([]byte, 2<<20)...)
	_, err = r.Render(context.Background(), &failing{memory: memory{data: long}, err: gone, after: readsOfHeader(t, r, long)}, pngJob())
	if !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// failing is an original whose reads fail from some on.
type failing struct {
	memory
	err   error
	after int64
}

func (f *failing) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return f.memory.ReadAt(ctx, p, off)
}

// A child that dies in the midst of a render costs the request no more than time.
func TestChildDiesInTheMidst(t *testing.T) {
	r := newIsolated(t, Config{}, child.Config{Children: 1})
	data := encodePNG(image.NewRGBA(image.Rect(0, 0, 4000, 4000)))
	job := full(image.Pt(4000, 4000))
	job.Format, job.Rotation = "jpg", 10
	if _, err := r.Describe(context.Background(), &memory{data: data}, 0); err != nil {
		t.Fatal(err)
	}
	pool := r.config.Children
	done := make(chan error, 1)
	go func() {
		_, err := r.Render(context.Background(), &memory{data: data}, job)
		done <- err
	}()
	waitFor(t, func() bool { return pool.Stats().Busy > 0 })
	for _, pid := range pool.Stats().PIDs {
		_ = syscall.Kill(pid, syscall.SIGSEGV)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if pool.Stats().Replaced[child.ReasonCrash] == 0 {
		t.Error("no child has died")
	}
}

func TestPagesWithoutEndAreKilled(t *testing.T) {
	r := newIsolated(t, Config{TimeLimit: 2 * time.Second}, child.Config{Children: 1})
	data := endlessPDF()
	info, err := r.Describe(context.Background(), &memory{name: "x.pdf", data: data}, 0)
	if err != nil {
		t.Fatal(err)
	}
	job := full(image.Pt(info.Width, info.Height))
	_, err = r.Render(context.Background(), &memory{name: "x.pdf", data: data}, job)
	wantProblem(t, err, http.StatusServiceUnavailable, "render_timeout")
	if s := r.Stats(); s.Strays != 0 || s.Running != 0 || r.config.Children.Stats().Replaced[child.ReasonDeadline] != 1 {
		t.Errorf("%+v, %+v", s, r.config.Children.Stats())
	}
	if _, err := r.Render(context.Background(), &memory{data: fixtures()["png"]}, pngJob()); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// endlessPDF is a page that draws a form ten times, which draws another ten times, and so on.
func endlessPDF() []byte {
	const depth = 14
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Resources << /XObject << /F 5 0 R >> >> /Contents 4 0 R >>",
		"<< /Length 5 >>\nstream\n/F Do\nendstream",
	}
	for i := range depth {
		content := strings.Repeat("/F Do ", 10)
		objects = append(objects, fmt.Sprintf("<< /Type /XObject /Subtype /Form /BBox [0 0 72 72] /Resources << /XObject << /F %d 0 R >> >> /Length %d >>\nstream\n%s\nendstream",
			6+i, len(content), content))
	}
	objects = append(objects, "<< /Type /XObject /Subtype /Form /BBox [0 0 72 72] /Length 12 >>\nstream\n0 0 9 9 re f\nendstream")
	out := []byte("%PDF-1.4\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, object := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	return fmt.Appendf(out, "%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, len(out))
}

// Calls and answers that no program of ours sends are refused.
func TestCallsThatMakeNoSense(t *testing.T) {
	job := pngJob()
	r := newRenderer(t, Config{})
	h, _, err := r.header(context.Background(), &memory{data: fixtures()["png"]}, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(job, h.size(), h.orientation, false)
	d, _ := r.drawing(h, p, h.choose(p), job)
	ask := d.ask()[1:]
	if _, err := parseDrawing(ask, nil); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"nothing": nil, "cut off": ask[:20], "a longer profile": append(bytes.Clone(ask), 1)} {
		if _, err := parseDrawing(bad, nil); !errors.Is(err, errAsk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseDrawing(ask, []byte("pixels")); !errors.Is(err, errAsk) {
		t.Errorf("a mark that is not there: %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add((&heading{width: 1, height: 1, pages: 1, profile: []byte("profile")}).append())
	f.Add((&drawn{width: 1, height: 1, bands: 3}).append())
	f.Add([]byte{3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, answer []byte) {
		if h, err := parseHeading(answer, nil); err == nil {
			if h.width < 1 || h.height < 1 || h.width > maxCoordinate || h.height > maxCoordinate || len(h.profile) > len(answer) {
				t.Errorf("%+v", h)
			}
			if made, err := headerOf("png", 0, h); err == nil {
				_ = made.info()
			}
		}
		if p, err := parseDrawn(answer, nil); err == nil && (p.width < 1 || p.height < 1 || len(p.data) > len(answer)) {
			t.Errorf("%+v", p)
		}
	})
}

func BenchmarkTile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "tiles.tif")
	if err := os.WriteFile(path, fixtures()["tiff jpeg"], 0o600); err != nil {
		b.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	size := image.Pt(refWidth, refHeight)
	job := render.Job{Canvas: size, Region: image.Rect(0, 0, 256, 256), Size: image.Pt(256, 256), Quality: "default", Format: "jpg"}
	for _, isolation := range []string{"none", "process"} {
		b.Run(isolation, func(b *testing.B) {
			r := newRenderer(b, Config{})
			if isolation == "process" {
				r = newIsolated(b, Config{}, child.Config{Children: 2})
			}
			one := func(b *testing.B) {
				if _, err := r.Render(context.Background(), &local{file}, job); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("alone", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					one(b)
				}
			})
			// As a server that is asked for much: all processors work.
			b.Run("together", func(b *testing.B) {
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						one(b)
					}
				})
			})
		})
	}
}
