package e2e_test

import (
	"fmt"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// site is a server with collections of the test's own. It has the requests of a house.
func site(t testing.TB, collections, handlers string, env ...string) *house {
	t.Helper()
	h := &house{t: t, client: newClient()}
	h.caddyfile = fmt.Sprintf(`
{
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		%s
	}
}
http://{$ADDR} {
	bind 127.0.0.1
	handle /status/* {
		gatehouse_health
	}
	%s
}
`, collections, handlers)
	h.server = testkit.StartServer(t, h.caddyfile, env...)
	return h
}

// publicSite has one collection, open, that everybody may see, below /open.
func publicSite(t testing.TB, source string, env ...string) *house {
	t.Helper()
	return site(t, "collection open {\nprefix /open\n"+source+"\n}", "handle /open/* {\ngatehouse_iiif open\n}", env...)
}

// fileServer is another server of the same binary that hands out the files of a folder, with ranges and tags, and
// wants a header.
func fileServer(t testing.TB) *testkit.Server {
	t.Helper()
	return testkit.StartServer(t, `
http://{$ADDR} {
	bind 127.0.0.1
	@stranger not header Authorization "`+edepotSecret+`"
	respond @stranger 401
	root {$DIR}
	file_server
}
`)
}
