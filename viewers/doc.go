// Package viewers has only tests: the viewers that people use for IIIF, unchanged and in a real browser, show what the
// server serves.
package viewers
