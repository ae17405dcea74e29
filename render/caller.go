package render

import "context"

type callerKey struct{}

// WithCaller gives ctx who asks: a key by which renders are shared out fairly, empty for nobody in particular. It is
// compared and never shown.
func WithCaller(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, callerKey{}, key)
}

// CallerFrom is who asks, or empty.
func CallerFrom(ctx context.Context) string {
	key, _ := ctx.Value(callerKey{}).(string)
	return key
}
