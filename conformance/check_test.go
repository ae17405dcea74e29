package conformance_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// The strengths of a demand, by RFC 2119. RECOMMENDED counts as SHOULD, OPTIONAL as MAY. A demand is "ours" where the
// specification leaves the choice and we have made one.
const (
	must   = "MUST"
	should = "SHOULD"
	may    = "MAY"
	ours   = "ours"
)

// check is one demand and how it is measured.
type check struct {
	// number stays the same for ever: version, section, running number. A check that goes leaves a gap.
	number   string
	strength string
	section  string
	text     string
	// differs tells why we do not do what is demanded. run then measures what we do instead.
	differs string
	run     func(*probe)
}

// api is one version of the Image API.
type api struct {
	version int
	// whole is the size parameter of a request that shall not be scaled.
	whole string
}

func versions() []api { return []api{{2, "full"}, {3, "max"}} }

// check makes one of a section. A section that begins with C is one of the compliance document.
func (v api) check(section string, n int, strength, text string, run func(*probe)) check {
	name := "§" + section
	if rest, compliance := strings.CutPrefix(section, "C"); compliance {
		name = "Compliance §" + rest
	}
	return check{number: fmt.Sprintf("%d-%s-%02d", v.version, section, n), strength: strength, section: name, text: text, run: v.bind(run)}
}

// bind lets run see which version it measures.
func (v api) bind(run func(*probe)) func(*probe) {
	return func(p *probe) {
		p.api = v
		run(p)
	}
}

// group is a table of docs/conformance.md.
type group struct {
	title  string
	prefix string
	checks []check
}

func groups() []group {
	list := []group{
		{title: "Image API 2.1.1", prefix: "2-"},
		{title: "Image API 3.0", prefix: "3-"},
		{title: "info.json keeps its promises", prefix: "I-"},
		{title: "Pixels", prefix: "P-"},
		{title: "IIIF/image-validator", prefix: "V"},
		{title: "dbmdz/image-validator-ng", prefix: "NG"},
	}
	for _, c := range allChecks() {
		for i, g := range list {
			if strings.HasPrefix(c.number, g.prefix) {
				list[i].checks = append(list[i].checks, c)
			}
		}
	}
	return list
}

func allChecks() []check {
	var all []check
	for _, v := range versions() {
		for _, topic := range []func(api) []check{
			addressChecks, identifierChecks, parameterChecks, regionChecks, sizeChecks, rotationChecks, qualityChecks, formatChecks,
			orderChecks, numberChecks, canonicalChecks, infoRequestChecks, infoChecks, levelChecks, responseChecks, corsChecks,
			encodingChecks, securityChecks, complianceChecks,
		} {
			all = append(all, topic(v)...)
		}
	}
	all = append(all, promiseChecks()...)
	all = append(all, pixelChecks()...)
	all = append(all, validatorChecks()...)
	return append(all, validatorNGChecks()...)
}

// Numbers are what people refer to: each is there once, and each check says what it is.
func TestNumbersAreUnique(t *testing.T) {
	form := regexp.MustCompile(`^([23]-C?[0-9]+(\.[0-9A-Z]+)*-[0-9]{2}|[IP]-[0-9]{2}|(V|NG)[23]-[a-z0-9_]+)$`)
	seen := map[string]bool{}
	for _, c := range allChecks() {
		if seen[c.number] {
			t.Errorf("%s is there twice", c.number)
		}
		seen[c.number] = true
		if !form.MatchString(c.number) {
			t.Errorf("the number %q has another form than the others", c.number)
		}
		if c.text == "" || c.strength == "" || c.run == nil || !strings.HasSuffix(c.text, ".") {
			t.Errorf("%s is not whole: %q %q", c.number, c.strength, c.text)
		}
	}
	listed := 0
	for _, g := range groups() {
		listed += len(g.checks)
	}
	if listed != len(seen) {
		t.Errorf("%d checks are in the tables, %d are there", listed, len(seen))
	}
}
