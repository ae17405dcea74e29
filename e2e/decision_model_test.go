package e2e_test

import (
	"net/http"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// The model says in the words of the dossier contract (§4, §5 and §8) what a caller must be answered. It knows nothing
// of how the server decides.

// caller is a way to come, with or without a credential.
type caller struct {
	name string
	// token and query are sent: as a bearer token, and as the login link's `?auth=`.
	token, query string
	// refusal is the text of §4 for a credential that counts for nothing.
	refusal string
	// scope is the highest one that counts: BD/P, BD/R or BD/X.
	scope string
	// byMail tells that the mail token is the one that counts.
	byMail bool
}

// question is a combination of everything that a decision may depend on.
type question struct {
	dossierAccess, documentAccess, copyright any
	caller                                   caller
	source                                   string
	endpoint                                 endpoint
}

// endpoint is a kind of address.
type endpoint struct {
	name, version, tail, query string
	contentType                string // of a success
	redirects                  bool
}

func endpoints() []endpoint {
	return []endpoint{
		{name: "info 2", version: "2", tail: "/info.json", contentType: "application/json"},
		{name: "info 3", version: "3", tail: "/info.json", contentType: `application/ld+json;profile="http://iiif.io/api/image/3/context.json"`},
		{name: "image 2", version: "2", tail: imageTail, contentType: "image/jpeg"},
		{name: "image 3", version: "3", tail: imageTail, contentType: "image/jpeg"},
		{name: "original", version: "2", query: "source_file=true", contentType: "image/jpeg"},
		{name: "base", version: "2", redirects: true},
	}
}

// verdict is what the contract asks for.
type verdict struct {
	status int
	// text is the whole body of a refusal.
	text string
	// kept tells that the caller's own cache may keep the answer for 36 hours.
	kept bool
	// metadata and archive tell who has to be asked at all.
	metadata, archive bool
}

// judge is §5: token, scope, source, the wabo rule, and only then metadata.
func judge(q question) verdict {
	refuse := func(status int, text string) verdict { return verdict{status: status, text: text} }
	switch {
	case q.caller.refusal != "":
		return refuse(http.StatusUnauthorized, q.caller.refusal)
	case q.source != "edepot" && q.source != "wabo":
		return refuse(http.StatusBadRequest, "Invalid formatted url")
	case q.source == "wabo" && q.caller.byMail:
		return refuse(http.StatusUnauthorized, "WABO dossiers cannot be retrieved using the mail login access.")
	}
	v := judgeDossier(q)
	v.metadata = true
	v.archive = v.status == http.StatusOK
	if v.status == http.StatusOK && q.endpoint.redirects {
		v.status, v.archive = http.StatusSeeOther, false
	}
	return v
}

// judgeDossier is the table of §5 and the cache rule of §8.
func judgeDossier(q question) verdict {
	if !textOrNothing(q.dossierAccess) || !textOrNothing(q.documentAccess) || !textOrNothing(q.copyright) {
		return verdict{status: http.StatusBadGateway, text: "The iiif-metadata-server gave an answer that is not of the expected form"}
	}
	public := q.dossierAccess == "PUBLIC" && q.documentAccess == "PUBLIC"
	copyrighted := q.copyright != "N"
	switch {
	case !public && q.caller.scope != "BD/X":
		return verdict{status: http.StatusUnauthorized, text: "Document access is restricted"}
	case copyrighted && q.caller.scope == "BD/P":
		return verdict{status: http.StatusUnauthorized, text: "Document has copyright restriction"}
	}
	return verdict{status: http.StatusOK, kept: public && !copyrighted}
}

// textOrNothing is the shape that §3 gives to access and copyright.
func textOrNothing(v any) bool {
	switch v.(type) {
	case nil, testkit.Missing, string:
		return true
	}
	return false
}
