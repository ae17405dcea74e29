package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// The qualities of answers, on both sides.
const (
	jpegQuality = 85
	webpQuality = 80
)

// raw is the program that does the same work with libvips alone. cgo is for render/vips only, so it is a program of its
// own, in C; what it needs of memory is its own that way, too.
type raw struct {
	program string
	dir     string
}

// compileRaw builds it.
func compileRaw(t testing.TB) *raw {
	t.Helper()
	r := &raw{dir: t.TempDir()}
	r.program = filepath.Join(r.dir, "rawvips")
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "vips").Output()
	if err != nil {
		t.Fatalf("pkg-config vips: %v", err)
	}
	source := filepath.Join(testkit.ModuleRoot(t), "bench", "rawvips", "rawvips.c")
	arguments := append([]string{"-O2", "-o", r.program, source}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return r
}

func (r *raw) command(input []byte, arguments ...string) ([]byte, error) {
	command := exec.Command(r.program, arguments...)
	command.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("rawvips %v: %w: %s", arguments, err, stderr.Bytes())
	}
	return out, nil
}

// make writes one generated picture to files, whose names may end with libvips' options for saving.
func (r *raw) make(width, height int, files ...string) error {
	_, err := r.command(nil, append([]string{"make", strconv.Itoa(width), strconv.Itoa(height)}, files...)...)
	return err
}

// draw writes a line drawing.
func (r *raw) draw(width, height int, file string) error {
	_, err := r.command(nil, "draw", strconv.Itoa(width), strconv.Itoa(height), file)
	return err
}

// level is one of the images in a file. option chooses it among the others when libvips opens the file.
type level struct {
	option        string
	width, height int
}

// version is libvips'.
func (r *raw) version() (string, error) {
	out, err := r.command(nil, "version")
	return strings.TrimSpace(string(out)), err
}

// describe tells the images in a file, the one that libvips opens by default first.
func (r *raw) describe(path string) ([]level, error) {
	out, err := r.command(nil, "describe", path)
	if err != nil {
		return nil, err
	}
	var levels []level
	for line := range strings.Lines(string(out)) {
		var l level
		if _, err := fmt.Sscanf(line, "%s %d %d", &l.option, &l.width, &l.height); err != nil {
			return nil, fmt.Errorf("rawvips describes %q: %w", line, err)
		}
		levels = append(levels, l)
	}
	levels[0].option = ""
	return levels, nil
}

// baseline is the program as a contender. keep tells that files are opened beforehand.
type baseline struct {
	*raw
	keep bool
}

func (b baseline) name() string {
	if b.keep {
		return "libvips, files kept open"
	}
	return "libvips"
}

// run does the jobs by as many threads as connections would keep busy: more than there are processors would only be in
// each other's way.
func (b baseline) run(connections int, jobs []job) (sample, error) {
	keep := "0"
	if b.keep {
		keep = "1"
	}
	var lines bytes.Buffer
	for _, j := range jobs {
		fmt.Fprintln(&lines, j.raw)
	}
	out, err := b.command(lines.Bytes(), "run", strconv.Itoa(min(connections, runtime.NumCPU())), keep,
		strconv.Itoa(jpegQuality), strconv.Itoa(webpQuality), b.firstResult())
	if err != nil {
		return sample{}, err
	}
	var took struct {
		Seconds    float64   `json:"seconds"`
		CPUSeconds float64   `json:"cpu_seconds"`
		Bytes      int64     `json:"bytes"`
		PeakKiB    int64     `json:"peak_kib"`
		Latencies  []float64 `json:"latencies"`
	}
	if err := json.Unmarshal(out, &took); err != nil {
		return sample{}, fmt.Errorf("rawvips: %w", err)
	}
	return sample{
		seconds: took.Seconds, cpuSeconds: took.CPUSeconds, bytes: took.Bytes, peakBytes: took.PeakKiB << 10, latencies: took.Latencies,
	}, nil
}

func (b baseline) firstResult() string { return filepath.Join(b.dir, "first") }

// first does one job and gives its result.
func (b baseline) first(j job) ([]byte, error) {
	if _, err := b.run(1, []job{j}); err != nil {
		return nil, err
	}
	return os.ReadFile(b.firstResult())
}
