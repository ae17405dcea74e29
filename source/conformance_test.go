package source_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gatehouse-server/gatehouse/internal/testkit/s3gateway"
	"github.com/gatehouse-server/gatehouse/source"
	"github.com/gatehouse-server/gatehouse/source/sourcetest"
)

var gateway s3gateway.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	gateway.Stop()
	os.Exit(code)
}

// newSource makes a source that is closed with the test, with a spool of its own.
func newSource(t testing.TB, c source.Config, d source.Deps) source.Source {
	t.Helper()
	if d.Spool == nil {
		d.Spool = newSpool(t, 0)
	}
	s, err := source.New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newSpool(t testing.TB, maxBytes int64) *source.Spool {
	t.Helper()
	s, err := source.NewSpool(source.SpoolConfig{Dir: filepath.Join(t.TempDir(), "spool"), MaxBytes: maxBytes}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// folderPlace is a folder; each state of a file is a minute younger than the one before, as an HTTP server that tells
// whole seconds needs it.
type folderPlace struct {
	root  string
	since time.Time
	puts  *atomic.Int64
}

func newFolder(t testing.TB) folderPlace {
	return folderPlace{t.TempDir(), time.Now().Add(-24 * time.Hour), &atomic.Int64{}}
}

func (p folderPlace) Open(t testing.TB, variants bool) source.Source {
	return newSource(t, &source.FolderConfig{Root: p.root, NameVariants: variants}, source.Deps{})
}

func (p folderPlace) Put(t testing.TB, path string, data []byte) {
	t.Helper()
	name := filepath.Join(p.root, path)
	err := os.MkdirAll(filepath.Dir(name), 0o750)
	if err == nil {
		err = os.WriteFile(name+".new", data, 0o600)
	}
	if err == nil {
		modified := p.since.Add(time.Duration(p.puts.Add(1)) * time.Minute)
		err = os.Chtimes(name+".new", modified, modified)
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (p folderPlace) Delete(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(filepath.Join(p.root, path)); err != nil {
		t.Fatal(err)
	}
}

func TestFolderConforms(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Place { return newFolder(t) })
}

// httpPlace is a folder behind a real file server.
type httpPlace struct {
	folderPlace
	url    string
	remote source.Remote
}

func (p httpPlace) Open(t testing.TB, variants bool) source.Source {
	remote := p.remote
	remote.Fresh, remote.NameVariants = -1, variants
	return newSource(t, &source.HTTPConfig{
		Base: p.url + "/rest", Header: http.Header{"Authorization": {"let me in"}}, Remote: remote,
	}, source.Deps{})
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestHTTPConforms(t *testing.T) {
	for name, c := range map[string]struct {
		// change makes the server less able than it is.
		change func(r *http.Request)
		remote source.Remote
	}{
		"File server":       {func(*http.Request) {}, source.Remote{}},
		"Small cache":       {func(*http.Request) {}, source.Remote{CacheBytes: 1 << 20, WholeBelow: -1}},
		"Without ranges":    {func(r *http.Request) { r.Header.Del("Range") }, source.Remote{}},
		"Without condition": {withoutConditions, source.Remote{}},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Place {
				folder := newFolder(t)
				files := http.StripPrefix("/rest", http.FileServer(http.Dir(folder.root)))
				url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Authorization") != "let me in" {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					c.change(r)
					files.ServeHTTP(w, r)
				}))
				return httpPlace{folder, url, c.remote}
			})
		})
	}
}

func withoutConditions(r *http.Request) {
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		r.Header.Del(name)
	}
}

// s3Place is a bucket of a real S3 service.
type s3Place struct {
	gateway *s3gateway.Gateway
	client  *s3.Client
	bucket  string
}

func newBucket(t testing.TB) s3Place {
	t.Helper()
	return newBucketOf(t, gateway.Get(t))
}

func newBucketOf(t testing.TB, g *s3gateway.Gateway) s3Place {
	t.Helper()
	client := s3.New(s3.Options{
		Region: g.Region, BaseEndpoint: aws.String(g.Endpoint), UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider(g.AccessKey, g.SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	name := strings.ToLower(strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			return c
		}
		return '-'
	}, t.Name()))
	if len(name) > 60 {
		name = name[len(name)-60:]
	}
	bucket := "b" + name
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return s3Place{g, client, bucket}
}

func (p s3Place) config() *source.S3Config {
	return &source.S3Config{
		Location: "s3://" + p.bucket + "/pre fix", Endpoint: p.gateway.Endpoint, Region: p.gateway.Region,
		AccessKey: p.gateway.AccessKey, SecretKey: p.gateway.SecretKey, PathStyle: true,
	}
}

func (p s3Place) Open(t testing.TB, variants bool) source.Source {
	c := p.config()
	c.Remote = source.Remote{Fresh: -1, NameVariants: variants}
	return newSource(t, c, source.Deps{})
}

func (p s3Place) Put(t testing.TB, path string, data []byte) {
	t.Helper()
	_, err := p.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &p.bucket, Key: aws.String("pre fix/" + path), Body: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
}

func (p s3Place) Delete(t testing.TB, path string) {
	t.Helper()
	if _, err := p.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &p.bucket, Key: aws.String("pre fix/" + path)}); err != nil {
		t.Fatal(err)
	}
}

func TestS3Conforms(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Place { return newBucket(t) })
}
