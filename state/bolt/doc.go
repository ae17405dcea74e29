// Package bolt keeps state in one bbolt file, for a server that runs on one node.
//
// One [Engine] serves each directory; it implements the store interfaces of the domains. bbolt allows one process a
// file: a second one is refused, with PostgreSQL named as the way to run several.
package bolt
