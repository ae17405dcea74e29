// Command gatehouse is Caddy with its standard modules and Gatehouse's: what xcaddy builds, from plain go build.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	// Caddy's standard modules.
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	// Gatehouse's modules.
	_ "github.com/gatehouse-server/gatehouse"
)

func main() {
	caddycmd.Main()
}
