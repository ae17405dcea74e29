package iiif

import (
	"hash/maphash"
	"sync/atomic"
)

// infoMemory remembers info.json documents in a table of constant size. A newer one takes the place of an older one whose
// hash is the same. Nothing is locked: a lost race costs one more document.
type infoMemory struct {
	seed  maphash.Seed
	slots [infoSlots]atomic.Pointer[rememberedInfo]
}

const (
	// infoSlots is for how many documents there is room, and maxRememberedInfo how long one may be, in bytes.
	infoSlots         = 4096
	maxRememberedInfo = 8 << 10
)

// infoQuestion is all that a document without a description of the collection's own depends on, besides the
// configuration.
type infoQuestion struct {
	id, contentType string
	version, page   int
	// original is the image's version.
	original string
	// What the decision takes away.
	outcome            string
	maxSide            int
	quality, watermark string
	// encoding is the renderer's.
	encoding string
}

// rememberedInfo is a document with its headers. It does not change.
type rememberedInfo struct {
	question   infoQuestion
	body       []byte
	etag, link string
}

func newInfoMemory() *infoMemory { return &infoMemory{seed: maphash.MakeSeed()} }

func (m *infoMemory) slot(q infoQuestion) *atomic.Pointer[rememberedInfo] {
	return &m.slots[maphash.Comparable(m.seed, q)%infoSlots]
}

// recall gives the document of a question, or nil.
func (m *infoMemory) recall(q infoQuestion) *rememberedInfo {
	if r := m.slot(q).Load(); r != nil && r.question == q {
		return r
	}
	return nil
}

func (m *infoMemory) remember(r *rememberedInfo) {
	if len(r.body) <= maxRememberedInfo {
		m.slot(r.question).Store(r)
	}
}

// infoQuestion is what the request's document depends on. known is false for what may change without any of it.
func (c *call) infoQuestion(img Image, contentType string, capabilities Capabilities) (q infoQuestion, known bool) {
	d := &c.decision
	return infoQuestion{
		id: c.id(), contentType: contentType, version: c.req.Version, page: c.req.Page, original: img.Version,
		outcome: string(d.Outcome), maxSide: d.MaxSide, quality: d.Quality, watermark: d.Watermark, encoding: capabilities.Encoding,
	}, c.config.Describe == nil && img.Version != ""
}
