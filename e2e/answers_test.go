package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// The answers of the dossier contract, §3: what the metadata server does becomes these texts.
func TestMetadataAnswers(t *testing.T) {
	h := newHouse(t, plan{metadata: "fresh 0"})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	for name, test := range map[string]struct {
		fault  testkit.Fault
		status int
		text   string
	}{
		"not found":   {testkit.Status(404), 404, "No metadata could be found for this dossier"},
		"failing":     {testkit.Status(500), 502, "We had a problem retrieving the metadata. We got status code 500"},
		"busy":        {testkit.Status(503), 502, "We had a problem retrieving the metadata. We got status code 503"},
		"forbidden":   {testkit.Status(403), 502, "We had a problem retrieving the metadata. We got status code 403"},
		"gone":        {testkit.Status(410), 502, "We had a problem retrieving the metadata. We got status code 410"},
		"no content":  {testkit.Status(204), 502, "We had a problem retrieving the metadata. We got status code 204"},
		"broken JSON": {testkit.WrongJSON(), 502, malformedMetadata},
		"a page":      {testkit.Answer("text/html", "<p>Log in</p>"), 502, malformedMetadata},
		"a list":      {testkit.Answer("application/json", `[]`), 502, malformedMetadata},
		"null":        {testkit.Answer("application/json", `null`), 502, malformedMetadata},
		"nothing":     {testkit.Answer("application/json", ``), 502, malformedMetadata},
		"two":         {testkit.Answer("application/json", `{} {}`), 502, malformedMetadata},
		"empty":       {testkit.Answer("application/json", `{}`), 404, "Document not found in metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			h.metadata.Fail(test.fault)
			defer h.metadata.Heal()
			for _, tail := range []string{"/info.json", imageTail, "?source_file=true"} {
				h.get("/iiif/2/"+edepotID("1", 0)+tail, h.roles("BD/X")...).text(t, test.status, test.text)
			}
		})
	}
	h.metadata.Down()
	h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", h.roles("BD/X")...).text(t, http.StatusBadGateway, "The iiif-metadata-server cannot be reached")
	h.metadata.Up()
	h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", h.roles("BD/X")...).size(t, 4, 4)
	if h.edepot.Count() == 0 {
		t.Error("the archive was never asked")
	}
	h.calm()
}

const malformedMetadata = "The iiif-metadata-server gave an answer that is not of the expected form"

// The log names the field whose shape is wrong; the caller learns nothing of it.
func TestLogNamesTheFieldOfWrongMetadata(t *testing.T) {
	h := newHouse(t, plan{metadata: "fresh 0"})
	for _, test := range []struct{ body, field string }{
		{`{"access": 7}`, "access"},
		{`{"documenten": {}}`, "documenten"},
		{`{"documenten": [null]}`, "documenten[0]"},
		{`{"documenten": [{"barcode": 1}]}`, "documenten[0].barcode"},
		{`{"documenten": [{}, {"access": true}]}`, "documenten[1].access"},
		{`{"documenten": [{"copyright": ["N"]}]}`, "documenten[0].copyright"},
		{`{"documenten": [{"bestanden": "a.jpg"}]}`, "documenten[0].bestanden"},
		{`{"documenten": [{"bestanden": [{"file_pad": 3}]}]}`, "documenten[0].bestanden[0].file_pad"},
	} {
		h.metadata.PutRaw("SU", "1", []byte(test.body))
		h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", h.roles("BD/R")...).text(t, http.StatusBadGateway, malformedMetadata)
		h.server.WaitLog(test.field + " is ")
	}
}

// A document that is not there is told only to who may see the dossier.
func TestMissingDocuments(t *testing.T) {
	h := newHouse(t, plan{})
	h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("2", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("3", "PUBLIC", "RESTRICTED", "N", "a.jpg"))
	h.metadata.Put(dossier("4", "PUBLIC", "PUBLIC", "Y", "a.jpg"))
	const missing, restricted, copyrighted = "Document not found in metadata", "Document access is restricted", "Document has copyright restriction"
	for _, test := range []struct {
		identifier, role, text string
		status                 int
	}{
		{"edepot:SU_1~E_0", "BD/R", missing, 404},
		{"edepot:SU_1~E_0", "BD/X", missing, 404},
		{"edepot:SU_2~E_0", "BD/R", restricted, 401},
		{"edepot:SU_2~E_0", "BD/X", missing, 404},
		{"edepot:SU_3~D_9", "BD/R", restricted, 401},
		{"edepot:SU_3~D_9", "BD/X", missing, 404},
		{"edepot:SU_4~D_9", "mail", copyrighted, 401},
		{"edepot:SU_4~D_9", "BD/R", missing, 404},
		{"edepot:SU_1~d_0", "BD/X", missing, 404},
	} {
		path := "/iiif/2/" + test.identifier + "/info.json"
		if test.role == "mail" {
			h.get(path+mailQuery()).text(t, test.status, test.text)
			continue
		}
		h.get(path, h.roles(test.role)...).text(t, test.status, test.text)
	}
	if n := h.edepot.Count(); n > 0 {
		t.Errorf("%d requests to the archive", n)
	}
}

// Which claims hold scopes is configuration; the forms of Keycloak and of older identity providers count by default.
func TestScopesStandInConfiguredClaims(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	roles := func(roles ...string) map[string]any { return map[string]any{"roles": roles} }
	tests := []struct {
		name    string
		claims  testkit.Claims
		refusal string
	}{
		{"a list of scopes", testkit.Claims{"scopes": []string{"BD/R"}}, ""},
		{"a text with scopes", testkit.Claims{"scope": "openid BD/R email"}, ""},
		{"realm roles", testkit.Claims{"realm_access": roles("BD/R")}, ""},
		{"client roles, which are not configured", testkit.Claims{"resource_access": map[string]any{"dossiers": roles("BD/R")}}, "Invalid scope"},
		{"a scope that only looks alike", testkit.Claims{"scope": "BD/RX bd/r BD/"}, "Invalid scope"},
		{"claims of other types", testkit.Claims{"scope": 7, "scopes": map[string]any{"BD/R": true}, "realm_access": "BD/R"}, "Invalid scope"},
		{"another issuer", testkit.Claims{"iss": "https://login.example.net", "scope": "BD/R"}, "Invalid JWT token"},
		{"another audience", testkit.Claims{"aud": "account", "scope": "BD/R"}, "Invalid JWT token"},
		{"an identity token", testkit.Claims{"typ": "ID", "scope": "BD/R"}, "Invalid JWT token"},
		{"no end", testkit.Claims{"exp": nil, "scope": "BD/R"}, "Invalid JWT token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			claims := h.idp.Claims()
			for name, value := range test.claims {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			}
			a := h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", "Authorization", "Bearer "+h.idp.Token("ES256", claims))
			if test.refusal != "" {
				a.text(t, http.StatusUnauthorized, test.refusal)
				return
			}
			a.size(t, 4, 4)
		})
	}
	t.Run("configured", func(t *testing.T) {
		h := newHouse(t, plan{issuer: "scope_claims resource_access.dossiers.roles"})
		h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
		claims := h.idp.Claims("BD/X")
		path := "/iiif/2/" + edepotID("1", 0) + "/info.json"
		h.get(path, "Authorization", "Bearer "+h.idp.Token("RS256", claims)).text(t, http.StatusUnauthorized, "Invalid scope")
		claims["resource_access"] = map[string]any{"dossiers": roles("BD/R"), "others": roles("BD/X")}
		h.get(path, "Authorization", "bearer "+h.idp.Token("RS256", claims)).size(t, 4, 4)
	})
}

// Frontends show a refusal's text as it is; who asks for problem details (RFC 9457) gets the same text in one.
func TestProblemDetails(t *testing.T) {
	h := newHouse(t, plan{metadata: "fresh 0"})
	h.metadata.Put(dossier("1", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
	for _, test := range []struct {
		path   string
		role   string
		status int
		text   string
	}{
		{"/iiif/2/" + edepotID("1", 0) + "/info.json", "", 401, "No token supplied"},
		{"/iiif/3/" + edepotID("1", 0) + imageTail, "BD/R", 401, "Document access is restricted"},
		{"/iiif/2/" + edepotID("2", 0) + "/info.json", "BD/X", 404, "No metadata could be found for this dossier"},
		{"/iiif/2/" + edepotID("1", 0) + "/info.json", "BD/X", 404, "No source file could be found"},
		{"/iiif/2/nothing/info.json", "BD/X", 400, "Invalid formatted url"},
	} {
		var credential []string
		if test.role != "" {
			credential = h.roles(test.role)
		}
		h.get(test.path, credential...).text(t, test.status, test.text)
		for accept, asked := range map[string]bool{
			problemJSON: true, "text/html, application/problem+json;q=0.5": true, "*/*": false, "application/json": false,
			"application/problem+json;q=0": false,
		} {
			a := h.get(test.path, append(credential, "Accept", accept)...)
			if !asked {
				a.text(t, test.status, test.text)
				continue
			}
			var document struct {
				Type, Title, Detail, Code string
				Status                    int
			}
			a.headers(t, "Content-Type", problemJSON, "Cache-Control", noStore, "Access-Control-Allow-Origin", "*")
			if err := json.Unmarshal(a.body, &document); err != nil {
				t.Errorf("%v in %q", err, a.body)
			}
			if a.status != test.status || document.Status != test.status || document.Detail != test.text || document.Type != "about:blank" ||
				document.Title != http.StatusText(test.status) || document.Code == "" {
				t.Errorf("%s with %q: %d %+v", test.path, accept, a.status, document)
			}
		}
	}
}

// The status of a decision against a caller is configuration; what is wrong with the credential itself stays 401.
func TestDenyStatusIsConfigured(t *testing.T) {
	h := newHouse(t, plan{collection: "deny_status 403"})
	h.metadata.Put(dossier("1", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("2", "PUBLIC", "PUBLIC", "Y", "a.jpg"))
	path := func(identifier string) string { return "/iiif/2/" + identifier + "/info.json" }
	h.get(path(edepotID("1", 0)), h.roles("BD/R")...).text(t, http.StatusForbidden, "Document access is restricted")
	h.get(path(edepotID("2", 0))+mailQuery()).text(t, http.StatusForbidden, "Document has copyright restriction")
	h.get(path("wabo:SU_1~D_0")+mailQuery()).text(t, http.StatusForbidden, "WABO dossiers cannot be retrieved using the mail login access.")
	h.get(path(edepotID("1", 0))).text(t, http.StatusUnauthorized, "No token supplied")
	h.get(path(edepotID("1", 0)), h.roles()...).text(t, http.StatusUnauthorized, "Invalid scope")
	h.get(path(edepotID("1", 0)), "Authorization", "Bearer x").text(t, http.StatusUnauthorized, "Invalid JWT token")
}

// Which values of copyright count as free is configuration, and takes the place of the default.
func TestFreeCopyrightIsConfigured(t *testing.T) {
	h := newHouse(t, plan{collection: "free_copyright NO VRIJ"})
	h.edepot.Put("a.jpg", "", testkit.JPEG(t, 4, 4))
	for i, test := range []struct {
		value any
		free  bool
	}{{"NO", true}, {"VRIJ", true}, {"N", false}, {"no", false}, {nil, false}, {testkit.Missing{}, false}, {"", false}} {
		number := strings.Repeat("1", i+1)
		h.metadata.Put(dossier(number, "PUBLIC", "PUBLIC", test.value, "a.jpg"))
		a := h.get("/iiif/2/" + edepotID(number, 0) + "/info.json" + mailQuery())
		if !test.free {
			a.text(t, http.StatusUnauthorized, "Document has copyright restriction")
			continue
		}
		a.size(t, 4, 4)
		a.headers(t, "Cache-Control", keep36Hours)
	}
}

// Both addresses of the health page answer, to anybody.
func TestHealth(t *testing.T) {
	h := newHouse(t, plan{})
	for _, path := range []string{"/status/health", "/iiif/status/health"} {
		a := h.get(path)
		if a.status != http.StatusOK || string(a.body) != "Connectivity OK" {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
		a.headers(t, "Cache-Control", noStore, "Content-Type", plainText)
	}
	h.metadata.Down()
	h.edepot.Down()
	h.get("/status/health").is(t, http.StatusOK)
}
