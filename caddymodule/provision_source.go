package caddymodule

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"

	"github.com/gatehouse-server/gatehouse/source"
)

// spoolKey identifies a spool by its folder and its bound.
type spoolKey struct {
	folder string
	bytes  int64
}

// sharedSpool is emptied with its last holder.
type sharedSpool struct{ *source.Spool }

// Destruct implements caddy.Destructor.
func (s sharedSpool) Destruct() error { return s.Close() }

const defaultSpoolBytes = 10 << 30

// provisionSpool finds or makes the spool; the disk is not touched.
func (a *App) provisionSpool() error {
	key := spoolKey{filepath.Join(os.TempDir(), "gatehouse-spool"), defaultSpoolBytes}
	if a.Spool != nil {
		folder, err := folderOf("spool", a.Spool.Folder)
		if err != nil {
			return err
		}
		if folder != "" {
			// In a folder of its own, since leftovers are removed from it.
			key.folder = filepath.Join(folder, "gatehouse-originals")
		}
		if a.Spool.Size > 0 {
			key.bytes = int64(a.Spool.Size)
		}
	}
	var err error
	a.spool, err = share(&a.pooled, key, func() (sharedSpool, error) {
		spool, err := source.NewSpool(source.SpoolConfig{Dir: key.folder, MaxBytes: key.bytes}, poolLogger("gatehouse.spool"))
		return sharedSpool{spool}, err
	})
	return err
}

// folderOf fills placeholders in and makes the path absolute. A missing variable is an error: an empty text would be the
// working directory.
func folderOf(option, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	filled, err := replaced(path)
	if err != nil || filled == "" {
		return "", fmt.Errorf("%s: the folder %s has no value: its file or variable is missing or empty", option, path)
	}
	return filepath.Abs(filled)
}

// newSource makes a source, and the template of the paths below it when its location has placeholders. Paths that come
// out of metadata are tried in several spellings.
func (a *App) newSource(c *SourceConfig, fromMetadata bool) (source.Source, *source.Template, error) {
	// Placeholders of Caddy's, such as {env.ROOT}, are filled in here; those of the identifier stay.
	location := caddy.NewReplacer().ReplaceKnown(c.Location, "")
	base, template, err := source.ParseTarget(source.Kind(c.Kind), location)
	if err != nil {
		return nil, nil, err
	}
	remote := source.Remote{Timeout: c.Timeout.std(), NameVariants: fromMetadata}
	var config source.Config
	switch c.Kind {
	case sourceFolder:
		config = &source.FolderConfig{Root: base, NameVariants: fromMetadata}
	case sourceHTTP:
		header, err := replacedHeaders(c.Headers)
		if err != nil {
			return nil, nil, err
		}
		config = &source.HTTPConfig{Base: base, Header: header, CAFile: c.CAFile, InsecureSkipVerify: c.InsecureSkipVerify, Remote: remote}
	case sourceS3:
		s3 := &source.S3Config{
			Location: base, Endpoint: c.Endpoint, Region: c.Region, PathStyle: c.PathStyle, KeyFile: c.KeyFile,
			CAFile: c.CAFile, InsecureSkipVerify: c.InsecureSkipVerify, Remote: remote,
			SDKCredentials: c.AccessKey == "" && c.SecretKey == "" && c.KeyFile == "",
		}
		for _, secret := range []struct {
			into *string
			from string
		}{{&s3.AccessKey, c.AccessKey}, {&s3.SecretKey, c.SecretKey}, {&s3.Endpoint, c.Endpoint}} {
			if *secret.into, err = replaced(secret.from); err != nil {
				return nil, nil, err
			}
		}
		config = s3
	default:
		return nil, nil, fmt.Errorf("kind %q is not known; choose one of %s", c.Kind, choices([]string{sourceFolder, sourceHTTP, sourceS3}))
	}
	made, err := source.New(config, source.Deps{Logger: a.logger, Spool: a.spool.Spool, Observe: observeSource})
	return made, template, err
}

func observeSource(kind source.Kind, seconds float64, bytes int64, outcome string) {
	metrics.sourceSeconds.WithLabelValues(string(kind), outcome).Observe(seconds)
	metrics.sourceBytes.WithLabelValues(string(kind)).Add(float64(bytes))
}

// replacedHeaders fills the placeholders in header values in.
func replacedHeaders(headers map[string]string) (http.Header, error) {
	out := make(http.Header, len(headers))
	for name, value := range headers {
		value, err := replaced(value)
		if err != nil {
			return nil, fmt.Errorf("header %s has no value: its file or variable is missing or empty", name)
		}
		out.Set(name, value)
	}
	return out, nil
}
