package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Bucket is a bucket, or a part of one, as those see it who keep it in order: what is in it, and to write to. Who serves
// originals reads them by a Source.
type Bucket struct{ place *s3Place }

// OpenBucket makes a Bucket and touches no network.
func OpenBucket(c *S3Config) (*Bucket, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	place, err := c.place()
	if err != nil {
		return nil, err
	}
	return &Bucket{place}, nil
}

// List tells of all that is in the bucket, by its path below the prefix, until each gives an error.
func (b *Bucket) List(ctx context.Context, each func(path string, info Info) error) error {
	pages := s3.NewListObjectsV2Paginator(b.place.client, &s3.ListObjectsV2Input{
		Bucket: aws.String(b.place.bucket), Prefix: aws.String(b.place.prefix),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the bucket: %w", err)
		}
		for _, object := range page.Contents {
			path := strings.TrimPrefix(aws.ToString(object.Key), b.place.prefix)
			if path == "" || strings.HasSuffix(path, "/") {
				continue // what some tools make for folders
			}
			if err := each(path, Info{Size: aws.ToInt64(object.Size), Modified: aws.ToTime(object.LastModified)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Modified is when an object was written; ErrNotFound where there is none.
func (b *Bucket) Modified(ctx context.Context, path string) (time.Time, error) {
	head, err := b.place.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(b.place.bucket), Key: aws.String(b.place.prefix + path)})
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound {
		return time.Time{}, ErrNotFound
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look at an object: %w", err)
	}
	return aws.ToTime(head.LastModified), nil
}

// Put writes an object of at most 5 GiB. It is there, whole, when Put returns nil.
func (b *Bucket) Put(ctx context.Context, path, contentType string, content io.ReadSeeker) error {
	_, err := b.place.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(b.place.bucket), Key: aws.String(b.place.prefix + path), Body: content, ContentType: aws.String(contentType),
	})
	if err != nil {
		return fmt.Errorf("write an object: %w", err)
	}
	return nil
}

// Close frees connections.
func (b *Bucket) Close() { b.place.closeIdle() }
