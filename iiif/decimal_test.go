package iiif

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0": "0", "7": "7", "007": "7", "0.5": "0.5", ".5": "0.5", "1.50": "1.5", "2.000": "2", "33.3333": "33.3333",
		"33.333333333333336": "33.333333333333336", "0.30000000000000004": "0.30000000000000004",
		"18446744073709551615": "18446744073709551615", "0.0": "0", "1.00000000000000000000000": "1",
	} {
		got, ok := ParseDecimal(in)
		if !ok || got.String() != want {
			t.Errorf("ParseDecimal(%q) = %s, %t; want %s", in, got, ok, want)
		}
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", ".", "5.", "+1", "-1", "1e3", "1E3", "0x10", " 1", "1 ", "1,5", "1.2.3", "١", "1٠", "NaN", "Inf", "1_000",
		"18446744073709551616", "99999999999999999999", "0.123456789012345678", "1844674407370955161.99",
		strings.Repeat("0", 65),
	} {
		if got, ok := ParseDecimal(in); ok {
			t.Errorf("ParseDecimal(%q) = %s, want a refusal", in, got)
		}
	}
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"0": 0, "1": 1, "0010": 10, "2147483647": maxNumber} {
		if got, ok := parseNumber(in); !ok || got != want {
			t.Errorf("parseNumber(%q) = %d, %t; want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "2147483648", "18446744073709551617", "1.0", "-1", "+1", "a", "1 ", "٣", strings.Repeat("0", 65)} {
		if got, ok := parseNumber(in); ok {
			t.Errorf("parseNumber(%q) = %d, want a refusal", in, got)
		}
	}
}

func TestDecimalExceeds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"99.9": false, "100": false, "100.0": false, "100.00000000000000001": true, "101": true, "18446744073709551615": true,
	} {
		d, ok := ParseDecimal(in)
		if !ok || d.exceeds(100) != want {
			t.Errorf("%s exceeds 100: %t (read: %t), want %t", in, d.exceeds(100), ok, want)
		}
	}
}

// genDecimal draws any number that a URL may hold.
func genDecimal() *rapid.Generator[Decimal] {
	return rapid.Custom(func(t *rapid.T) Decimal {
		text := rapid.StringMatching(`[0-9]{1,4}(\.[0-9]{1,14})?`).Draw(t, "number")
		d, ok := ParseDecimal(text)
		if !ok {
			t.Fatalf("ParseDecimal(%q) refused", text)
		}
		return d
	})
}

// TestPercentOfIsExact compares with arbitrary precision, rounded half up.
func TestPercentOfIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := genDecimal().Draw(t, "percent")
		side := rapid.IntRange(0, maxNumber).Draw(t, "side")
		exact, ok := new(big.Rat).SetString(d.String())
		if !ok {
			t.Fatalf("%s is no number", d)
		}
		exact.Mul(exact, big.NewRat(int64(side), 100)).Add(exact, big.NewRat(1, 2))
		want := new(big.Int).Div(exact.Num(), exact.Denom())
		if want.Cmp(big.NewInt(maxNumber)) > 0 {
			want.SetInt64(maxNumber)
		}
		if got := d.percentOf(side); int64(got) != want.Int64() {
			t.Fatalf("%s%% of %d = %d, want %s", d, side, got, want)
		}
	})
}

func TestPercentOfRoundsHalfUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		percent string
		side    int
		want    int
	}{
		{"50", 3, 2}, {"50", 1, 1}, {"49.999", 1, 0}, {"33.3333", 300, 100}, {"33.3333", 3, 1}, {"12.5", 4, 1}, {"12.4", 4, 0},
		{"100", maxNumber, maxNumber}, {"18446744073709551615", maxNumber, maxNumber}, {"0.00000000000000001", maxNumber, 0},
	} {
		d, ok := ParseDecimal(c.percent)
		if got := d.percentOf(c.side); !ok || got != c.want {
			t.Errorf("%s%% of %d = %d, want %d", c.percent, c.side, got, c.want)
		}
	}
}
