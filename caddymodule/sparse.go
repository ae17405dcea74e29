package caddymodule

import "sync"

// sparse keeps the garbage collector from running all the time, from the first start on, by memory that is never touched
// and so takes none of the machine's. The collector counts it and lets the heap grow by as much before it runs, so that a
// server that keeps little of its own, and makes much for each request, does not spend a tenth of its time on collecting.
var sparse = sync.OnceValue(func() []byte { return make([]byte, ballastBytes) })

const ballastBytes = 32 << 20
