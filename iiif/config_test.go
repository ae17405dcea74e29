package iiif

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c := Config{Collection: "c"}.Defaults()
	if c.Prefix != "/iiif" || c.MaxWidth != 8192 || c.MaxHeight != 8192 || c.MaxArea != 0 || c.PublicMaxAge != time.Hour || c.BaseURL == nil {
		t.Errorf("the defaults are %+v", c)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c = Config{Collection: "c", MaxWidth: 1000, AtRoot: true, PublicMaxAge: -1}.Defaults()
	if c.MaxHeight != 1000 || c.Prefix != "" || c.PublicMaxAge != -1 {
		t.Errorf("what was set gave %+v", c)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config Config
		word   string
	}{
		{Config{}, "no name"},
		{Config{Collection: "c", Prefix: "iiif"}, `"iiif"`},
		{Config{Collection: "c", Prefix: "/iiif/"}, `"/iiif/"`},
		{Config{Collection: "c", Prefix: "/"}, `"/"`},
		{Config{Collection: "c", Prefix: "/a//b"}, `"/a//b"`},
		{Config{Collection: "c", Prefix: "/a b"}, "escape"},
		{Config{Collection: "c", Prefix: "/a%20b"}, "escape"},
		{Config{Collection: "c", Prefix: "/a?b"}, "escape"},
		{Config{Collection: "c", Prefix: "/a", AtRoot: true}, "root"},
		{Config{Collection: "c", MaxWidth: -1}, "-1"},
		{Config{Collection: "c", MaxHeight: -5}, "-5"},
		{Config{Collection: "c", MaxArea: -7}, "-7"},
	} {
		if _, err := New(c.config, &fakeImages{}, nil); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%+v: the error is %v, want it to name %s", c.config, err, c.word)
		}
	}
	if _, err := New(Config{Collection: "c"}, nil, nil); err == nil {
		t.Error("a handler without images was made")
	}
}

func TestRequestBaseIgnoresForgeableHeaders(t *testing.T) {
	t.Parallel()
	r := &http.Request{Host: "archive.example.org", Header: http.Header{
		"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.example.net"}, "Forwarded": {"host=evil.example.net"},
	}}
	if got := requestBase(r); got != "http://archive.example.org" {
		t.Errorf("the base is %s", got)
	}
	r.TLS = &tls.ConnectionState{}
	if got := requestBase(r); got != "https://archive.example.org" {
		t.Errorf("the base is %s", got)
	}
}
