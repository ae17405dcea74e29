package source

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseContentRange(t *testing.T) {
	for _, c := range []struct {
		header            string
		off, length, size int64
	}{
		{"bytes 0-0/1", 0, 1, 1},
		{"bytes 0-262143/9000000", 0, 262144, 9000000},
		{"bytes 5-9/10", 5, 5, 10},
		{"bytes 5-9/*", 5, 5, -1},
	} {
		off, length, size, err := parseContentRange(c.header)
		if err != nil || off != c.off || length != c.length || size != c.size {
			t.Errorf("%q = %d, %d, %d, %v", c.header, off, length, size, err)
		}
	}
	for _, header := range []string{
		"", "bytes", "bytes ", "bytes */10", "bytes 0-9", "bytes 0/10", "bytes -9/10", "bytes 0-/10", "bytes 0-9/", "bytes 0-10/10", "bytes 9-0/10",
		"bytes +0-9/10", "bytes 0-+9/10", "bytes 0-9/+10", "bytes 0 - 9/10", "bytes  0-9/10", "bytes 0-9/10 ", "bytes 0x0-9/10", "bytes ０-9/10",
		"Bytes 0-9/10", "bytes 0-9223372036854775807/*", "bytes 0-18446744073709551616/*", "bytes 0-9/9223372036854775808", "items 0-9/10",
	} {
		if off, length, size, err := parseContentRange(header); err == nil {
			t.Errorf("%q = %d, %d, %d", header, off, length, size)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-262143/9000000")
	f.Add("bytes 5-9/*")
	f.Add("bytes 9223372036854775806-9223372036854775806/9223372036854775807")
	f.Fuzz(func(t *testing.T, header string) {
		off, length, size, err := parseContentRange(header)
		if err != nil {
			return
		}
		if off < 0 || length <= 0 || off > math.MaxInt64-length || size != -1 && off+length > size {
			t.Fatalf("%q = %d, %d, %d", header, off, length, size)
		}
	})
}

func TestContentRangeIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.Int64Range(0, math.MaxInt64/4).Draw(t, "off")
		length := rapid.Int64Range(1, math.MaxInt64/4).Draw(t, "length")
		size := off + length + rapid.Int64Range(0, math.MaxInt64/4).Draw(t, "more")
		gotOff, gotLength, gotSize, err := parseContentRange(fmt.Sprintf("bytes %d-%d/%d", off, off+length-1, size))
		if err != nil || gotOff != off || gotLength != length || gotSize != size {
			t.Fatalf("%d, %d, %d, %v", gotOff, gotLength, gotSize, err)
		}
	})
}

func TestExactPart(t *testing.T) {
	modified := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	const text = "Thu, 01 Jan 2026 12:00:00 GMT"
	for name, c := range map[string]struct {
		given    validator
		modified time.Time
		answered time.Duration
		want     validator
		exact    bool
	}{
		"strong tag":             {validator{etag: `"1"`}, time.Time{}, 0, validator{etag: `"1"`}, true},
		"strong tag and date":    {validator{`"1"`, text}, modified, 0, validator{`"1"`, text}, true},
		"weak tag":               {validator{etag: `W/"1"`}, time.Time{}, time.Hour, validator{etag: `W/"1"`}, false},
		"weak tag and old date":  {validator{`W/"1"`, text}, modified, time.Hour, validator{modified: text}, true},
		"date of the same time":  {validator{modified: text}, modified, 0, validator{modified: text}, false},
		"date a second ago":      {validator{modified: text}, modified, time.Second, validator{modified: text}, true},
		"date in the future":     {validator{modified: text}, modified, -time.Hour, validator{modified: text}, false},
		"date that cannot be so": {validator{modified: "yesterday"}, time.Time{}, time.Hour, validator{modified: "yesterday"}, false},
		"nothing":                {validator{}, time.Time{}, time.Hour, validator{}, false},
	} {
		got, exact := exactPart(c.given, c.modified, modified.Add(c.answered))
		if got != c.want || exact != c.exact {
			t.Errorf("%s: %+v, %v, want %+v, %v", name, got, exact, c.want, c.exact)
		}
	}
}
