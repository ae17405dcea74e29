package source_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/source"
)

func TestConfigsAreChecked(t *testing.T) {
	s3 := func(change func(*source.S3Config)) *source.S3Config {
		c := &source.S3Config{Location: "s3://bucket/x", AccessKey: "a", SecretKey: "hunter2"}
		change(c)
		return c
	}
	for _, c := range []struct {
		config source.Config
		reason string
	}{
		{&source.FolderConfig{}, "absolute"},
		{&source.FolderConfig{Root: "images"}, "absolute"},
		{&source.HTTPConfig{}, "source URL"},
		{&source.HTTPConfig{Base: "ftp://a.test"}, "http or https"},
		{&source.HTTPConfig{Base: "http://user:hunter2@a.test"}, "user info"},
		{&source.HTTPConfig{Base: "https://a.test", CAFile: "/x", InsecureSkipVerify: true}, "exclude"},
		{&source.HTTPConfig{Base: "https://a.test", CAFile: "/nonexistent"}, "CA file"},
		{&source.HTTPConfig{Base: "https://a.test", Header: http.Header{"A": {"hunter2\n"}}}, "line break"},
		{&source.HTTPConfig{Base: "https://a.test", Remote: source.Remote{Timeout: -1}}, "timeouts"},
		{&source.HTTPConfig{Base: "https://a.test", Remote: source.Remote{DownloadTimeout: -1}}, "timeouts"},
		{&source.HTTPConfig{Base: "https://a.test", Remote: source.Remote{MinRate: -1}}, "negative"},
		{&source.HTTPConfig{Base: "https://a.test", Remote: source.Remote{MaxSize: -1}}, "negative"},
		{&source.HTTPConfig{Base: "https://a.test", Remote: source.Remote{CacheBytes: 1000}}, "4 blocks"},
		{s3(func(c *source.S3Config) { c.Location = "bucket/x" }), "s3://bucket/prefix"},
		{s3(func(c *source.S3Config) { c.Location = "s3://" }), "bucket"},
		{s3(func(c *source.S3Config) { c.Location = "s3://a?b/x" }), "bucket"},
		{s3(func(c *source.S3Config) { c.Location = "s3://bucket/../x" }), "prefix"},
		{s3(func(c *source.S3Config) { c.Region = "a/b" }), "region"},
		{s3(func(c *source.S3Config) { c.Endpoint = "ceph.internal:7480" }), "endpoint"},
		{s3(func(c *source.S3Config) { c.SecretKey = "" }), "belong together"},
		{s3(func(c *source.S3Config) { c.AccessKey = "" }), "belong together"},
		{s3(func(c *source.S3Config) { c.AccessKey, c.SecretKey = "", "" }), "exactly one"},
		{s3(func(c *source.S3Config) { c.KeyFile = "/x" }), "exactly one"},
		{s3(func(c *source.S3Config) { c.SDKCredentials = true }), "exactly one"},
		{s3(func(c *source.S3Config) { c.CAFile, c.InsecureSkipVerify = "/x", true }), "exclude"},
		{s3(func(c *source.S3Config) { c.Timeout = -time.Second }), "timeouts"},
	} {
		_, err := source.New(c.config, source.Deps{Spool: newSpool(t, 0)})
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%+v: %v, want something about %q", c.config, err, c.reason)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats a secret: %v", err)
		}
	}
}

func TestRemoteSourcesNeedASpool(t *testing.T) {
	if _, err := source.New(&source.HTTPConfig{Base: "https://a.test"}, source.Deps{}); err == nil {
		t.Error("an HTTP source without a spool was made")
	}
}

// A constructor that reached out would keep a server with an archive that is down from starting.
func TestConstructorsTouchNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	spool, err := source.NewSpool(source.SpoolConfig{Dir: dir}, nil)
	must(t, err)
	for _, c := range []source.Config{
		&source.FolderConfig{Root: filepath.Join(dir, "images")},
		&source.HTTPConfig{Base: "http://archive.invalid/rest"},
		&source.S3Config{Location: "s3://bucket", Endpoint: "http://archive.invalid", AccessKey: "a", SecretKey: "b"},
		&source.S3Config{Location: "s3://bucket", SDKCredentials: true},
	} {
		s, err := source.New(c, source.Deps{Spool: spool})
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		must(t, s.Close())
	}
	if matches, _ := filepath.Glob(dir); len(matches) != 0 {
		t.Error("the folder of the spool was made")
	}
}
