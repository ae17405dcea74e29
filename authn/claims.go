package authn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far two clocks may differ before exp, nbf and iat are held against a token.
const clockSkew = 30 * time.Second

// maxNumericDate is the end of the year 9999, in seconds: later dates are mistakes, such as milliseconds.
const maxNumericDate = 253402300799

// claims are the members of a token's payload, as JSON decodes them.
type claims map[string]any

// text gives a claim that is a string; any other is empty.
func (c claims) text(name string) string {
	value, _ := c[name].(string)
	return value
}

// date reads a NumericDate (RFC 7519 §2).
func (c claims) date(name string) (at time.Time, found bool, err error) {
	value, found := c[name]
	if !found {
		return time.Time{}, false, nil
	}
	seconds, ok := value.(float64)
	if !ok || seconds < 0 || seconds > maxNumericDate {
		return time.Time{}, true, fmt.Errorf("the claim %s is no date", name)
	}
	return time.Unix(int64(seconds), 0), true, nil
}

// checkTimes answers with a refusal, or with the time at which the token ends. exp is required.
func (c claims) checkTimes(now time.Time) (time.Time, error) {
	ends, found, err := c.date("exp")
	if err != nil {
		return time.Time{}, invalid(err)
	}
	if !found {
		return time.Time{}, invalid(errors.New("the claim exp is missing"))
	}
	for _, name := range []string{"nbf", "iat"} {
		from, _, err := c.date(name)
		if err != nil {
			return time.Time{}, invalid(err)
		}
		if from.After(now.Add(clockSkew)) {
			return time.Time{}, invalid(fmt.Errorf("the claim %s lies in the future", name))
		}
	}
	if !now.Before(ends.Add(clockSkew)) {
		return time.Time{}, expired(fmt.Errorf("expired %s ago", now.Sub(ends).Round(time.Second)))
	}
	return ends, nil
}

// audiences reads aud, which is a string or a list of strings (RFC 7519 §4.1.3).
func (c claims) audiences() []string {
	if one, ok := c["aud"].(string); ok {
		return []string{one}
	}
	many, _ := textList(c["aud"])
	return many
}

// email finds the mail address that the token vouches for: sub where it is one, else email, unless the issuer says that
// nobody has verified it.
func (c claims) email() string {
	if sub := c.text("sub"); looksLikeEmail(sub) {
		return sub
	}
	if verified, found := c["email_verified"]; found && verified != true {
		return ""
	}
	if address := c.text("email"); looksLikeEmail(address) {
		return address
	}
	return ""
}

// looksLikeEmail keeps user ids and anything with a space or control character out. Who sends mail checks the whole
// grammar.
func looksLikeEmail(s string) bool {
	unfit := func(r rune) bool { return r <= ' ' || r == 0x7f }
	return strings.Count(s, "@") == 1 && !strings.HasPrefix(s, "@") && !strings.HasSuffix(s, "@") && !strings.ContainsFunc(s, unfit)
}

// intersects tells whether the lists share a member.
func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
