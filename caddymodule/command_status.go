package caddymodule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func statusCommand() *cobra.Command {
	var admin adminClient
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tells how the running server is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var status Status
			raw, err := admin.get("/gatehouse/status", nil, &status)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			printStatus(cmd, status)
			return nil
		},
	}
	admin.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// String is the status in a line.
func (s IsolationStatus) String() string {
	if s.Mode != isolationProcess {
		return s.Mode
	}
	text := fmt.Sprintf("%d processes, %d MB", s.Processes, s.ResidentBytes/1e6)
	if s.Confined {
		text += ", confined"
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Replaced)) {
		text += fmt.Sprintf(", %d replaced (%s)", s.Replaced[reason], reason)
	}
	return text
}

func printStatus(cmd *cobra.Command, s Status) {
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	defer out.Flush()
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("version", "%s (Caddy %s, %s)", s.Version, s.Caddy, s.Go)
	line("ready", "%t", s.Ready)
	for _, name := range slices.Sorted(maps.Keys(s.Parts)) {
		line("  "+name, "%s", s.Parts[name])
	}
	line("renderer", "%s", s.Images.Version)
	line("  reads", "%s", strings.Join(s.Images.Loaders, " "))
	line("  writes", "%s", strings.Join(s.Images.Formats, " "))
	line("  rendering", "%d running, %d waiting", s.Images.Running, s.Images.Queued)
	line("  isolation", "%s", s.Images.Isolation)
	line("cache", "%d pictures of %d MiB in memory, %d MiB in the folder", s.Cache.Pictures, s.Cache.MemoryBytes>>20, s.Cache.FolderBytes>>20)
	line("  asked", "%d times found, %d times made, %d times waited for", s.Cache.MemoryHits+s.Cache.FolderHits, s.Cache.Misses, s.Cache.Joined)
	if p := s.Pyramids; p.On {
		line("pyramids", "%d MiB, %d made, %d waiting, %d failed", p.Bytes>>20, p.Made, p.Waiting, p.Failed)
	} else {
		line("pyramids", "off")
	}
	for _, issuer := range s.Issuers {
		age := "no keys yet"
		if issuer.Keys > 0 {
			age = fmt.Sprintf("%d keys, %.0f s old", issuer.Keys, issuer.AgeSeconds)
		}
		if issuer.Error != "" {
			age += ", last fetch failed: " + issuer.Error
		}
		line("issuer "+issuer.Name, "%s", age)
	}
	for _, c := range s.Collections {
		access := "by policy"
		if c.Public {
			access = "public"
		}
		line("collection "+c.Name, "%s, %s, sources: %s", c.Prefix, access, strings.Join(c.Sources, " "))
	}
}
