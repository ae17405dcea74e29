package vips

// #cgo pkg-config: vips libjpeg libwebp zlib
// #cgo CFLAGS: -O3 -Wall -Wno-unused-parameter -D_GNU_SOURCE
// #cgo LDFLAGS: -lm
// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/gatehouse-server/gatehouse/render"
)

// library is libvips itself. It can be started once in a process and never again, so this is the one variable of its
// kind: a second start would crash.
var library struct {
	once sync.Once
	err  error
	// allow serializes the unblocking of loaders.
	allow sync.Mutex
	// saves remembers which savers work.
	saves [C.GHV_SAVERS]struct {
		once  sync.Once
		works bool
	}
}

// canSave tells whether a saver works here.
func canSave(saver C.int) bool {
	s := &library.saves[saver]
	s.once.Do(func() { s.works = C.ghv_can_save(saver) != 0 })
	return s.works
}

// start brings libvips up with its settings for a server: all loaders blocked, no cache, one thread for each picture.
func start() error {
	library.once.Do(func() {
		text := make([]C.char, 512)
		if C.ghv_start(&text[0], C.size_t(len(text))) != C.GHV_OK {
			library.err = fmt.Errorf("start libvips: %s", C.GoString(&text[0]))
		}
	})
	return library.err
}

// tune sets the memory of a process up that leaves the library to children.
var tune = sync.OnceFunc(func() { C.ghv_tune() })

// loaderOf maps the names of formats to loaders. HEIF and AVIF share one; the allow list of a Renderer tells them
// apart by the file's first bytes.
func loaderOf(format string) C.int {
	switch format {
	case "jpeg":
		return C.GHV_JPEG
	case "png":
		return C.GHV_PNG
	case "tiff":
		return C.GHV_TIFF
	case "webp":
		return C.GHV_WEBP
	case "gif":
		return C.GHV_GIF
	case "jp2":
		return C.GHV_JP2
	case "pdf":
		return C.GHV_PDF
	case "heif", "avif":
		return C.GHV_HEIF
	case "jxl":
		return C.GHV_JXL
	case packedTiles:
		return C.GHV_LOADERS // none
	}
	panic("no loader for " + format)
}

// savers are the formats that can be written, in IIIF's order.
var savers = [...]struct {
	format render.Format
	saver  C.int
}{
	{"jpg", C.GHV_TO_JPG}, {"tif", C.GHV_TO_TIF}, {"png", C.GHV_TO_PNG}, {"gif", C.GHV_TO_GIF}, {"jp2", C.GHV_TO_JP2},
	{"pdf", C.GHV_TO_JPG}, // this package writes the document around it
	{"webp", C.GHV_TO_WEBP}, {"avif", C.GHV_TO_AVIF}, {"jxl", C.GHV_TO_JXL},
}

// saverOf gives the saver of a format that capabilities lists.
func saverOf(format render.Format) (C.int, bool) {
	for _, s := range savers {
		if s.format == format {
			return s.saver, true
		}
	}
	return 0, false
}

// capabilities asks libvips what it can do, and unblocks the loaders. Blocking is the whole process's, so a loader once
// allowed stays so; each Renderer keeps to its own list besides.
func capabilities(loaders []string) (render.Capabilities, error) {
	c := render.Capabilities{
		Version:     "libvips " + C.GoString(C.ghv_version()),
		Qualities:   []render.Quality{"default", "color", "gray", "bitonal"},
		AnyRotation: true,
		Watermarks:  true,
	}
	for _, s := range savers {
		if canSave(s.saver) {
			c.Formats = append(c.Formats, s.format)
		}
	}
	if !slices.Contains(c.Formats, "jpg") || !slices.Contains(c.Formats, "png") {
		return c, errors.New("this libvips cannot write JPEG and PNG")
	}
	library.allow.Lock()
	defer library.allow.Unlock()
	for _, name := range loaderNames {
		if slices.Contains(loaders, name) && C.ghv_has_loader(loaderOf(name)) != 0 {
			C.ghv_allow_loader(loaderOf(name))
			c.Loaders = append(c.Loaders, name)
		}
	}
	return c, nil
}

// trackedBytes is what libvips holds for pixels at this moment.
func trackedBytes() int64 { return int64(C.ghv_tracked_bytes()) }

// blocked tells whether an operation of the library cannot be used.
func blocked(operation string) bool {
	name := C.CString(operation)
	defer C.free(unsafe.Pointer(name))
	return C.ghv_is_blocked(name) != 0
}

// vectorEnabled tells whether the library's vector code is on.
func vectorEnabled() bool { return C.ghv_vector_enabled() != 0 }

// takeBytes copies memory of the library into Go's and frees it.
func takeBytes(data unsafe.Pointer, length C.size_t) []byte {
	if data == nil {
		return nil
	}
	defer C.ghv_free(data)
	// C.GoBytes takes an int, which a large TIFF may exceed.
	return append(make([]byte, 0, length), unsafe.Slice((*byte)(data), length)...)
}
