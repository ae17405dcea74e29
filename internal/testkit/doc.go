// Package testkit holds what tests need around the house: stand-ins for the systems that Gatehouse talks to, made-up
// pictures, a clock that tests move, a browser, and the real binary.
//
// A stand-in is a plain net/http server on a free loopback port. It records each request it gets and can be told to
// fail in the ways that real systems fail. Everything ends with the test that asked for it.
package testkit
