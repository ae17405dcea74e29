package vips

import (
	"context"
	"errors"
	"image"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// stuck is an original whose source hangs, from the given read on, until its context ends.
type stuck struct {
	memory
	after   atomic.Int64
	waiting chan struct{}
	once    sync.Once
}

func newStuck(data []byte, after int64) *stuck {
	s := &stuck{memory: memory{name: "stuck", data: data}, waiting: make(chan struct{})}
	s.after.Store(after)
	return s
}

func (s *stuck) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if s.after.Add(-1) < 0 {
		s.once.Do(func() { close(s.waiting) })
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return s.memory.ReadAt(ctx, p, off)
}

var _ source.Original = (*stuck)(nil)

func pngJob() render.Job { return full(image.Pt(refWidth, refHeight)) }

// readsOfHeader is how many reads come before the render itself.
func readsOfHeader(t *testing.T, r *Renderer, data []byte) int64 {
	t.Helper()
	s := newStuck(data, 1<<40)
	if _, err := r.Describe(context.Background(), s, 0); err != nil {
		t.Fatal(err)
	}
	return 1<<40 - s.after.Load()
}

// A caller that leaves frees the worker, and gets its context's error.
func TestCallerThatLeaves(t *testing.T) {
	r := newRenderer(t, Config{Workers: 1, HeaderCache: -1})
	for _, name := range []string{"png", "jpeg progressive", "tiff pages", "webp", "jp2"} {
		data := fixtures()[name]
		for _, after := range []int64{0, readsOfHeader(t, r, data)} {
			s := newStuck(data, after)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() {
				_, err := r.Render(ctx, s, pngJob())
				done <- err
			}()
			<-s.waiting
			cancel()
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", name, err)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: the render goes on", name)
			}
			// The one worker is free again.
			draw(t, r, &memory{data: fixtures()["png"]}, pngJob())
		}
	}
	if s := r.Stats(); s.Stopped != 10 || s.Rendered != 10 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}

// Work that does not read is stopped as well: between strips, and while it encodes.
func TestComputationStops(t *testing.T) {
	r := newRenderer(t, Config{})
	data := encodePNG(image.NewRGBA(image.Rect(0, 0, 3000, 3000)))
	job := full(image.Pt(3000, 3000))
	job.Size, job.Format = image.Pt(8192, 8192), "png"
	o := &memory{data: data}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := r.Render(ctx, o, job); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("it took %v to stop", d)
	}
	waitFor(t, func() bool { return r.Stats().Running == 0 })
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about")
		}
		runtime.Gosched()
	}
}

func TestTimeLimit(t *testing.T) {
	r := newRenderer(t, Config{TimeLimit: 150 * time.Millisecond, HeaderCache: -1})
	data := fixtures()["png"]
	for _, after := range []int64{0, readsOfHeader(t, r, data)} {
		_, err := r.Render(context.Background(), newStuck(data, after), pngJob())
		wantProblem(t, err, http.StatusServiceUnavailable, "render_timeout")
		_, err = r.Describe(context.Background(), newStuck(data, 0), 0)
		wantProblem(t, err, http.StatusServiceUnavailable, "render_timeout")
	}
	if s := r.Stats(); s.Stopped != 2 {
		t.Errorf("%+v", s)
	}
}

// Work that cannot be stopped keeps its worker, but neither its caller nor the original.
func TestWorkThatDoesNotStop(t *testing.T) {
	o := &memory{data: []byte("some bytes")}
	release, left := make(chan struct{}), make(chan struct{})
	began := make(chan *input, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-began
		cancel()
	}()
	_, err := call(ctx, o, &slot{leave: func() { close(left) }}, func(in *input) (int, error) {
		began <- in
		<-release
		if n := in.readAt(make([]byte, 4), 0); n != -1 {
			t.Errorf("the original is still read: %d", n)
		}
		return 1, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	select {
	case <-left:
		t.Error("the worker is given back while it works")
	default:
	}
	close(release)
	<-left
}

// A page that cannot be stopped keeps its worker until its time is over, however early its caller left. Then others go on
// without it; only so many such pages may there be.
func TestPagesThatDoNotStopLoseTheirWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, limit = 1, time.Minute
		astray := newStrays(workers)
		release := make(chan struct{})
		for range workers + spareStrays {
			left := make(chan struct{})
			held := &slot{leave: func() { close(left) }}
			if err := held.pass(&astray, limit); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			_, err := call(ctx, &memory{data: []byte("some bytes")}, held, func(*input) (int, error) {
				cancel()
				<-release
				return 1, nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v", err)
			}
			<-left
			if took := time.Since(start); took < limit {
				t.Errorf("the worker is lost after %v", took)
			}
		}
		if n := astray.count.Load(); n != workers+spareStrays {
			t.Errorf("%d pages are astray", n)
		}
		kept := false
		refused := &slot{leave: func() { kept = true }}
		wantProblem(t, refused.pass(&astray, limit), http.StatusServiceUnavailable, "pdf_busy")
		refused.end()
		if !kept {
			t.Error("who is refused keeps the worker")
		}
		close(release)
		synctest.Wait()
		if n := astray.count.Load(); n != 0 {
			t.Errorf("%d pages are astray, and all are back", n)
		}
		again := &slot{leave: func() {}}
		if err := again.pass(&astray, limit); err != nil {
			t.Error(err)
		}
		again.end()
	})
}

// A fault in one picture is an error, and ends nothing else.
func TestPanicIsAnError(t *testing.T) {
	left := make(chan struct{})
	_, err := call(context.Background(), &memory{data: []byte("some bytes")}, &slot{leave: func() { close(left) }}, func(*input) (int, error) { panic("fault") })
	var known *problem.Error
	if !errors.As(err, &known) || known.Status != http.StatusInternalServerError || strings.Contains(known.Detail, "fault") {
		t.Errorf("err = %v", err)
	}
	<-left
}

func TestCallThatNeedNotStart(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	left := false
	_, err := call(ctx, &memory{}, &slot{leave: func() { left = true }}, func(*input) (int, error) { t.Error("it works"); return 0, nil })
	if !errors.Is(err, context.Canceled) || !left {
		t.Errorf("err = %v, left %v", err, left)
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if _, err := call(context.Background(), &closedFile{local{f}}, nil, func(*input) (int, error) { return 0, nil }); err == nil {
		t.Error("a closed file is read")
	}
}

type closedFile struct{ local }

func (c *closedFile) Info() source.Info { return source.Info{} }

func TestQueue(t *testing.T) {
	var mu sync.Mutex
	var outcomes []string
	r := newRenderer(t, Config{Workers: 1, Queue: 1, HeaderCache: -1, Observer: func(_ float64, outcome string) {
		mu.Lock()
		defer mu.Unlock()
		outcomes = append(outcomes, outcome)
	}})
	data := fixtures()["png"]
	ctx, cancel := context.WithCancel(context.Background())
	running := newStuck(data, readsOfHeader(t, r, data))
	var group sync.WaitGroup
	group.Go(func() { _, _ = r.Render(ctx, running, pngJob()) })
	<-running.waiting
	group.Go(func() {
		if _, err := r.Render(context.Background(), &memory{data: data}, pngJob()); err != nil {
			t.Errorf("the one that waited: %v", err)
		}
	})
	waitFor(t, func() bool { return r.Stats().Queued == 1 })
	_, err := r.Render(context.Background(), &memory{data: data}, pngJob())
	wantProblem(t, err, http.StatusServiceUnavailable, "queue_full")
	if s := r.Stats(); s.Running != 1 || s.Shed != 1 {
		t.Errorf("%+v", s)
	}
	cancel()
	group.Wait()
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(outcomes)
	if !slices.Equal(outcomes, []string{OutcomeCancelled, OutcomeOK, OutcomeQueueFull}) {
		t.Errorf("outcomes %v", outcomes)
	}
}

// What is made for a viewer goes before what takes long, and both are estimated so.
func TestWorkIsEstimated(t *testing.T) {
	r := newRenderer(t, Config{})
	cost := func(h *header, job render.Job) time.Duration {
		p := newPlan(job, h.size(), 1, h.format == "pdf")
		return h.renderCost(p, h.choose(p), job)
	}
	flat := &header{format: "jpeg", width: 8000, height: 6000, orientation: 1, bands: 3, bits: 8}
	tiled, _, err := r.header(context.Background(), &memory{data: fixtures()["tiff jpeg"]}, 0)
	if err != nil {
		t.Fatal(err)
	}
	job := func(region image.Rectangle, size image.Point, format render.Format, canvas image.Point) render.Job {
		return render.Job{Canvas: canvas, Region: region, Size: size, Quality: "default", Format: format}
	}
	all := image.Rect(0, 0, 8000, 6000)
	tile := cost(tiled, job(image.Rect(0, 0, 256, 256), image.Pt(256, 256), "jpg", tiled.size()))
	thumbnail := cost(flat, job(all, image.Pt(200, 150), "jpg", all.Max))
	whole := cost(flat, job(all, all.Max, "jpg", all.Max))
	avif := cost(flat, job(all, all.Max, "avif", all.Max))
	if tile >= 20*time.Millisecond || tile >= thumbnail || thumbnail >= whole/3 || whole >= avif/3 || avif >= 5*time.Minute {
		t.Errorf("a tile %v, a thumbnail %v, the whole %v, as AVIF %v", tile, thumbnail, whole, avif)
	}
}

// Many kinds at once: each result is what it is alone.
func TestConcurrentRenders(t *testing.T) {
	r := newRenderer(t, Config{Workers: 8, Queue: 1000})
	names := []string{"jpeg", "jpeg progressive", "png", "png 16", "tiff pages", "tiff jpeg", "tiff profile", "jpeg cmyk", "webp", "gif", "jp2"}
	formats := r.Capabilities().Formats
	job := func(i int) render.Job {
		j := pngJob()
		j.Format = formats[i%len(formats)]
		j.Size = image.Pt(60+i*13%200, 50+i*7%150)
		j.Rotation = float64(i % 4 * 45)
		return j
	}
	alone := map[int]string{}
	for i := range 44 {
		alone[i] = string(must(r.Render(context.Background(), &memory{name: names[i%len(names)], data: fixtures()[names[i%len(names)]]}, job(i))))
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for k := range 22 {
				i := (k*5 + worker*3) % 44
				name := names[i%len(names)]
				got, err := r.Render(context.Background(), &memory{name: name, data: fixtures()[name]}, job(i))
				if err != nil || string(got) != alone[i] {
					t.Errorf("%s: other bytes than alone, %v", name, err)
				}
			}
		})
	}
	group.Wait()
}

func TestTimerOfARequest(t *testing.T) {
	r := newRenderer(t, Config{})
	ctx, timer := render.WithTimer(context.Background())
	if _, err := r.Render(ctx, &memory{data: fixtures()["png"]}, pngJob()); err != nil {
		t.Fatal(err)
	}
	first := timer.Elapsed()
	_, _ = r.Render(ctx, &memory{data: fixtures()["png"]}, pngJob())
	if first <= 0 || timer.Elapsed() <= first {
		t.Errorf("%v, then %v", first, timer.Elapsed())
	}
}
