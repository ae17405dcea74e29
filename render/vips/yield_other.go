//go:build !linux

package vips

// yield does nothing: priorities are those of whole processes here.
func yield() {}
