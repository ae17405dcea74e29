package caddymodule

import (
	"os"
	"runtime/debug"
	"sync"
)

// sparse sets the garbage collector up for a server that keeps pictures and makes much for each request: it runs when the
// heap has grown by 32 MB and a quarter of what is in use. By itself it would run all the time while little is kept, and
// let the memory of all that is kept lie once more when much is. The 32 MB are a quarter of memory that is never touched,
// and so takes none of the machine's. An operator's GOGC goes before.
var sparse = sync.OnceValue(func() []byte {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(growPercent)
	return make([]byte, ballastBytes)
})

const (
	growPercent  = 25
	ballastBytes = 128 << 20
)
