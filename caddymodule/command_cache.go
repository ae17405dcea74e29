package caddymodule

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func cacheCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Purges and warms the cache of pictures",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return fmt.Errorf("name one of the commands")
		},
	}
	cmd.AddCommand(cachePurgeCommand(), cacheWarmCommand())
	return cmd
}

func cachePurgeCommand() *cobra.Command {
	var admin adminClient
	var request cacheRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "purge [--collection NAME [--identifier IDENTIFIER]]",
		Short: "Forgets the pictures of an identifier, of a collection, or all",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var purged cacheRequest
			raw, err := admin.post("/gatehouse/cache/purge", request, &purged)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "purged")
			return nil
		},
	}
	admin.flags(cmd)
	cmd.Flags().StringVar(&request.Collection, "collection", "", "name of the collection; without it, all")
	cmd.Flags().StringVar(&request.Identifier, "identifier", "", "the identifier as it stands in the image's address; without it, all of the collection")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func cacheWarmCommand() *cobra.Command {
	var admin adminClient
	var collection, file string
	var identifiers []string
	var tiles, asJSON bool
	cmd := &cobra.Command{
		Use:   "warm --collection NAME (--identifier IDENTIFIER... | --file FILE)",
		Short: "Makes the pictures of images before anybody asks for them",
		Long: "Makes the sizes that info.json offers, and with --tiles all tiles too. FILE has an identifier on each line;\n" +
			"- reads them from standard input. An image that cannot be shown is told of, and the next one follows.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listed, err := listIdentifiers(cmd.InOrStdin(), file)
			if err != nil {
				return err
			}
			if identifiers = append(identifiers, listed...); len(identifiers) == 0 {
				return fmt.Errorf("name an image: --identifier or --file")
			}
			var all Warmed
			failed := 0
			for i, identifier := range identifiers {
				var warmed Warmed
				if _, err := admin.post("/gatehouse/cache/warm", cacheRequest{Collection: collection, Identifier: identifier, Tiles: tiles}, &warmed); err != nil {
					failed++
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", identifier, err)
				}
				all.Pictures += warmed.Pictures
				all.Bytes += warmed.Bytes
				fmt.Fprintf(cmd.ErrOrStderr(), "\r%d of %d images, %d pictures", i+1, len(identifiers), all.Pictures)
			}
			fmt.Fprintln(cmd.ErrOrStderr())
			if asJSON {
				if err := printJSON(cmd, all); err != nil {
					return err
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d images could not be shown", failed, len(identifiers))
			}
			return nil
		},
	}
	admin.flags(cmd)
	cmd.Flags().StringVar(&collection, "collection", "", "name of the collection")
	cmd.Flags().StringArrayVar(&identifiers, "identifier", nil, "an identifier as it stands in the image's address; may repeat")
	cmd.Flags().StringVar(&file, "file", "", "a file with an identifier on each line")
	cmd.Flags().BoolVar(&tiles, "tiles", false, "all tiles, too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("collection")
	return cmd
}

// listIdentifiers reads a file's lines, or those of in for "-".
func listIdentifiers(in io.Reader, file string) ([]string, error) {
	switch file {
	case "":
		return nil, nil
	case "-":
	default:
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("reading identifiers: %w", err)
		}
		defer opened.Close()
		in = opened
	}
	var out []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			out = append(out, line)
		}
	}
	return out, lines.Err()
}
