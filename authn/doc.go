// Package authn finds out who asks.
//
// An [Issuer] verifies bearer tokens (JWS in compact form, RFC 7515 and RFC 7519) with keys from a JWKS. [MailLogin]
// makes and verifies the tokens of mailed login links. An [Authenticator] reads the credential of a request and hands it
// to the one that its place in the request calls for; the token's own header never chooses who verifies it.
//
// Every refusal is a *problem.Error: 401 with Denial set for a bad credential, 503 while an issuer has no keys yet.
package authn
