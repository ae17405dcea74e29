// Command generate makes what the demo serves: originals as an archive keeps them, the metadata about them, secrets of
// its own, and an env file with the ports that the demo's Caddyfile reads. It needs nothing but Go.
//
// What exists already is kept, so that a second start is quick; a new version of this program makes all anew.
package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed *.go
var program embed.FS

func main() {
	out := flag.String("out", "demo/.run", "the folder to fill")
	port := flag.Int("port", 8080, "the port of the page; the next free one is taken when somebody has it")
	flag.Parse()
	if err := run(*out, *port); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(out string, port int) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := collect(out); err != nil {
		return err
	}
	if err := makeSecrets(filepath.Join(out, "secrets")); err != nil {
		return err
	}
	return writeEnv(out, port)
}

// collect makes originals, metadata and the catalog.
func collect(out string) error {
	makers, err := contents()
	if err != nil {
		return err
	}
	edition, err := digest()
	if err != nil {
		return err
	}
	stamp := filepath.Join(out, "edition")
	if made, err := os.ReadFile(stamp); err != nil || string(made) != edition {
		if err := os.RemoveAll(filepath.Join(out, "archive")); err != nil {
			return err
		}
		// From here on, what is there is of this edition, also after a run that was cut off.
		if err := write(stamp, []byte(edition), 0o600); err != nil {
			return err
		}
	}
	for name, build := range makers {
		path := filepath.Join(out, "archive", filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			continue
		}
		fmt.Fprintln(os.Stderr, "making", name)
		data, err := build()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := write(path, data, 0o600); err != nil {
			return err
		}
	}
	all := dossiers()
	for _, d := range all {
		data, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return err
		}
		path := filepath.Join(out, "metadata", "iiif-metadata", "bouwdossier", d.District+"_"+d.Number, "index.json")
		if err := write(path, data, 0o600); err != nil {
			return err
		}
	}
	data, err := catalog(all)
	if err != nil {
		return err
	}
	return write(filepath.Join(out, "public", "catalog.json"), data, 0o600)
}

// digest names this version of the program by its own text.
func digest() (string, error) {
	sum := sha256.New()
	names, err := fs.Glob(program, "*.go")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := program.ReadFile(name)
		if err != nil {
			return "", err
		}
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// write puts a file in place in one step, so that a killed run leaves no half of one.
func write(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", data, mode); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
