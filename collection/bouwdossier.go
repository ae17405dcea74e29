package collection

import (
	"net/http"
	"time"
)

const bouwdossierName = "bouwdossier"

// bouwdossierIdentifiers are the two forms of a building dossier's identifiers, less their extension:
//
//	edepot:SQ_28276-SQ-file9EyinW~SQ10263352_3    {source}:{district}_{dossier}~{barcode}_{filenr}
//	edepot:ST-00001-ST0001_00001.jpg              the older one, told apart by having no tilde
//
// A dossier may hold underscores and hyphens, a barcode as well: the file number is what follows the last underscore.
func bouwdossierIdentifiers() []string {
	return []string{
		`(?P<source>[^:~/]+):(?P<district>[A-Za-z0-9]+)_(?P<dossier>[^~/]+)~(?P<barcode>[^~/]+)_(?P<filenr>[0-9]{1,9})(?:\.[A-Za-z0-9]+)?`,
		`(?P<source>[^:~/]+):(?P<district>[A-Za-z0-9]+)-(?P<dossier>[^-_~/]+)-(?P<barcode>[^~/]+)_(?P<filenr>[0-9]{1,9})(?:\.[A-Za-z0-9]+)?`,
	}
}

// Conditions of the preset. Absent, null and unknown values are restricted and copyrighted.
const (
	dossierPublic  = `has(metadata.access) && metadata.access == "PUBLIC"`
	documentPublic = `has(document.access) && document.access == "PUBLIC"`
	copyrightFree  = `has(document.copyright) && document.copyright in settings.free_copyright`
	publicAndFree  = dossierPublic + ` && ` + documentPublic + ` && ` + copyrightFree

	// The three rights: BD/P counts from the mail login only, BD/X goes before BD/R before BD/P.
	mailRight     = `principal.kind == "mail_login" && "BD/P" in principal.scopes`
	readRight     = `"BD/R" in principal.scopes`
	extendedRight = `"BD/X" in principal.scopes`
)

// bouwdossier is the preset for building dossiers, with the decisions and texts of the City of Amsterdam's IIIF proxy.
func bouwdossier() PresetSpec {
	return PresetSpec{
		Name:              bouwdossierName,
		Identifier:        bouwdossierIdentifiers(),
		Groups:            []string{groupSource, "district", "dossier", "barcode", "filenr"},
		MetadataPath:      "iiif-metadata/bouwdossier/{district}_{dossier}/",
		Rules:             bouwdossierRules(),
		Cache:             []CacheRule{{For: 36 * time.Hour, Expr: publicAndFree}},
		Restricted:        `!(` + publicAndFree + `)`,
		FreeCopyright:     []string{"N"},
		DenyStatus:        http.StatusUnauthorized,
		InvalidIdentifier: "Invalid formatted url",
		check:             checkDossier,
		document:          findDocument,
		file:              findFile,
	}
}

// bouwdossierRules are in the order in which a request is refused: by the token, the scope, the source, the dossier,
// the document. Each needs no more facts than those before it and its own.
func bouwdossierRules() []Rule {
	return []Rule{
		{
			Name: "bouwdossier: token", Outcome: "deny", Code: "no_token",
			Status: http.StatusUnauthorized, Reason: "No token supplied",
			Expr: `principal.anonymous`,
		},
		{
			Name: "bouwdossier: scope", Outcome: "deny", Code: "invalid_scope",
			Status: http.StatusUnauthorized, Reason: "Invalid scope",
			Expr: `!(` + extendedRight + ` || ` + readRight + ` || ` + mailRight + `)`,
		},
		{
			Name: "bouwdossier: wabo by mail login", Outcome: "deny", Code: "wabo_mail_login",
			Reason: "WABO dossiers cannot be retrieved using the mail login access.",
			Expr:   `principal.kind == "mail_login" && identifier.source == "wabo"`,
		},
		{
			Name: "bouwdossier: special rights", Outcome: "allow", Code: "allowed",
			Expr: extendedRight,
		},
		{
			Name: "bouwdossier: dossier access", Outcome: "deny", Code: "access_restricted",
			Reason: "Document access is restricted",
			Expr:   `!(` + dossierPublic + `)`,
		},
		{
			Name: "bouwdossier: document access", Outcome: "deny", Code: "access_restricted",
			Reason: "Document access is restricted",
			Expr:   `!(` + documentPublic + `)`,
		},
		{
			Name: "bouwdossier: copyright", Outcome: "deny", Code: "copyright",
			Reason: "Document has copyright restriction",
			Expr:   `!(` + readRight + `) && !(` + copyrightFree + `)`,
		},
		{
			Name: "bouwdossier: public", Outcome: "allow", Code: "allowed",
			Expr: `true`,
		},
	}
}
