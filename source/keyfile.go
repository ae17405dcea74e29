package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxKeyFile bounds a key file, in bytes; real ones have a few hundred.
const maxKeyFile = 64 << 10

// keyPair is one pair of credentials in the spellings that are in use.
type keyPair struct {
	AccessKey   string `json:"access_key"`
	SecretKey   string `json:"secret_key"`
	AccessKeyC  string `json:"accessKey"`
	SecretKeyC  string `json:"secretKey"`
	AccessKeyID string `json:"accessKeyId"`
	SecretKeyID string `json:"secretAccessKey"`
}

func (k keyPair) read() (access, secret string) {
	for _, pair := range [][2]string{{k.AccessKey, k.SecretKey}, {k.AccessKeyC, k.SecretKeyC}, {k.AccessKeyID, k.SecretKeyID}} {
		if pair[0] != "" && pair[1] != "" {
			return pair[0], pair[1]
		}
	}
	return "", ""
}

// readKeyFile reads S3 credentials from a JSON file: {"access_key": …, "secret_key": …}, the same in camel case, or
// what radosgw-admin prints of a user, with the pairs under "keys", of which the first counts. The error never shows
// what is in the file.
func readKeyFile(name string) (access, secret string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", "", errors.Unwrap(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return "", "", fmt.Errorf("cannot be read: %w", err)
	}
	if len(data) > maxKeyFile {
		return "", "", fmt.Errorf("longer than %d bytes", maxKeyFile)
	}
	var document struct {
		keyPair
		Keys []keyPair `json:"keys"`
	}
	if json.Unmarshal(data, &document) != nil {
		return "", "", errors.New("not a JSON object with keys as texts")
	}
	for _, pair := range append([]keyPair{document.keyPair}, document.Keys...) {
		if access, secret = pair.read(); access != "" {
			return access, secret, nil
		}
	}
	return "", "", errors.New(`neither "access_key" and "secret_key" nor "keys" with them`)
}
