package caddymodule

import (
	"context"
	"io"

	"github.com/gatehouse-server/gatehouse/source"
)

// content reads an original from front to back, with seeks in between, as http.ServeContent does.
type content struct {
	*io.SectionReader
	original source.Original
}

func newContent(ctx context.Context, original source.Original) *content {
	return &content{io.NewSectionReader(source.ReaderAt(ctx, original), 0, original.Info().Size), original}
}

// Close gives the original back.
func (c *content) Close() error { return c.original.Close() }
