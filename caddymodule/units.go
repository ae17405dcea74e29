package caddymodule

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// ByteSize is a number of bytes. Its text form is a number with an optional unit: B, KB, MB, GB, TB (powers of 1000)
// or KiB, MiB, GiB, TiB (powers of 1024). In JSON it is that text, or a plain number of bytes.
type ByteSize int64

// Pixels is a number of pixels. Its text form is a number with an optional unit: MP (a million) or GP (1000 million).
// In JSON it is that text, or a plain number.
type Pixels int64

// Duration is a span of time. Its text form is Go's, with d for days: 90s, 36h, 30d. In JSON it is that text, or a
// number of nanoseconds.
type Duration time.Duration

// Dimensions is a size in pixels. Its text form is WIDTHxHEIGHT. In JSON it is that text.
type Dimensions struct{ Width, Height int }

type unit struct {
	suffix string
	factor float64
}

// Longer suffixes stand first, so that "MiB" is not taken for "B".
var (
	byteUnits = [...]unit{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
	}
	pixelUnits = [...]unit{{"MP", 1e6}, {"GP", 1e9}, {"", 1}}
)

func parseUnits(s string, units []unit) (int64, error) {
	for _, u := range units {
		digits, found := strings.CutSuffix(s, u.suffix)
		if !found || strings.TrimLeft(digits, "0123456789.") != "" {
			continue
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			break
		}
		if n *= u.factor; n > math.MaxInt64/2 {
			return 0, fmt.Errorf("%q is too large", s)
		}
		return int64(n), nil
	}
	names := make([]string, 0, len(units))
	for _, u := range units {
		if u.suffix != "" {
			names = append(names, u.suffix)
		}
	}
	return 0, fmt.Errorf("%q is not a number with one of the units %s", s, strings.Join(names, ", "))
}

func (b *ByteSize) parseText(s string) error {
	n, err := parseUnits(s, byteUnits[:])
	*b = ByteSize(n)
	return err
}

func (p *Pixels) parseText(s string) error {
	n, err := parseUnits(s, pixelUnits[:])
	*p = Pixels(n)
	return err
}

func (d *Duration) parseText(s string) error {
	parsed, err := caddy.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 36h or 30d", s)
	}
	if parsed < 0 {
		return fmt.Errorf("%q is negative", s)
	}
	*d = Duration(parsed)
	return nil
}

func (x *Dimensions) parseText(s string) error {
	width, height, found := strings.Cut(s, "x")
	w, errW := strconv.ParseUint(width, 10, 31)
	h, errH := strconv.ParseUint(height, 10, 31)
	if !found || errW != nil || errH != nil || w == 0 || h == 0 {
		return fmt.Errorf("%q is not WIDTHxHEIGHT in pixels, such as 8192x8192", s)
	}
	*x = Dimensions{Width: int(w), Height: int(h)}
	return nil
}

// unmarshalTextOr reads a JSON string by parse, or else a JSON number by set.
func unmarshalTextOr(data []byte, parse func(string) error, set func(int64)) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		return parse(s)
	}
	var n int64
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("%s is neither a text with a unit nor a whole number", data)
	}
	if n < 0 {
		return fmt.Errorf("%d is negative", n)
	}
	set(n)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *ByteSize) UnmarshalJSON(data []byte) error {
	return unmarshalTextOr(data, b.parseText, func(n int64) { *b = ByteSize(n) })
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Pixels) UnmarshalJSON(data []byte) error {
	return unmarshalTextOr(data, p.parseText, func(n int64) { *p = Pixels(n) })
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(data []byte) error {
	return unmarshalTextOr(data, d.parseText, func(n int64) { *d = Duration(n) })
}

// UnmarshalJSON implements json.Unmarshaler.
func (x *Dimensions) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s is not a text WIDTHxHEIGHT", data)
	}
	return x.parseText(s)
}

// MarshalJSON implements json.Marshaler.
func (x Dimensions) MarshalJSON() ([]byte, error) {
	return json.Marshal(fmt.Sprintf("%dx%d", x.Width, x.Height))
}

func (d Duration) std() time.Duration { return time.Duration(d) }

func (b *ByteSize) isZero() bool   { return *b == 0 }
func (p *Pixels) isZero() bool     { return *p == 0 }
func (d *Duration) isZero() bool   { return *d == 0 }
func (x *Dimensions) isZero() bool { return *x == Dimensions{} }
