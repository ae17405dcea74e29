package caddymodule

import (
	"time"

	"go.uber.org/zap/zapcore"
)

// MarshalLogObject writes the fields of the access log: who by kind alone, never by name.
func (t *trace) MarshalLogObject(encoder zapcore.ObjectEncoder) error {
	if t.name != "" {
		encoder.AddString("collection", t.name)
	}
	encoder.AddString("principal", string(t.kind))
	encoder.AddString("decision", t.outcome)
	encoder.AddString("reason", t.code)
	encoder.AddFloat64("metadata_ms", milliseconds(t.metadata.Total()))
	encoder.AddFloat64("source_ms", milliseconds(t.source.Total()))
	encoder.AddFloat64("render_ms", milliseconds(t.render.Elapsed()))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
