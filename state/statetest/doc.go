// Package statetest is the conformance suite of the state engines: what a domain may rely on, whichever engine is
// configured. Each Run function tests one store interface.
//
// An engine is handed over as a function that opens the store of a test. Called again with the same test, it opens what
// that test has stored afresh, as a restarted server would; stores of different tests hold nothing of each other. The
// suite closes a store that is an io.Closer before it opens it again.
package statetest
