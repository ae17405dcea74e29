package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

type s3Place struct {
	client *s3.Client
	http   *httpx.Client
	bucket string
	prefix string
}

func (s *s3Place) closeIdle() { s.http.CloseIdleConnections() }

func (s *s3Place) fetch(ctx context.Context, path string, a ask) (*reply, error) {
	input := &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(s.prefix + path)}
	if r := a.rangeHeader(); r != "" {
		input.Range = aws.String(r)
	}
	if a.unless.etag != "" {
		input.IfNoneMatch = aws.String(a.unless.etag)
	}
	if a.only.etag != "" {
		input.IfMatch = aws.String(a.only.etag)
	}
	output, err := s.client.GetObject(ctx, input)
	if err != nil {
		return nil, s3Error(err, a)
	}
	r, err := s.read(output)
	if err == nil {
		err = r.check(a)
	}
	if err != nil {
		_ = output.Body.Close()
		return nil, err
	}
	return r, nil
}

func (s *s3Place) read(output *s3.GetObjectOutput) (*reply, error) {
	if coding := aws.ToString(output.ContentEncoding); coding != "" && !strings.EqualFold(coding, "identity") && coding != "aws-chunked" {
		return nil, fmt.Errorf("%w: the object is stored with content coding %q", errLie, coding)
	}
	r := &reply{
		length:      -1,
		size:        -1,
		validator:   validator{etag: aws.ToString(output.ETag)},
		modified:    aws.ToTime(output.LastModified),
		contentType: aws.ToString(output.ContentType),
		body:        output.Body,
	}
	r.exact = r.validator.strong()
	if output.ContentLength != nil {
		r.length = *output.ContentLength
		r.size = r.length
	}
	if output.ContentRange == nil {
		return r, nil
	}
	r.partial = true
	off, length, size, err := parseContentRange(*output.ContentRange)
	if err != nil {
		return nil, err
	}
	if r.length >= 0 && r.length != length {
		return nil, errLie
	}
	r.off, r.length, r.size = off, length, size
	return r, nil
}

// s3Error turns an error of the SDK into one of a place. A missing bucket is no missing original: it is a wrong
// configuration, and stays a status.
func s3Error(err error, a ask) error {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 {
		return err
	}
	status := answer.HTTPStatusCode()
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket" {
		return badStatus(http.StatusNotFound, err)
	}
	if status < http.StatusMultipleChoices {
		// The status was fine and the answer could not be read.
		return err
	}
	return errors.Join(knownStatus(status, a), err)
}
