package authn

import "time"

// Bounds on what tokens with an unknown kid can cause.
const (
	// unknownKeyPause is the time after a fetch for an unknown kid in which no other is made.
	unknownKeyPause = 30 * time.Second
	// unknownKeyLife is how long a kid that a fetch did not bring is known to be unknown.
	unknownKeyLife = 2 * time.Minute
	// maxUnknownKeys bounds the list of them.
	maxUnknownKeys = 64
)

// unknownKeys remembers a few kids that the identity provider does not have. Its user locks.
type unknownKeys struct {
	until map[string]time.Time
}

func (u *unknownKeys) has(id string, now time.Time) bool {
	until, found := u.until[id]
	return found && now.Before(until)
}

// add makes room by forgetting what ends first.
func (u *unknownKeys) add(id string, now time.Time) {
	if u.until == nil {
		u.until = make(map[string]time.Time)
	}
	if _, found := u.until[id]; !found && len(u.until) >= maxUnknownKeys {
		first, ends := "", time.Time{}
		for other, until := range u.until {
			if ends.IsZero() || until.Before(ends) {
				first, ends = other, until
			}
		}
		delete(u.until, first)
	}
	u.until[id] = now.Add(unknownKeyLife)
}
