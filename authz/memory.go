package authz

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// memory remembers decisions in a table of constant size. A newer one takes the place of an older one whose hash is the
// same. Nothing is locked: a lost race costs one more evaluation.
//
// Expressions see nothing but the caller, the request, the facts and the settings, so that the same of these give the
// same decision. A caller is the same only as the same verified credential, whose end authn keeps to.
type memory struct {
	seed  maphash.Seed
	slots [memorySlots]atomic.Pointer[remembered]
}

// memorySlots is for how many decisions there is room: those of the pages that are looked at in some minutes.
const memorySlots = 8192

// remembered is a decision and what it was made of. It does not change.
type remembered struct {
	who *principal.Principal
	req RequestInfo
	// known is how many of the facts were looked at, revision what they were.
	known    stage
	revision uint64
	decision Decision
}

func newMemory() *memory { return &memory{seed: maphash.MakeSeed()} }

// question is what a decision is found by.
type question struct {
	who *principal.Principal
	req RequestInfo
}

func (m *memory) slot(who *principal.Principal, req RequestInfo) *atomic.Pointer[remembered] {
	return &m.slots[maphash.Comparable(m.seed, question{who, req})%memorySlots]
}

// recall gives a decision that holds, once the facts that it was made of have been looked at anew. Where they cannot be
// had, an evaluation tells why.
func (m *memory) recall(ctx context.Context, who *principal.Principal, req RequestInfo, facts Revised) (Decision, bool) {
	r := m.slot(who, req).Load()
	if r == nil || r.who != who || r.req != req {
		return Decision{}, false
	}
	if ctx.Err() != nil {
		return Decision{}, false
	}
	if r.known >= stageMetadata {
		if _, err := facts.Metadata(ctx); err != nil || facts.Revision() != r.revision {
			return Decision{}, false
		}
	}
	return r.decision, true
}

func (m *memory) remember(who *principal.Principal, req RequestInfo, known stage, facts Revised, decision Decision) {
	m.slot(who, req).Store(&remembered{who: who, req: req, known: known, revision: facts.Revision(), decision: decision})
}
