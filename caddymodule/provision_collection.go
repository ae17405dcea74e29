package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// newCollection builds a collection and asks nobody.
func (a *App) newCollection(name string, c *CollectionConfig) (_ *collectionRuntime, err error) {
	made := &collectionRuntime{name: name, sources: slices.Sorted(maps.Keys(c.Sources))}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.close())
		}
	}()
	config := collection.Config{
		Name: name, Prefix: c.Prefix, Preset: c.Preset, Identifier: c.Identifier, Restricted: c.Restricted,
		Places: make(map[string]collection.Place, len(c.Sources)), FreeCopyright: c.FreeCopyright,
		DenyStatus: c.DenyStatus,
	}
	if c.MaxAge != nil {
		if config.CacheFor = c.MaxAge.std(); config.CacheFor == 0 {
			config.CacheFor = -1
		}
	}
	for _, sourceName := range made.sources {
		place, err := a.newPlace(c.Sources[sourceName], c.Preset != "")
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", sourceName, err)
		}
		config.Places[sourceName] = place
		made.closers = append(made.closers, place.Source.Close)
	}
	if config.Metadata, err = c.Metadata.collection(); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if err := a.checkWatermarks(c.Rules); err != nil {
		return nil, err
	}
	for _, rule := range c.Rules {
		config.Rules = append(config.Rules, collection.Rule{
			Outcome: rule.Outcome, MaxSide: rule.MaxSide, Quality: rule.Quality, Watermark: rule.Watermark, Reason: rule.Reason, Expr: rule.Expr,
		})
	}
	for _, rule := range c.Cacheable {
		config.Cache = append(config.Cache, collection.CacheRule{For: rule.For.std(), Expr: rule.Expr})
	}
	if made.items, err = collection.New(config, collection.Deps{Observe: observeMetadata}); err != nil {
		return nil, err
	}
	made.closers = append(made.closers, func() error { made.items.Close(); return nil })
	made.prefix, made.maxAge = made.items.Prefix(), made.items.PublicCacheFor()
	if made.policy, err = newPolicy(made.items); err != nil {
		return nil, err
	}
	if made.describer, err = newDescriber(made.items, c.Info, a.logger); err != nil {
		return nil, err
	}
	made.handler, err = a.newImageHandler(made, c)
	return made, err
}

func (a *App) newPlace(c *SourceConfig, fromMetadata bool) (collection.Place, error) {
	made, template, err := a.newSource(c, fromMetadata)
	return collection.Place{Source: made, Kind: c.kind(), Path: template}, err
}

// collection is the metadata server's configuration with its placeholders replaced.
func (c *MetadataConfig) collection() (*collection.MetadataConfig, error) {
	if c == nil {
		return nil, nil
	}
	header, err := replacedHeaders(c.Headers)
	if err != nil {
		return nil, err
	}
	config := &collection.MetadataConfig{
		URL:     caddy.NewReplacer().ReplaceKnown(c.URL, ""),
		Timeout: c.Timeout.std(), Header: header, CAFile: c.CAFile, InsecureSkipVerify: c.InsecureSkipVerify,
	}
	if c.Fresh != nil {
		if config.Fresh = c.Fresh.std(); config.Fresh == 0 {
			// Who keeps no answer keeps no absence either.
			config.Fresh, config.Absent = -1, -1
		}
	}
	return config, nil
}

// newPolicy compiles the rules of a collection; nil when it is public.
func newPolicy(items *collection.Collection) (*authz.Policy, error) {
	written, restricted := items.Policy()
	if !restricted {
		return nil, nil
	}
	config := authz.Config{
		Collection: items.Name(), Restricted: written.Restricted, Settings: written.Settings, Groups: written.Groups,
		Metadata: written.Metadata, Document: written.Document, DenyStatus: written.DenyStatus,
	}
	for _, rule := range written.Rules {
		config.Rules = append(config.Rules, authz.RuleSpec{
			Outcome: authz.Outcome(rule.Outcome), MaxSide: rule.MaxSide, Quality: rule.Quality, Watermark: rule.Watermark,
			Reason: rule.Reason, Status: rule.Status,
			Code: rule.Code, Expr: rule.Expr, Name: rule.Name,
		})
	}
	for _, rule := range written.Cache {
		config.Cache = append(config.Cache, authz.CacheSpec{For: rule.For, Expr: rule.Expr})
	}
	return authz.New(config)
}

func (a *App) newImageHandler(c *collectionRuntime, config *CollectionConfig) (*iiif.Handler, error) {
	limits := a.imagesConfig()
	baseURL := requestBaseURL
	if config.BaseURL != "" {
		fixed, err := replaced(config.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("base_url: %w", err)
		}
		parsed, err := httpx.ParseBase(fixed)
		if err != nil {
			return nil, fmt.Errorf("base_url: %w", err)
		}
		fixed = strings.TrimSuffix(parsed.String(), "/")
		baseURL = func(*http.Request) string { return fixed }
	}
	var describe func(context.Context, iiif.Request) iiif.Description
	if c.describer != nil {
		describe = c.describer.describe
	}
	return iiif.New(iiif.Config{
		Describe:              describe,
		Collection:            c.name,
		Prefix:                c.prefix,
		BaseURL:               baseURL,
		MaxWidth:              limits.MaxOutput.Width,
		MaxHeight:             limits.MaxOutput.Height,
		MaxArea:               int64(limits.MaxArea),
		NoUpscale:             config.Upscaling == upscalingOff,
		NamedUpscale:          config.Upscaling == upscalingNamed,
		ConfinedUpscaleReject: config.ConfinedUpscale == confinedReject,
		LegacyFit:             config.LegacyFit,
		Protected:             !c.public(),
		PublicMaxAge:          publicMaxAge(c.maxAge),
	}, &pipeline{app: a, collection: c.name}, a.logger)
}

// publicMaxAge turns "never" into what package iiif calls it.
func publicMaxAge(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func observeMetadata(seconds float64, outcome string) {
	metrics.metadataSeconds.WithLabelValues(outcome).Observe(seconds)
}
