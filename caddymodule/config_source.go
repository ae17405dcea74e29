package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/gatehouse-server/gatehouse/source"
)

// The kinds of source.
const (
	sourceFolder = "folder"
	sourceHTTP   = "http"
	sourceS3     = "s3"
)

// SourceConfig is a place where originals lie.
type SourceConfig struct {
	// "folder", "http" or "s3".
	Kind string `json:"kind"`
	// The folder, the base URL, or s3://bucket/prefix; {group} placeholders of the identifier may stand in the path.
	Location string `json:"location"`
	// http: headers of each request. Placeholders in values are replaced.
	Headers map[string]string `json:"header,omitempty"`
	// http, s3: certificates (PEM) to trust instead of the system's.
	CAFile string `json:"ca_file,omitempty"`
	// http, s3: takes any certificate.
	InsecureSkipVerify bool `json:"insecure_skip_verify,omitempty"`
	// http, s3: the time that finding and opening one original may take. Default: 25s.
	Timeout Duration `json:"timeout,omitempty"`
	// s3: the address of the service. Default: Amazon's for the region.
	Endpoint string `json:"endpoint,omitempty"`
	// s3: the region. Default: us-east-1.
	Region string `json:"region,omitempty"`
	// s3: credentials. Placeholders are replaced. With neither these nor key_file, they are taken from where Amazon's
	// tools take them: environment, shared files, the machine's role.
	AccessKey string `json:"access_key,omitempty"`
	SecretKey string `json:"secret_key,omitempty"`
	// s3: a JSON file with the credentials instead.
	KeyFile string `json:"key_file,omitempty"`
	// s3: puts the bucket into the path instead of the host name.
	PathStyle bool `json:"path_style,omitempty"`
}

// UnmarshalCaddyfile reads `KIND LOCATION { … }`; the dispenser stands on the source's name.
func (c *SourceConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Err("a source is one of: source NAME folder PATH, source NAME http URL, source NAME s3 s3://BUCKET/PREFIX")
	}
	c.Kind, c.Location = args[0], args[1]
	options := block{}
	switch c.Kind {
	case sourceFolder:
	case sourceHTTP:
		options = block{
			"header":               headers(&c.Headers),
			"ca_file":              text(&c.CAFile),
			"insecure_skip_verify": present(&c.InsecureSkipVerify),
			"timeout":              value(&c.Timeout),
		}
	case sourceS3:
		options = block{
			"endpoint":             text(&c.Endpoint),
			"region":               text(&c.Region),
			"access_key":           text(&c.AccessKey),
			"secret_key":           text(&c.SecretKey),
			"key_file":             text(&c.KeyFile),
			"path_style":           present(&c.PathStyle),
			"ca_file":              text(&c.CAFile),
			"insecure_skip_verify": present(&c.InsecureSkipVerify),
			"timeout":              value(&c.Timeout),
		}
	default:
		return d.Errf("source kind %q is not known; choose one of %s", c.Kind, choices([]string{sourceFolder, sourceHTTP, sourceS3}))
	}
	return options.parse(d, "source "+c.Kind)
}

func (c *SourceConfig) kind() source.Kind { return source.Kind(c.Kind) }
