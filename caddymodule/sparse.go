package caddymodule

import "sync"

// ballast is memory that is never touched, and so takes none of the machine's. The garbage collector counts it: it lets
// the heap grow by as much before it runs, so that a server that keeps little of its own, and makes much for each request,
// does not spend a tenth of its time on collecting that.
var ballast []byte

const ballastBytes = 32 << 20

// sparse keeps the garbage collector from running all the time, from the first start on.
var sparse = sync.OnceFunc(func() { ballast = make([]byte, ballastBytes) })
