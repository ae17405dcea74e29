package caddymodule

import (
	"github.com/spf13/cobra"

	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/render/vips"
)

// childCommand is what the server starts its rendering processes with. It is of no use to people.
func childCommand() *cobra.Command {
	return &cobra.Command{
		Use:    childName,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return child.Serve(vips.Worker{}) },
	}
}

const childName = "render-child"

// childArgs start this program as a rendering process; the first is how it is called in lists of processes.
func childArgs() []string { return []string{"gatehouse-render", "gatehouse", childName} }
