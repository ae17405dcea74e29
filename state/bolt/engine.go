package bolt

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the state file in its directory.
const FileName = "gatehouse.db"

const defaultLockTimeout = 5 * time.Second

// ErrLocked means that another process has the state file open.
var ErrLocked = errors.New("the state file is in use by another process")

// Config says where the state lies.
type Config struct {
	// Directory holds the state file. It is made, readable by its owner alone, if it is not there.
	Directory string `json:"directory"`
	// LockTimeout is how long another process is waited for that has the file open, as the one before a restart may.
	// Default: 5 seconds; it is never without end.
	LockTimeout time.Duration `json:"lock_timeout,omitempty"`
}

// WithDefaults fills in what was left out.
func (c Config) WithDefaults() Config {
	if c.LockTimeout == 0 {
		c.LockTimeout = defaultLockTimeout
	}
	return c
}

// Validate tells what is wrong, without touching a file.
func (c Config) Validate() error {
	if c.Directory == "" {
		return errors.New("state bolt: the directory is missing")
	}
	if c.LockTimeout < time.Millisecond || c.LockTimeout > time.Minute {
		return fmt.Errorf("state bolt: lock_timeout %s is not between 1ms and 1m", c.LockTimeout)
	}
	return nil
}

// Engine is one state file. It is open while somebody holds a lease on it; each of its methods takes one for as long as
// it runs, so that it works at any time, and fast while a server holds one. It is safe for concurrent use.
type Engine struct {
	config Config
	logger *slog.Logger

	mu     sync.Mutex // guards what follows
	db     *bbolt.DB  // nil while no lease is out
	leases int
	held   func() // the lease of Open
}

// New validates config and touches no file. A nil logger logs nothing.
func New(config Config, logger *slog.Logger) (*Engine, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Engine{config: config, logger: logger}, nil
}

// Path is the state file.
func (e *Engine) Path() string { return filepath.Join(e.config.Directory, FileName) }

// Open takes a lease that Close gives back. A second Open does nothing.
func (e *Engine) Open() error {
	release, err := e.Acquire()
	if err != nil {
		return err
	}
	e.mu.Lock()
	first := e.held == nil
	if first {
		e.held = release
	}
	e.mu.Unlock()
	if !first {
		release()
	}
	return nil
}

// Close gives the lease of Open back. The file is closed when no other lease is out. It may be called at any time and
// more than once.
func (e *Engine) Close() error {
	e.mu.Lock()
	release := e.held
	e.held = nil
	e.mu.Unlock()
	if release != nil {
		release()
	}
	return nil
}

// Acquire takes a lease, and opens the file for the first one. Releasing twice does nothing. The error is ErrLocked while
// another process has the file, ErrNewerSchema for a file of a newer version, or that of the file system.
func (e *Engine) Acquire() (release func(), err error) {
	_, release, err = e.lease()
	return release, err
}

func (e *Engine) lease() (*bbolt.DB, func(), error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.db == nil {
		db, err := e.open()
		if err != nil {
			return nil, nil, err
		}
		e.db = db
	}
	e.leases++
	return e.db, sync.OnceFunc(e.release), nil
}

func (e *Engine) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leases--
	if e.leases > 0 {
		return
	}
	if err := e.db.Close(); err != nil {
		e.logger.Error("the state file cannot be closed", "path", e.Path(), "error", err)
	}
	e.db = nil
}

// open makes the file if it is not there and brings its schema up to date.
func (e *Engine) open() (*bbolt.DB, error) {
	if err := os.MkdirAll(e.config.Directory, 0o700); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	db, err := bbolt.Open(e.Path(), 0o600, &bbolt.Options{Timeout: e.config.LockTimeout, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open state: %w: %s; a bolt state serves one process, to run many nodes use `state postgres`", ErrLocked, e.Path())
	}
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", e.Path(), err)
	}
	if err := migrate(db, migrations()); err != nil {
		return nil, errors.Join(fmt.Errorf("open state %s: %w", e.Path(), err), db.Close())
	}
	return db, nil
}

// view reads in one transaction.
func (e *Engine) view(f func(*bbolt.Tx) error) error {
	db, release, err := e.lease()
	if err != nil {
		return err
	}
	defer release()
	return db.View(f)
}

// update changes in one transaction, which is on the disk when it returns nil.
func (e *Engine) update(f func(*bbolt.Tx) error) error {
	db, release, err := e.lease()
	if err != nil {
		return err
	}
	defer release()
	return db.Update(f)
}

// Backup writes a consistent copy of the file, as it is at one moment, while others read and write on. It returns the
// number of bytes.
func (e *Engine) Backup(w io.Writer) (int64, error) {
	var written int64
	err := e.view(func(tx *bbolt.Tx) error {
		var err error
		written, err = tx.WriteTo(w)
		return err
	})
	if err != nil {
		return written, fmt.Errorf("back up state: %w", err)
	}
	return written, nil
}
