package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// S3Config is a bucket, or a part of one, with originals.
type S3Config struct {
	// Location is s3://bucket/prefix. The prefix is a folder: a slash is put behind it.
	Location string
	// Endpoint is the URL of the S3 service. Default: Amazon's for the region.
	Endpoint string
	// Region that requests are signed for. Default us-east-1.
	Region string
	// AccessKey and SecretKey are the credentials, or KeyFile names a JSON file with them.
	AccessKey, SecretKey string
	KeyFile              string
	// SDKCredentials takes the credentials from where Amazon's tools take them: environment, shared files, the
	// machine's role. Only then does anything but Endpoint get asked for them.
	SDKCredentials bool
	// PathStyle puts the bucket into the path instead of the host name. It is implied where the host is an address or
	// the bucket's name cannot be part of a host name.
	PathStyle bool
	// CAFile names a PEM file with the only authorities that may sign the service's certificate. Empty: the system's.
	CAFile string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
	Remote
}

const (
	defaultRegion = "us-east-1"
	// s3Attempts is how often the SDK tries a request, within the source's time budget. The pauses between are short, so
	// that the answer is what the service said and not that the budget was used up.
	s3Attempts   = 3
	s3MaxBackoff = 500 * time.Millisecond
)

var (
	bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$`)
	hostLabel  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$`)
	regionName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
)

// Validate implements Config.
func (c *S3Config) Validate() error {
	bucket, prefix, err := parseLocation(c.Location)
	if err != nil {
		return err
	}
	if !bucketName.MatchString(bucket) {
		return fmt.Errorf("bucket %q is not a bucket's name", bucket)
	}
	if prefix != "" {
		if err := httpx.CheckPath(prefix); err != nil {
			return fmt.Errorf("the prefix: %w", err)
		}
	}
	if c.Region != "" && !regionName.MatchString(c.Region) {
		return fmt.Errorf("region %q holds something else than letters, digits and hyphens", c.Region)
	}
	if c.Endpoint != "" {
		if _, err := httpx.ParseBase(c.Endpoint); err != nil {
			return fmt.Errorf("endpoint: %w", err)
		}
	}
	if c.CAFile != "" && c.InsecureSkipVerify {
		return errors.New("a CA file and insecure_skip_verify exclude each other")
	}
	if (c.AccessKey == "") != (c.SecretKey == "") {
		return errors.New("access_key and secret_key belong together")
	}
	given := 0
	for _, is := range []bool{c.AccessKey != "", c.KeyFile != "", c.SDKCredentials} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errors.New("credentials come from exactly one of access_key with secret_key, key_file and sdk_credentials")
	}
	return c.validate()
}

// parseLocation takes s3://bucket/prefix apart; the prefix comes with a slash at its end, or empty.
func parseLocation(location string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(location, "s3://")
	if !ok {
		return "", "", errors.New("an S3 source is written as s3://bucket/prefix")
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket, prefix, nil
}

func (c *S3Config) build(d Deps) (Source, error) {
	place, err := c.place()
	if err != nil {
		return nil, err
	}
	return newRemote(KindS3, place, c.Remote, d)
}

// place connects to nothing yet.
func (c *S3Config) place() (*s3Place, error) {
	bucket, prefix, err := parseLocation(c.Location)
	if err != nil {
		return nil, err
	}
	provider, err := c.credentials()
	if err != nil {
		return nil, err
	}
	region, endpoint := c.Region, c.Endpoint
	setDefault(&region, defaultRegion)
	setDefault(&endpoint, "https://s3."+region+".amazonaws.com")
	base, err := httpx.ParseBase(endpoint)
	if err != nil {
		return nil, err
	}
	pathStyle := c.PathStyle || !canBeHost(bucket, base)
	origin := base.Scheme + "://" + base.Host
	if !pathStyle {
		origin = base.Scheme + "://" + bucket + "." + base.Host
	}
	client, err := httpx.NewClient(httpx.Options{
		Base:               origin,
		CAFile:             c.CAFile,
		InsecureSkipVerify: c.InsecureSkipVerify,
		MaxIdleConns:       c.MaxIdleConns,
	})
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	options := s3.Options{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		UsePathStyle: pathStyle,
		Credentials:  provider,
		HTTPClient:   client,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = s3Attempts
			o.MaxBackoff = s3MaxBackoff
		}),
		// Services other than Amazon's do not all know the newer checksums.
		RequestChecksumCalculation:                aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation:                aws.ResponseChecksumValidationWhenRequired,
		DisableLogOutputChecksumValidationSkipped: true,
		DisableS3ExpressSessionAuth:               aws.Bool(true),
	}
	return &s3Place{
		client: s3.New(options),
		http:   client,
		bucket: bucket,
		prefix: prefix,
	}, nil
}

// canBeHost tells whether a bucket can be addressed as bucket.host. A dot in its name would not match a wildcard
// certificate.
func canBeHost(bucket string, endpoint *url.URL) bool {
	host := endpoint.Hostname()
	return hostLabel.MatchString(bucket) && net.ParseIP(host) == nil && host != "localhost"
}

func (c *S3Config) credentials() (aws.CredentialsProvider, error) {
	switch {
	case c.SDKCredentials:
		return &sdkCredentials{region: c.Region}, nil
	case c.KeyFile != "":
		access, secret, err := readKeyFile(c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("key file %s: %w", c.KeyFile, err)
		}
		return credentials.NewStaticCredentialsProvider(access, secret, ""), nil
	}
	return credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""), nil
}

// sdkCredentials looks for credentials when they are first needed, since that may need the network.
type sdkCredentials struct {
	region string

	mu    sync.Mutex
	chain aws.CredentialsProvider
}

func (s *sdkCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chain == nil {
		config, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(s.region))
		if err != nil {
			return aws.Credentials{}, err
		}
		s.chain = config.Credentials
	}
	return s.chain.Retrieve(ctx)
}

var (
	_ Config                  = (*S3Config)(nil)
	_ aws.CredentialsProvider = (*sdkCredentials)(nil)
)
