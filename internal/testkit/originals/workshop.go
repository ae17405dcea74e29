package originals

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// workshop is where kinds are made. What several of them are made of is made once.
type workshop struct {
	dir    string
	number atomic.Int64

	mu    sync.Mutex
	parts map[string]*part
}

// part is a file that kinds are made of, or a look.
type part struct {
	once  sync.Once
	file  string
	shown *image.NRGBA
}

func newWorkshop(dir string) *workshop {
	return &workshop{dir: dir, parts: map[string]*part{}}
}

// failure carries an error out of the making of a kind, through what makes it.
type failure struct{ err error }

func (w *workshop) check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// try runs f and gives the error that a check in it found.
func (w *workshop) try(what string, f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = fmt.Errorf("%s: %w", what, p.err)
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

func (w *workshop) part(name string, create func(p *part)) *part {
	w.mu.Lock()
	p := w.parts[name]
	if p == nil {
		p = &part{}
		w.parts[name] = p
	}
	w.mu.Unlock()
	p.once.Do(func() { create(p) })
	return p
}

// once gives the path of a file that create writes the first time.
func (w *workshop) once(name string, create func() []byte) string {
	return w.part(name, func(p *part) {
		data := create()
		p.file = filepath.Join(w.dir, name)
		w.check(os.WriteFile(p.file, data, 0o600))
	}).file
}

// run runs a program. The word OUT with a suffix, as OUT.tif, stands for a fresh file, whose bytes it gives.
func (w *workshop) run(words ...string) []byte {
	out := ""
	for i, word := range words {
		if suffix, ok := strings.CutPrefix(word, "OUT"); ok {
			out = filepath.Join(w.dir, fmt.Sprintf("made-%d%s", w.number.Add(1), suffix))
			words[i] = out
		}
	}
	command := exec.Command(words[0], words[1:]...)
	command.Dir = w.dir
	if text, err := command.CombinedOutput(); err != nil {
		w.check(fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, text))
	}
	if out == "" {
		return nil
	}
	data, err := os.ReadFile(out)
	w.check(err)
	w.check(os.Remove(out))
	return data
}

// vips runs vips over a file: operation, input, OUT with suffix, then options, separated by blanks.
func (w *workshop) vips(operation, in, suffix, options string) []byte {
	return w.run(append([]string{"vips", operation, in, "OUT" + suffix}, strings.Fields(options)...)...)
}

// save keeps data as a fresh file.
func (w *workshop) save(data []byte, suffix string) string {
	path := filepath.Join(w.dir, fmt.Sprintf("in-%d%s", w.number.Add(1), suffix))
	w.check(os.WriteFile(path, data, 0o600))
	return path
}

func (w *workshop) load(path string) []byte {
	data, err := os.ReadFile(path)
	w.check(err)
	return data
}
