package bolt

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// The buckets of jobs. A job has a row, and stands in one line: among those that wait for their time, those that are
// ready, those that run or those that have ended. A line's value is what counting needs, so that it reads no rows.
const (
	bucketJobs        = "jobs.v1"         // id: jobRow as JSON
	bucketJobsWaiting = "jobs.waiting.v1" // NotBefore, id
	bucketJobsReady   = "jobs.ready.v1"   // kind, 0, priority from the highest on, number in the order of acceptance
	bucketJobsRunning = "jobs.running.v1" // id
	bucketJobsEnded   = "jobs.ended.v1"   // Ended, id
	bucketJobsKeys    = "jobs.keys.v1"    // kind, 0, key: id of the job that has not ended
	bucketJobsLimits  = "jobs.limits.v1"  // name: times of accepted orders, the oldest first
	bucketJobsSweeps  = "jobs.sweeps.v1"  // name: time of the last one
)

// jobRow is a job as it lies in bucketJobs, and where it stands.
type jobRow struct {
	jobs.Job
	// Line is the bucket of its line, and Place its key there.
	Line  string
	Place []byte
}

// jobsTx is a transaction on jobs.
type jobsTx struct{ *bbolt.Tx }

func (tx jobsTx) bucket(name string) *bbolt.Bucket { return tx.Bucket([]byte(name)) }

// row is nil where there is no such job.
func (tx jobsTx) row(id string) (*jobRow, error) {
	value := tx.bucket(bucketJobs).Get([]byte(id))
	if value == nil {
		return nil, nil //nolint:nilnil // Absence is no error to most.
	}
	row := new(jobRow)
	if err := json.Unmarshal(value, row); err != nil {
		return nil, fmt.Errorf("job %s: %w", id, err)
	}
	return row, nil
}

// put writes a row and moves it to the line of its state. Those that are queued wait where their time has not come.
func (tx jobsTx) put(row *jobRow, now time.Time) error {
	if row.Line != "" {
		if err := tx.bucket(row.Line).Delete(row.Place); err != nil {
			return err
		}
	}
	switch {
	case row.State.Ended():
		row.Line, row.Place = bucketJobsEnded, append(sortable(row.Ended), row.ID...)
	case row.State == jobs.Running:
		row.Line, row.Place = bucketJobsRunning, []byte(row.ID)
	case row.NotBefore.After(now):
		row.Line, row.Place = bucketJobsWaiting, append(sortable(row.NotBefore), row.ID...)
	default:
		number, err := tx.bucket(bucketJobsReady).NextSequence()
		if err != nil {
			return err
		}
		row.Line, row.Place = bucketJobsReady, readyPlace(row.Kind, row.Priority, number)
	}
	if err := tx.bucket(row.Line).Put(row.Place, told(row)); err != nil {
		return err
	}
	if err := tx.holdKey(row); err != nil {
		return err
	}
	value, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return tx.bucket(bucketJobs).Put([]byte(row.ID), value)
}

// holdKey keeps a job's key for it until it ends.
func (tx jobsTx) holdKey(row *jobRow) error {
	if row.Key == "" {
		return nil
	}
	keys, key := tx.bucket(bucketJobsKeys), uniqueKey(row.Kind, row.Key)
	if !row.State.Ended() {
		return keys.Put(key, []byte(row.ID))
	}
	if bytes.Equal(keys.Get(key), []byte(row.ID)) {
		return keys.Delete(key)
	}
	return nil
}

// forget removes a job that has ended.
func (tx jobsTx) forget(row *jobRow) error {
	if err := tx.bucket(row.Line).Delete(row.Place); err != nil {
		return err
	}
	return tx.bucket(bucketJobs).Delete([]byte(row.ID))
}

func newID() string { return strings.ToLower(rand.Text()) }

func uniqueKey(kind, key string) []byte { return []byte(kind + "\x00" + key) }

// sortable is a time as bytes in its order.
func sortable(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())^1<<63) //nolint:gosec // Its bits are meant.
}

func fromSortable(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b)^1<<63)).UTC() //nolint:gosec // Its bits are meant.
}

const timeBytes = 8

func readyPlace(kind string, priority int, number uint64) []byte {
	place := append([]byte(kind), 0)
	place = binary.BigEndian.AppendUint64(place, ^(uint64(priority) ^ 1<<63)) //nolint:gosec // Its bits are meant.
	return binary.BigEndian.AppendUint64(place, number)
}

// orderBytes are the part of a place among the ready that is compared between kinds.
const orderBytes = 16

// told is the value of a job in its line.
func told(row *jobRow) []byte {
	value := append(sortable(row.Created), byte(len(row.State)))
	value = append(value, row.State...)
	value = append(value, byte(len(row.ID)))
	return append(append(value, row.ID...), row.Kind...)
}

// tellOf reads what told has written.
func tellOf(value []byte) (created time.Time, state jobs.State, id, kind string) {
	created, value = fromSortable(value), value[timeBytes:]
	state, value = jobs.State(value[1:1+value[0]]), value[1+value[0]:]
	return created, state, string(value[1 : 1+value[0]]), string(value[1+value[0]:])
}
