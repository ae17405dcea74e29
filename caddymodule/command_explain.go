package caddymodule

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/gatehouse-server/gatehouse/authz"
)

func explainCommand() *cobra.Command {
	var admin adminClient
	var asJSON, mail bool
	var collection, identifier string
	var scopes []string
	cmd := &cobra.Command{
		Use:   "explain --collection NAME --identifier IDENTIFIER [--scope SCOPE]... [--mail]",
		Short: "Tells which rule decides about an item, and why",
		Long: "Asks the running server what it would decide about an item for a caller with these scopes. Without a scope\n" +
			"the caller is anonymous. The metadata server is asked as for a real request; no image is fetched.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"collection": {collection}, "identifier": {identifier}, "scope": scopes}
			if mail {
				query.Set("mail", "true")
			}
			var explanation authz.Explanation
			raw, err := admin.get("/gatehouse/explain", query, &explanation)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			printExplanation(cmd, explanation)
			return nil
		},
	}
	admin.flags(cmd)
	cmd.Flags().StringVar(&collection, "collection", "", "name of the collection")
	cmd.Flags().StringVar(&identifier, "identifier", "", "the identifier as it stands in the image's address")
	cmd.Flags().StringArrayVar(&scopes, "scope", nil, "scope of the caller; may repeat")
	cmd.Flags().BoolVar(&mail, "mail", false, "the caller came by a login link")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("collection")
	_ = cmd.MarkFlagRequired("identifier")
	return cmd
}

func printExplanation(cmd *cobra.Command, x authz.Explanation) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n\n", x.Summary)
	for _, rule := range x.Rules {
		mark := " "
		if rule.Decides {
			mark = ">"
		}
		fmt.Fprintf(out, "%s %2d  %-12s %s\n", mark, rule.Number, rule.Result, rule.Rule)
		if rule.Error != "" {
			fmt.Fprintf(out, "                   %s\n", rule.Error)
		}
	}
	for _, fact := range x.Fetched {
		outcome := "fetched"
		if fact.Error != "" {
			outcome = "failed: " + fact.Error
		}
		fmt.Fprintf(out, "\n%s: %s in %.1f ms", fact.Fact, outcome, fact.Milliseconds)
	}
	if len(x.Fetched) > 0 {
		fmt.Fprintln(out)
	}
}
