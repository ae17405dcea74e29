package conformance_test

import (
	"fmt"
	"strings"
)

// notForServers lists the demands that no server can be measured by.
func notForServers() string {
	var out strings.Builder
	out.WriteString("## Not for a server\n\nWhat the specifications demand of somebody else.\n\n| where | demand | why it is not checked |\n|---|---|---|\n")
	for _, row := range [][3]string{
		{"2.1.1 and 3.0 §2", "Special characters in prefix and identifier are encoded in addresses.", "For clients. That encoded ones are understood is checked in §3 and §9."},
		{"2.1.1 and 3.0 §2", "The base URI may behave otherwise for other headers and methods.", "An option that is not used."},
		{"2.1.1 and 3.0 §4.3", "Pictures turned by other angles are asked for in a format with transparency.", "For clients. The server's part is `4.3-09`."},
		{"2.1.1 §4.7, 3.0 §4.8", "Clients use canonical addresses.", "For clients. The forms are checked by the Link header."},
		{"2.1.1 §4.7, 3.0 §4.8", "Other forms may be redirected to the canonical one.", "An option that is not used."},
		{"2.1.1 §4.7, 3.0 §4.8", "The canonical Link header may be on info.json too.", "An option that is not used: the id is in it."},
		{"3.0 §4.7", "Whole numbers are used where possible; no zeros at the end; a zero before the dot.", "For clients. All forms are read, and the canonical form has them right."},
		{"3.0 §4.9", "Extensions are described in info.json.", "There are none among the parameters."},
		{"3.0 §5.1", "application/json where JSON-LD's media type cannot be sent.", "It can."},
		{"2.1.1 §5.1", "A client that wants JSON-LD says so.", "For clients. The server's part is `2-5.1-02` and `2-5.1-03`."},
		{"2.1.1 §5.2", "Listed sizes are asked for as w, with region full and rotation 0.", "For clients. All forms are answered."},
		{"2.1.1 §5.3, 3.0 §5.2", "Clients do not expect sizes over maxWidth, maxHeight and maxArea, and do not ask for them.", "For clients. They are refused: `4.2`."},
		{"2.1.1 §5.3, 3.0 §5.7", "Clients take features that are not listed as not supported.", "For clients. Nothing that works is left out: `2-5.3-09`, `3-5.7-05`."},
		{"2.1.1 §5.3", "Unknown URIs among the features are ignored.", "For clients; the server lists none."},
		{"2.1.1 §5.4", "attribution and logo are shown; their languages are chosen; logos are not cropped.", "For clients. That they are sent is `2-5.4-02`."},
		{"3.0 §5.6", "rights may be a URI that the registry of extensions has.", "It is sent as the operator writes it."},
		{"2.1.1 and 3.0 §6", "Levels may differ between images.", "An option; they differ by collection."},
		{"2.1.1 §7.1, 3.0 §7.2", "Clients expect redirects and 304, and take no body for granted.", "For clients."},
		{"2.1.1 §7.2, 3.0 §7.3", "401, 403, 500, 503 have their meaning.", "They come with policies and faults, which other tests measure."},
		{"2.1.1 and 3.0 §8", "Authentication is by another specification.", "Not part of this one."},
		{"2.1.1 and 3.0 §9", "Clients percent-encode / ? # [ ] @ % and what is not ASCII.", "For clients. That these are understood is `9-02`."},
		{"2.1.1 and 3.0 §9", "Servers that cannot take any identifier expose simple ones.", "Any identifier is taken."},
		{"Compliance §5", "What level 0 may leave out.", "Level 2 is announced."},
	} {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", row[0], cell(row[1]), cell(row[2]))
	}
	return out.String()
}
