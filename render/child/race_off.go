//go:build !race

package child

// raceDetector tells that the race detector is built in, which maps terabytes for writing.
const raceDetector = false
