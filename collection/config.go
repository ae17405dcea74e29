package collection

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
	"github.com/gatehouse-server/gatehouse/internal/httpx"
	"github.com/gatehouse-server/gatehouse/source"
)

// Config is a collection as configured.
//
// A collection with neither Metadata, Preset nor Rules is public. One with metadata and no rule is refused.
type Config struct {
	// Name stands in routes, logs and metrics: lower-case letters, digits, underscores and hyphens.
	Name string
	// Prefix is the path below which /2/ and /3/ lie. The default is "/iiif".
	Prefix string
	// Preset names a built-in kind of collection, or is empty.
	Preset string
	// Identifier are the patterns of the grammar: see NewGrammar. They take the place of the preset's.
	Identifier []string
	// Metadata is the metadata server, or nil.
	Metadata *MetadataConfig
	// Places are where originals lie, by name. With several, the identifier's group "source" chooses; a name that is
	// not among them is a bad identifier.
	Places map[string]Place
	// Rules and Cache go before those of the preset.
	Rules []Rule
	Cache []CacheRule
	// Restricted is the condition, in CEL, under which showing an item is audited. Empty: the preset's, else whenever
	// an anonymous caller would not have got as much.
	Restricted string
	// FreeCopyright are the values of copyright that count as free, in presets that know copyright.
	FreeCopyright []string
	// DenyStatus answers denials that have no status of their own. The default is the preset's, else 403.
	DenyStatus int
	// CacheFor is how long anybody may keep what a public collection shows. The default is 24 h; negative forbids it.
	CacheFor time.Duration
}

// Place is one place where originals of a collection lie.
type Place struct {
	Source source.Source
	// Kind tells how the source reads paths: an HTTP server undoes percent-encoding, a folder and S3 do not. Empty is
	// taken for HTTP.
	Kind source.Kind
	// Path makes the path out of the identifier's groups, {metadata.FIELD...} and, in presets that have one,
	// {document.FIELD}. Nil: what the preset says, else the group "path".
	Path *source.Template
}

// MetadataConfig is a metadata server. The zero value of each field but URL means its default.
type MetadataConfig struct {
	// URL of an item's metadata with placeholders for the identifier's groups, {name} within a path segment or
	// {name...} for a path, never in scheme, host and port. Without placeholders it is what the preset's path is
	// appended to.
	URL string
	// Timeout is the budget of one fetch, body included. Default 25 s.
	Timeout time.Duration
	// Fresh is how long an answer is used again. Default 60 s; negative never keeps anything.
	Fresh time.Duration
	// Absent is how long it is remembered that an item has no metadata. Default 5 s; negative never.
	Absent time.Duration
	// Header is sent with each request: credentials.
	Header http.Header
	// CAFile names a PEM file with the only authorities that may sign the server's certificate.
	CAFile string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
	// MaxBody bounds an answer, in bytes. Default 16 MiB.
	MaxBody int64
	// CacheBytes and CacheEntries bound what is kept in memory. Defaults 64 MiB and 10,000.
	CacheBytes   int64
	CacheEntries int
}

// Deps is what a collection needs from the house around it. Zero values are fine.
type Deps struct {
	Clock   clock.Clock
	Observe Observer
}

func (d Deps) withDefaults() Deps {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Observe == nil {
		d.Observe = func(float64, string) {}
	}
	return d
}

const (
	defaultPrefix   = "/iiif"
	defaultCacheFor = 24 * time.Hour
	defaultTimeout  = 25 * time.Second
	defaultFresh    = 60 * time.Second
	defaultAbsent   = 5 * time.Second
	defaultMaxBody  = 16 << 20
	defaultBytes    = 64 << 20
	defaultEntries  = 10_000
)

func (c MetadataConfig) withDefaults() MetadataConfig {
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Fresh = cmp.Or(c.Fresh, defaultFresh)
	c.Absent = cmp.Or(c.Absent, defaultAbsent)
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.CacheBytes = cmp.Or(c.CacheBytes, defaultBytes)
	c.CacheEntries = cmp.Or(c.CacheEntries, defaultEntries)
	return c
}

// target splits the URL in the base that requests are locked to and the path that identifiers make.
func (c MetadataConfig) target(presetPath string) (base string, path *source.Template, err error) {
	base, path, err = source.ParseTarget(source.KindHTTP, c.URL)
	if err != nil {
		return "", nil, err
	}
	if path == nil {
		if presetPath == "" {
			return "", nil, errors.New("the URL has no placeholder, so that every item would have the same metadata; write for example https://host/{item}.json")
		}
		if path, err = source.ParseTemplate(presetPath); err != nil {
			return "", nil, err
		}
	}
	if _, err := httpx.ParseBase(base); err != nil {
		return "", nil, err
	}
	return base, path, nil
}

func (c MetadataConfig) validate(presetPath string, groups []string) error {
	_, path, err := c.target(presetPath)
	errs := []error{err}
	if err == nil {
		errs = append(errs, path.Check(groups))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout is %s; it must be positive", c.Timeout))
	}
	if c.MaxBody < 0 || c.CacheBytes < 0 || c.CacheEntries < 0 {
		errs = append(errs, errors.New("a bound in bytes or entries is negative"))
	}
	if c.CAFile != "" && c.InsecureSkipVerify {
		errs = append(errs, errors.New("a CA file and insecure_skip_verify exclude each other"))
	}
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("metadata: %w", err)
		}
	}
	return errors.Join(errs...)
}

// Public tells whether anybody may see everything in the collection.
func (c Config) Public() bool { return c.Metadata == nil && c.Preset == "" && len(c.Rules) == 0 }

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Validate tells all that is wrong with c, expressions of rules excepted: those are the policy's. It touches neither
// network nor files.
func (c Config) Validate() error {
	_, err := c.resolve()
	return err
}

// resolve fills in defaults and what the preset says, and checks the whole.
func (c Config) resolve() (*resolved, error) {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(c.Name) {
		complain("collection name %q: write lower-case letters, digits, underscores and hyphens, at most 63", c.Name)
	}
	c.Prefix = cmp.Or(c.Prefix, defaultPrefix)
	if !strings.HasPrefix(c.Prefix, "/") || strings.HasSuffix(c.Prefix, "/") || httpx.CheckPath(c.Prefix) != nil || strings.ContainsAny(c.Prefix, "%?#*") || strings.Contains(c.Prefix, "//") {
		complain("prefix %q: it must begin with a slash, end without one, and hold plain path segments", c.Prefix)
	}
	r := &resolved{Config: c}
	if c.Preset != "" {
		preset, found := Preset(c.Preset)
		if !found {
			complain("unknown preset %q; there is %s", c.Preset, strings.Join(Presets(), ", "))
		}
		if c.Metadata == nil {
			complain("preset %s needs a metadata server; write metadata URL", c.Preset)
		}
		r.preset = &preset
	}
	if c.Metadata != nil && c.Preset == "" && len(c.Rules) == 0 {
		complain("the collection has metadata and no rule; write rules that use it, or leave the metadata out to make the collection public")
	}
	if c.Public() && (len(c.Cache) > 0 || c.Restricted != "" || c.DenyStatus != 0) {
		complain("a public collection denies nothing: cache conditions, a restricted condition and deny_status need a rule")
	}
	if len(c.FreeCopyright) > 0 && (r.preset == nil || r.preset.FreeCopyright == nil) {
		complain("free_copyright needs a preset that knows copyright; there is %s", strings.Join(Presets(), ", "))
	}
	errs = append(errs, r.resolveGrammar())
	if r.grammar != nil {
		errs = append(errs, r.resolveMetadata(), r.checkPlaces())
	}
	return r, errors.Join(errs...)
}

// resolved is a configuration with all that follows from it.
type resolved struct {
	Config
	preset  *PresetSpec
	grammar *Grammar
}

func (r *resolved) resolveGrammar() error {
	patterns := r.Identifier
	if len(patterns) == 0 && r.preset != nil {
		patterns = r.preset.Identifier
	}
	grammar, err := NewGrammar(patterns)
	if err != nil {
		return err
	}
	if r.preset != nil {
		if missing := r.preset.missingGroups(grammar); len(missing) > 0 {
			return fmt.Errorf("preset %s needs the groups %s in the identifier; missing: %s", r.preset.Name, strings.Join(r.preset.Groups, ", "), strings.Join(missing, ", "))
		}
	}
	r.grammar = grammar
	return nil
}

func (r *resolved) resolveMetadata() error {
	if r.Metadata == nil {
		return nil
	}
	m := r.Metadata.withDefaults()
	r.Metadata = &m
	path := ""
	if r.preset != nil {
		path = r.preset.MetadataPath
	}
	return m.validate(path, r.grammar.groups)
}

func (r *resolved) checkPlaces() error {
	var errs []error
	chosen := slices.Contains(r.grammar.groups, groupSource)
	switch {
	case len(r.Places) == 0:
		errs = append(errs, errors.New("the collection has no source"))
	case len(r.Places) > 1 && !chosen:
		errs = append(errs, errors.New("the collection has several sources, and no group (?P<source>...) in the identifier to choose by"))
	}
	known := slices.Clone(r.grammar.groups)
	if r.Metadata != nil {
		known = append(known, "metadata.*")
	}
	if r.preset != nil {
		known = append(known, "document.*")
	}
	for name, place := range r.Places {
		switch {
		case place.Source == nil:
			errs = append(errs, fmt.Errorf("source %s is not set up", name))
		case place.Path != nil:
			if err := place.Path.Check(known); err != nil {
				errs = append(errs, fmt.Errorf("source %s: %w", name, err))
			}
		case r.preset == nil && !slices.Contains(r.grammar.groups, groupPath):
			errs = append(errs, fmt.Errorf("source %s: the identifier has no group (?P<path>...), so that the source needs a path with placeholders; known are {%s}", name, strings.Join(known, "}, {")))
		}
	}
	return errors.Join(errs...)
}
