// Package gatehouse is what xcaddy builds into Caddy: importing it registers every module of Gatehouse.
//
// Gatehouse puts protected collections on the web. The packages beside this one know no Caddy; caddymodule mounts
// them as an app, as HTTP handlers, as Caddyfile directives, admin routes and commands.
package gatehouse

import (
	// Registers the modules.
	_ "github.com/gatehouse-server/gatehouse/caddymodule"
)
