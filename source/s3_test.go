package source_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/s3gateway"
	"github.com/gatehouse-server/gatehouse/source"
	"github.com/gatehouse-server/gatehouse/source/sourcetest"
)

func TestS3ReadsRangesAndChangesOfARealService(t *testing.T) {
	p := newBucket(t)
	data := sourcetest.Bytes(sourcetest.Large, 1)
	p.Put(t, "big.tif", data)
	clock := testkit.NewFakeClock(time.Now())
	var bytesRead atomic.Int64
	s := newSource(t, p.config(), source.Deps{Clock: clock, Observe: func(_ source.Kind, _ float64, n int64, _ string) { bytesRead.Add(n) }})
	o := mustOpen(t, s, "big.tif")
	part := make([]byte, 1000)
	if _, err := o.ReadAt(t.Context(), part, 7<<20); err != nil || !bytes.Equal(part, data[7<<20:7<<20+1000]) {
		t.Fatalf("a tile: %v", err)
	}
	clock.Advance(time.Hour)
	mustOpen(t, s, "big.tif")
	must(t, s.Close())
	if bytesRead.Load() > int64(blocksOf(2)) {
		t.Errorf("%d bytes were read for one tile", bytesRead.Load())
	}
}

func TestS3AnswersOfARealService(t *testing.T) {
	p := newBucket(t)
	p.Put(t, "there.jpg", []byte("x"))
	endpoint := p.gateway.Endpoint
	for name, c := range map[string]struct {
		change func(c *source.S3Config)
		detail string
	}{
		"no such bucket": {func(c *source.S3Config) { c.Location = "s3://nosuchbucket/pre fix" }, "We had a problem retrieving the image. We got status code 404"},
		"wrong secret":   {func(c *source.S3Config) { c.SecretKey = "wrong" + c.SecretKey }, "We had a problem retrieving the image. We got status code 403"},
		"wrong key":      {func(c *source.S3Config) { c.AccessKey = "wrong" }, "We had a problem retrieving the image. We got status code 403"},
	} {
		config := p.config()
		c.change(config)
		_, err := newSource(t, config, source.Deps{}).Open(t.Context(), "there.jpg")
		wantProblem(t, err, http.StatusBadGateway, c.detail, endpoint)
		for _, secret := range []string{p.gateway.SecretKey, config.SecretKey} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error holds the secret", name)
			}
		}
	}
}

func TestS3TakesKeysFromFiles(t *testing.T) {
	p := newBucket(t)
	p.Put(t, "there.jpg", []byte("x"))
	g := p.gateway
	user, err := os.ReadFile(g.UserFile)
	must(t, err)
	for name, content := range map[string]string{
		"snake":  fmt.Sprintf(`{"access_key": %q, "secret_key": %q}`, g.AccessKey, g.SecretKey),
		"camel":  fmt.Sprintf(`{"accessKey": %q, "secretKey": %q, "url": "http://elsewhere"}`, g.AccessKey, g.SecretKey),
		"amazon": fmt.Sprintf(`{"accessKeyId": %q, "secretAccessKey": %q}`, g.AccessKey, g.SecretKey),
		"ceph":   string(user),
	} {
		file := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(file, []byte(content), 0o600))
		c := p.config()
		c.AccessKey, c.SecretKey, c.KeyFile = "", "", file
		if got := contents(t, mustOpen(t, newSource(t, c, source.Deps{}), "there.jpg")); string(got) != "x" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestS3KeyFilesAreChecked(t *testing.T) {
	for name, content := range map[string]string{
		"not JSON":   "access=hunter2",
		"no keys":    `{"url": "hunter2"}`,
		"half":       `{"access_key": "hunter2"}`,
		"mixed":      `{"access_key": "hunter2", "secretKey": "x"}`,
		"empty list": `{"keys": []}`,
		"wrong type": `{"access_key": 1, "secret_key": "hunter2"}`,
		"too long":   `{"access_key": "` + strings.Repeat("hunter2", 20_000) + `", "secret_key": "x"}`,
	} {
		file := filepath.Join(t.TempDir(), "key.json")
		must(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := source.New(&source.S3Config{Location: "s3://bucket", KeyFile: file}, source.Deps{Spool: newSpool(t, 0)})
		if err == nil || !strings.Contains(err.Error(), "key file") {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows what is in the file: %v", name, err)
		}
	}
	_, err := source.New(&source.S3Config{Location: "s3://bucket", KeyFile: "/nonexistent/key.json"}, source.Deps{Spool: newSpool(t, 0)})
	if err == nil {
		t.Error("a missing key file was accepted")
	}
}

func TestS3OutagesOfARealService(t *testing.T) {
	// A gateway of its own: after a kill the next one waits half a minute for the dead one at each change of a bucket.
	var own s3gateway.Shared
	t.Cleanup(own.Stop)
	p := newBucketOf(t, own.Get(t))
	p.Put(t, "there.jpg", []byte("x"))
	c := p.config()
	c.Timeout, c.Fresh = 4*time.Second, -1
	s := newSource(t, c, source.Deps{})
	mustOpen(t, s, "there.jpg")

	p.gateway.Freeze(t)
	start := time.Now()
	_, err := s.Open(t.Context(), "there.jpg")
	wantProblem(t, err, http.StatusBadGateway, unreachable("timeout"), p.gateway.Endpoint)
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("a hanging service was given up after %s", took)
	}
	p.gateway.Thaw(t)
	mustOpen(t, s, "there.jpg")

	p.gateway.Kill(t)
	c.Timeout = 20 * time.Second
	_, err = newSource(t, c, source.Deps{}).Open(t.Context(), "there.jpg")
	wantProblem(t, err, http.StatusBadGateway, unreachable("connection refused"), p.gateway.Endpoint)
	p.gateway.Restart(t)
	mustOpen(t, s, "there.jpg")
}

// S3 services fail under load, and answer in XML or, when something stands before them, not.
func TestS3FailingService(t *testing.T) {
	xml := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>in http://secret.internal/</Message></Error>`, code)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		detail string
	}{
		"missing":       {xml(404, "NoSuchKey"), 404, "No source file could be found"},
		"bare 404":      {fault(testkit.Status(404)), 404, "No source file could be found"},
		"access denied": {xml(403, "AccessDenied"), 502, "We had a problem retrieving the image. We got status code 403"},
		"slow down":     {xml(503, "SlowDown"), 502, "We had a problem retrieving the image. We got status code 503"},
		"other region":  {fault(testkit.Redirect("http://169.254.169.254/")), 502, "We had a problem retrieving the image. We got status code 302"},
		"hangs":         {fault(testkit.Hang()), 502, unreachable("timeout")},
		"resets":        {fault(testkit.Reset()), 502, unreachable("connection reset")},
		"lies":          {partial("bytes 5-9/10", `"1"`, []byte("12345")), 502, unreachable("protocol")},
		"compresses": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "x")
		}, 502, unreachable("protocol")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, c.answer)
			s := newSource(t, &source.S3Config{
				Location: "s3://bucket/", Endpoint: url, AccessKey: "access", SecretKey: "verysecretkey",
				Remote: source.Remote{Timeout: 5 * time.Second},
			}, source.Deps{})
			_, err := s.Open(t.Context(), "x.jpg")
			wantProblem(t, err, c.status, c.detail, url)
			if err != nil && strings.Contains(err.Error(), "verysecretkey") {
				t.Error("the error holds the secret")
			}
		})
	}
}

func TestS3AddressesBucketsAsConfigured(t *testing.T) {
	for _, c := range []struct {
		location, endpoint string
		pathStyle          bool
		want               string
	}{
		{"s3://masters/pre", "http://127.0.0.1:%s", false, "127.0.0.1:%s/masters/pre/x.jpg"},
		{"s3://masters", "http://localhost:%s", false, "localhost:%s/masters/x.jpg"},
		{"s3://masters", "http://s3.localhost:%s", false, "masters.s3.localhost:%s/x.jpg"},
		{"s3://masters", "http://s3.localhost:%s", true, "s3.localhost:%s/masters/x.jpg"},
		{"s3://dotted.name", "http://s3.localhost:%s", false, "s3.localhost:%s/dotted.name/x.jpg"},
		{"s3://Upper_Case", "http://s3.localhost:%s", false, "s3.localhost:%s/Upper_Case/x.jpg"},
	} {
		var asked string
		url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Host + r.URL.Path
			_, _ = io.WriteString(w, "x")
		}))
		port := url[strings.LastIndexByte(url, ':')+1:]
		s := newSource(t, &source.S3Config{
			Location: c.location, Endpoint: fmt.Sprintf(c.endpoint, port), PathStyle: c.pathStyle, AccessKey: "a", SecretKey: "s",
			Remote: source.Remote{Timeout: 5 * time.Second},
		}, source.Deps{})
		o, err := s.Open(t.Context(), "x.jpg")
		if err != nil && strings.Contains(err.Error(), "no such host") {
			// This machine's resolver does not know names below localhost; the name that was asked for is told.
			asked = strings.Replace(c.want, "%s", port, 1)
			if host, _, _ := strings.Cut(asked, ":"); !strings.Contains(err.Error(), "lookup "+host) {
				t.Errorf("%s at %s: %v", c.location, c.endpoint, err)
			}
		} else if err != nil {
			t.Errorf("%s at %s: %v", c.location, c.endpoint, err)
			continue
		} else {
			_ = o.Close()
		}
		if want := fmt.Sprintf(c.want, port); asked != want {
			t.Errorf("%s at %s asked %s, want %s", c.location, c.endpoint, asked, want)
		}
	}
}

func TestS3TakesCredentialsFromTheEnvironmentOnlyWhenTold(t *testing.T) {
	p := newBucket(t)
	p.Put(t, "there.jpg", []byte("x"))
	t.Setenv("AWS_ACCESS_KEY_ID", p.gateway.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", p.gateway.SecretKey)
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	c := p.config()
	c.AccessKey, c.SecretKey = "", ""
	if err := c.Validate(); err == nil {
		t.Error("a source without credentials was accepted")
	}
	c.SDKCredentials = true
	s := newSource(t, c, source.Deps{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	o, err := s.Open(ctx, "there.jpg")
	must(t, err)
	must(t, o.Close())
}
