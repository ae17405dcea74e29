package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/internal/clock"
)

// developmentToken is what `caddy gatehouse token --json` prints.
type developmentToken struct {
	Token   string    `json:"token"`
	Issuer  string    `json:"issuer,omitempty"`
	Expires time.Time `json:"expires"`
}

func tokenCommand() *cobra.Command {
	var config, adapter, issuer, subject string
	var scopes []string
	var mail, asJSON bool
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use:   "token --subject SUBJECT [--scope SCOPE]... [--mail]",
		Short: "Makes a token for development",
		Long: "Signs a token for an issuer that the configuration marks as development, or, with --mail, the token that a\n" +
			"login link would carry. It refuses a configuration without a development issuer.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			gatehouse, err := loadConfig(config, adapter)
			if err != nil {
				return err
			}
			made, err := makeToken(gatehouse, issuer, mail, authn.DevelopmentClaims{Subject: subject, Scopes: scopes, Lifetime: lifetime})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, made)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), made.Token)
			return err
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "", "configuration file; default: the Caddyfile of this folder")
	cmd.Flags().StringVarP(&adapter, "adapter", "a", "", "adapter of the configuration file")
	cmd.Flags().StringVar(&issuer, "issuer", "", "name of the issuer, when several are marked development")
	cmd.Flags().StringVar(&subject, "subject", "", "who the token is for; with --mail a mail address")
	cmd.Flags().StringArrayVar(&scopes, "scope", nil, "scope of the token; may repeat")
	cmd.Flags().DurationVar(&lifetime, "lifetime", time.Hour, "how long the token is valid")
	cmd.Flags().BoolVar(&mail, "mail", false, "make the token of a login link, for ?auth=")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("subject")
	return cmd
}

// loadConfig reads the gatehouse block of a configuration file.
func loadConfig(file, adapter string) (*Config, error) {
	raw, _, _, err := caddycmd.LoadConfig(file, adapter)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	var whole struct {
		Apps struct {
			Gatehouse *Config `json:"gatehouse"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if whole.Apps.Gatehouse == nil {
		return nil, errors.New("the configuration has no gatehouse block; name a file with --config")
	}
	return whole.Apps.Gatehouse, nil
}

func makeToken(config *Config, name string, mail bool, claims authn.DevelopmentClaims) (developmentToken, error) {
	var names []string
	for _, candidate := range slices.Sorted(maps.Keys(config.Issuers)) {
		if config.Issuers[candidate].Development && (name == "" || name == candidate) {
			names = append(names, candidate)
		}
	}
	switch {
	case len(names) == 0:
		return developmentToken{}, errors.New("no issuer of this name is marked development; tokens are made for such an issuer only")
	case len(names) > 1:
		return developmentToken{}, fmt.Errorf("several issuers are marked development; choose one with --issuer: %s", choices(names))
	}
	login, err := config.newMailLogin()
	if err != nil {
		return developmentToken{}, err
	}
	if mail {
		if login == nil {
			return developmentToken{}, errors.New("the configuration has no mail_login block")
		}
		if !strings.Contains(claims.Subject, "@") {
			return developmentToken{}, fmt.Errorf("with --mail the subject is a mail address; %q is none", claims.Subject)
		}
		token, expires, err := login.Issue(claims.Subject)
		return developmentToken{Token: token, Expires: expires}, err
	}
	issuer, err := config.Issuers[names[0]].authn(names[0], login)
	if err != nil {
		return developmentToken{}, err
	}
	system := clock.System{}
	token, err := authn.DevelopmentToken(issuer, claims, system)
	return developmentToken{Token: token, Issuer: names[0], Expires: system.Now().Add(claims.Lifetime)}, err
}
