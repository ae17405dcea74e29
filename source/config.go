package source

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
)

// Config is one of *FolderConfig, *HTTPConfig and *S3Config.
type Config interface {
	// Validate finds wrong values without touching file system or network.
	Validate() error
	build(Deps) (Source, error)
}

// Deps is what a source needs from the house around it. Zero values are fine but for Spool, which HTTP and S3 sources
// need.
type Deps struct {
	Logger  *slog.Logger
	Clock   clock.Clock
	Spool   *Spool
	Observe Observer
}

// Observer is told of each exchange with a place, so that metrics can be attached: the kind of source, how long it
// took in seconds, how many bytes of originals came, and the outcome, one of the Outcome constants. It must not block.
type Observer func(kind Kind, seconds float64, bytes int64, outcome string)

// What becomes of an exchange.
const (
	OutcomeOK          = "ok"
	OutcomeNotFound    = "not_found"
	OutcomeNotModified = "not_modified"
	OutcomeChanged     = "changed"
	OutcomeStatus      = "status"
	OutcomeUnreachable = "unreachable"
	OutcomeCancelled   = "cancelled"
)

// New makes a source. It reads the CA and key files that the configuration names and touches no network; a wrong
// value is an error here.
func New(c Config, d Deps) (Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Observe == nil {
		d.Observe = func(Kind, float64, int64, string) {}
	}
	return c.build(d)
}

// Remote holds what HTTP and S3 sources have in common. The zero value of each field means its default.
type Remote struct {
	// Timeout is the budget for finding an original, all name variants together, and again for each later range; it is
	// also the window in which a download has to keep MinRate. Default 25 s.
	Timeout time.Duration
	// DownloadTimeout bounds the transfer of an original that has to be fetched whole. Default 5 min.
	DownloadTimeout time.Duration
	// MinRate is how many bytes a second such a transfer must bring in each window of Timeout. Default 16 KiB.
	MinRate int64
	// Fresh is how long an original that was found is used again without asking the place. Default 60 s; negative asks
	// each time.
	Fresh time.Duration
	// MaxSize is the largest original, in bytes, that is fetched whole because its place cannot give ranges.
	// Default 4 GiB.
	MaxSize int64
	// WholeBelow is the size in bytes up to which an original is fetched whole although its place can give ranges.
	// Default 8 MiB; negative never.
	WholeBelow int64
	// CacheBytes bounds the memory for blocks of originals that are read by ranges. Default 64 MiB.
	CacheBytes int64
	// MaxIdleConns is how many connections stay open between requests. Default 32.
	MaxIdleConns int
	// NameVariants also looks for other spellings of a file name (see NameVariants). Only for paths that come from
	// metadata: with a path that a caller chose, a rule about one spelling would not hold for the other.
	NameVariants bool
}

const (
	defaultTimeout         = 25 * time.Second
	defaultDownloadTimeout = 5 * time.Minute
	defaultMinRate         = 16 << 10
	defaultFresh           = 60 * time.Second
	defaultMaxSize         = 4 << 30
	defaultWholeBelow      = 8 << 20
	defaultCacheBytes      = 64 << 20
)

func (c Remote) validate() error {
	switch {
	case c.Timeout < 0, c.DownloadTimeout < 0:
		return errors.New("timeouts must not be negative")
	case c.MinRate < 0, c.MaxSize < 0, c.MaxIdleConns < 0:
		return errors.New("min_rate, max_size and max_idle_conns must not be negative")
	case c.CacheBytes != 0 && c.CacheBytes < 4*blockSize:
		return fmt.Errorf("the cache must have room for 4 blocks, %d bytes", 4*blockSize)
	}
	return nil
}

func (c Remote) withDefaults() Remote {
	setDefault(&c.Timeout, defaultTimeout)
	setDefault(&c.DownloadTimeout, defaultDownloadTimeout)
	setDefault(&c.MinRate, defaultMinRate)
	setDefault(&c.Fresh, defaultFresh)
	setDefault(&c.MaxSize, defaultMaxSize)
	setDefault(&c.WholeBelow, defaultWholeBelow)
	setDefault(&c.CacheBytes, defaultCacheBytes)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
