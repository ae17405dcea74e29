package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// registerCommands adds `caddy gatehouse …`.
func registerCommands() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "gatehouse",
		Short: "Looks into Gatehouse",
		Long:  "Tells how the running Gatehouse is, explains its decisions, makes tokens for development, and pyramids in advance.",
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(statusCommand(), explainCommand(), tokenCommand(), cacheCommand(), pyramidCommand(), childCommand())
			// A missing or unknown subcommand is a mistake, not a request for help that succeeds.
			cmd.Args = cobra.NoArgs
			cmd.RunE = func(cmd *cobra.Command, _ []string) error {
				_ = cmd.Help()
				return fmt.Errorf("name one of the commands")
			}
		},
	})
}

// adminClient asks the admin endpoint of the running server.
type adminClient struct{ address, config, adapter string }

func (a *adminClient) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.address, "address", "", "address of the admin endpoint; default: as configured, or localhost:2019")
	cmd.Flags().StringVarP(&a.config, "config", "c", "", "configuration file to take the address from")
	cmd.Flags().StringVarP(&a.adapter, "adapter", "a", "", "adapter of the configuration file")
}

// get decodes the JSON answer of an admin route into value, and gives it raw too.
func (a *adminClient) get(path string, query url.Values, value any) (json.RawMessage, error) {
	address, err := caddycmd.DetermineAdminAPIAddress(a.address, nil, a.config, a.adapter)
	if err != nil {
		return nil, fmt.Errorf("finding the admin endpoint: %w", err)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return a.ask(address, http.MethodGet, path, nil, value)
}

// post sends a JSON body to an admin route, and decodes its answer as get does.
func (a *adminClient) post(path string, body, value any) (json.RawMessage, error) {
	address, err := caddycmd.DetermineAdminAPIAddress(a.address, nil, a.config, a.adapter)
	if err != nil {
		return nil, fmt.Errorf("finding the admin endpoint: %w", err)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	return a.ask(address, http.MethodPost, path, bytes.NewReader(encoded), value)
}

func (a *adminClient) ask(address, method, path string, body io.Reader, value any) (json.RawMessage, error) {
	response, err := caddycmd.AdminAPIRequest(address, method, path, http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil {
		return nil, fmt.Errorf("asking the running server: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return nil, fmt.Errorf("the answer is not what this version expects: %w", err)
	}
	return raw, nil
}

// printJSON writes raw as indented JSON.
func printJSON(cmd *cobra.Command, raw any) error {
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(raw)
}
