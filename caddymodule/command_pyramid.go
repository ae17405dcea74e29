package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-server/gatehouse/pyramid"
	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/render/vips"
)

// pyramidFlags are those of the command pyramid.
type pyramidFlags struct {
	bucketFlags
	output                       string
	sameNames, force, copyOthers bool
	tile, quality, jobs          int
	from                         string
	maxPixels                    string
	loaders                      []string
	asJSON, quiet                bool
}

func pyramidCommand() *cobra.Command {
	f := pyramidFlags{}
	cmd := &cobra.Command{
		Use:   "pyramid [--output FOLDER|s3://BUCKET/PREFIX] FILE|FOLDER|s3://BUCKET/PREFIX...",
		Short: "Makes tiled pyramids of pictures in advance",
		Long: "Makes a tiled pyramidal TIFF of each picture that is slow to show in tiles: JPEG, PNG, TIFF in strips, JPEG 2000,\n" +
			"a PDF of one page. Folders and buckets are gone through to their end. What is quickly shown already, or small, is left alone,\n" +
			"and so is what has a pyramid that is no older: the command can be run again and again.\n\n" +
			"With --output and --same-names, the output can be served in place of the originals: formats are told by content,\n" +
			"not by name. The server makes pyramids by itself on the first view; this is for who wants that view to be fast.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.output, "output", "", "folder or bucket for the pyramids; default: beside their originals")
	flags.BoolVar(&f.sameNames, "same-names", false, "keep the names of the originals; needs --output")
	flags.BoolVar(&f.copyOthers, "copy-others", false, "copy what needs no pyramid to the output; needs --output")
	flags.BoolVar(&f.force, "force", false, "make those anew that are there already")
	flags.IntVar(&f.tile, "tile", 0, "side of the tiles in pixels, a multiple of 16; default: as the file has it, or 512")
	flags.IntVar(&f.quality, "quality", 85, "quality of the tiles' JPEG, 1 to 100: the server's jpeg_quality, as a rule")
	flags.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "how many are made at once")
	flags.StringVar(&f.from, "from", "2MP", "pixels that a picture has at least to get one")
	flags.StringVar(&f.maxPixels, "max-pixels", "10GP", "pixels that a picture may have")
	flags.StringSliceVar(&f.loaders, "loaders", nil, "formats that are read; default: as the server's")
	flags.StringVar(&f.endpoint, "endpoint", "", "URL of the S3 service; default: Amazon's for the region")
	flags.StringVar(&f.region, "region", "", "region of the bucket; default: us-east-1")
	flags.StringVar(&f.keyFile, "key-file", "", "JSON file with the credentials; default: from where Amazon's tools take them")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file with the authorities to trust for the S3 service")
	flags.BoolVar(&f.pathStyle, "path-style", false, "put the bucket into the path instead of the host name")
	flags.BoolVar(&f.asJSON, "json", false, "print what became of each file as JSON")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress bar")
	return cmd
}

// preparedFile is what became of one file.
type preparedFile struct {
	File    string          `json:"file"`
	Outcome pyramid.Outcome `json:"outcome,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func (f *pyramidFlags) run(cmd *cobra.Command, args []string) error {
	preparer, done, err := f.preparer()
	if err != nil {
		return err
	}
	defer done()
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	places := &pyramidPlaces{bucketFlags: f.bucketFlags, output: f.output, sameNames: f.sameNames}
	defer places.close()
	if err := places.find(ctx, args); err != nil {
		return err
	}
	results := f.prepare(ctx, cmd, preparer, places.works)
	return f.report(ctx, cmd, results)
}

// preparer starts the renderer.
func (f *pyramidFlags) preparer() (*pyramid.Preparer, func(), error) {
	var from, maxPixels Pixels
	if err := errors.Join(from.parseText(f.from), maxPixels.parseText(f.maxPixels)); err != nil {
		return nil, nil, err
	}
	switch {
	case f.tile != 0 && (f.tile < 128 || f.tile > 4096 || f.tile%16 != 0):
		return nil, nil, fmt.Errorf("--tile is %d: it must be a multiple of 16 from 128 to 4096", f.tile)
	case f.jobs < 1 || f.jobs > maxProcesses:
		return nil, nil, fmt.Errorf("--jobs is %d: it must be from 1 to %d", f.jobs, maxProcesses)
	case f.output == "" && (f.sameNames || f.copyOthers):
		return nil, nil, errors.New("--same-names and --copy-others need --output: originals are never replaced")
	}
	config := vips.Config{Loaders: f.loaders, JPEGQuality: f.quality, MaxPixels: int64(maxPixels), Workers: f.jobs}
	if err := config.Validate(); err != nil {
		return nil, nil, err
	}
	if child.Supported {
		pool, err := child.New(child.Config{Args: childArgs(), Children: 1, Background: f.jobs, Setup: config.Setup()})
		if err != nil {
			return nil, nil, err
		}
		config.Children = pool
	}
	renderer, err := vips.New(config, nil)
	if err != nil {
		if config.Children != nil {
			_ = config.Children.Close()
		}
		return nil, nil, err
	}
	preparer := &pyramid.Preparer{
		Renderer: renderer, Maker: renderer, Policy: pyramid.Policy{Pixels: int64(from)}, SameNames: f.sameNames, Force: f.force, CopyOthers: f.copyOthers, Tile: image.Pt(f.tile, f.tile),
	}
	return preparer, func() { _ = renderer.Close() }, nil
}

// prepare goes through the files, some at a time, and shows how far it is.
func (f *pyramidFlags) prepare(ctx context.Context, cmd *cobra.Command, preparer *pyramid.Preparer, works []pyramidWork) []preparedFile {
	bar := progressbar.NewOptions(len(works),
		progressbar.OptionSetWriter(cmd.ErrOrStderr()), progressbar.OptionSetVisibility(!f.quiet), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("files"), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetDescription("pyramids"), progressbar.OptionClearOnFinish())
	results := make([]preparedFile, len(works))
	var group errgroup.Group
	group.SetLimit(f.jobs)
	var mu sync.Mutex
	for i, work := range works {
		group.Go(func() error {
			results[i].File = work.label
			if ctx.Err() != nil {
				results[i].Error = "not begun"
				return nil
			}
			outcome, err := preparer.Prepare(ctx, work.from, work.path, work.to)
			results[i].Outcome = outcome
			if err != nil {
				results[i].Error = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil && ctx.Err() == nil && !f.asJSON {
				_ = bar.Clear()
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", results[i].File, err)
			}
			_ = bar.Add(1)
			return nil
		})
	}
	_ = group.Wait()
	_ = bar.Finish()
	return results
}

// report tells what became of the files.
func (f *pyramidFlags) report(ctx context.Context, cmd *cobra.Command, results []preparedFile) error {
	counts := map[string]int{}
	failed := 0
	for _, result := range results {
		if result.Error != "" {
			failed++
			continue
		}
		counts[string(result.Outcome)]++
	}
	if f.asJSON {
		if err := printJSON(cmd, results); err != nil {
			return err
		}
	} else {
		for _, outcome := range []pyramid.Outcome{pyramid.Made, pyramid.There, pyramid.Fine, pyramid.Pages, pyramid.NoPicture} {
			if n := counts[string(outcome)]; n > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%d %s\n", n, outcome)
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped; run it again to go on")
	case failed > 0:
		return fmt.Errorf("%d of %d files could not be read", failed, len(results))
	}
	return nil
}
