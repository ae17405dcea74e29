package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-server/gatehouse/pyramid"
	"github.com/gatehouse-server/gatehouse/source"
)

// bucketFlags say how a bucket is reached.
type bucketFlags struct {
	endpoint, region, keyFile, caFile string
	pathStyle                         bool
}

// config is that of a bucket. Without a key file, credentials come from where Amazon's tools take them.
func (f *bucketFlags) config(location string) *source.S3Config {
	return &source.S3Config{
		Location: location, Endpoint: f.endpoint, Region: f.region, KeyFile: f.keyFile, SDKCredentials: f.keyFile == "", CAFile: f.caFile,
		PathStyle: f.pathStyle,
	}
}

func isBucket(name string) bool { return strings.HasPrefix(name, "s3://") }

// pyramidWork is one original and where its pyramid goes.
type pyramidWork struct {
	from source.Source
	path string
	to   pyramid.Shelf
	// label is what it is called in answers.
	label string
}

// pyramidPlaces opens what the command is told to read and to write.
type pyramidPlaces struct {
	bucketFlags
	output    string
	sameNames bool
	works     []pyramidWork
	closers   []func()
}

func (p *pyramidPlaces) close() {
	for _, closer := range p.closers {
		closer()
	}
}

// shelf is the output, or where there is none, the place of the originals.
func (p *pyramidPlaces) shelf(place string) (pyramid.Shelf, error) {
	location := cmp.Or(p.output, place)
	same := strings.TrimSuffix(location, "/") == strings.TrimSuffix(place, "/")
	if !isBucket(location) && !isBucket(place) {
		absolute, err := filepath.Abs(location)
		if err != nil {
			return nil, err
		}
		location, same = absolute, absolute == place
	}
	if same && p.sameNames {
		return nil, errors.New("pyramids would take the places of their originals: name another --output")
	}
	if !isBucket(location) {
		return pyramid.FolderShelf(location), nil
	}
	bucket, err := source.OpenBucket(p.config(location))
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, bucket.Close)
	return pyramid.BucketShelf{Bucket: bucket}, nil
}

// find lists what is to be done for the names of files, folders and buckets.
func (p *pyramidPlaces) find(ctx context.Context, names []string) error {
	for _, name := range names {
		var err error
		if isBucket(name) {
			err = p.findInBucket(ctx, name)
		} else {
			err = p.findInFolder(name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (p *pyramidPlaces) findInFolder(name string) error {
	var root string
	var paths []string
	if err := pyramid.Below(name, func(below, path string) { root, paths = below, append(paths, path) }); err != nil || len(paths) == 0 {
		return err
	}
	from, err := source.New(&source.FolderConfig{Root: root}, source.Deps{})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() { _ = from.Close() })
	return p.add(from, root, paths)
}

func (p *pyramidPlaces) findInBucket(ctx context.Context, name string) error {
	config := p.config(name)
	// Nobody changes them meanwhile, and large ones are read by ranges.
	dir, err := os.MkdirTemp("", "gatehouse-pyramid-")
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() { _ = os.RemoveAll(dir) })
	spool, err := source.NewSpool(source.SpoolConfig{Dir: dir, MaxBytes: defaultSpoolBytes}, nil)
	if err != nil {
		return err
	}
	from, err := source.New(config, source.Deps{Spool: spool})
	if err != nil {
		return errors.Join(err, spool.Close())
	}
	p.closers = append([]func(){func() { _ = from.Close(); _ = spool.Close() }}, p.closers...)
	bucket, err := source.OpenBucket(config)
	if err != nil {
		return err
	}
	defer bucket.Close()
	var paths []string
	err = bucket.List(ctx, func(path string, _ source.Info) error {
		paths = append(paths, path)
		return nil
	})
	if err != nil {
		return err
	}
	return p.add(from, name, paths)
}

func (p *pyramidPlaces) add(from source.Source, place string, paths []string) error {
	to, err := p.shelf(place)
	if err != nil {
		return err
	}
	for _, path := range paths {
		p.works = append(p.works, pyramidWork{from, path, to, strings.TrimSuffix(place, "/") + "/" + path})
	}
	return nil
}
