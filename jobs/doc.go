// Package jobs is work that is accepted now and done later: a contract for queues that survive restarts.
//
// A [Store] keeps jobs in the same transactions as what causes them. A worker takes a job under a [Lease]: a fencing number
// that grows each time the job is taken. It says again and again that it lives; a job whose worker fell silent is taken
// by another, and what the first one still writes is refused by its number, however late it comes. So a job is done by one
// worker at a time, whatever happens to processes, clocks and disks, and at least once.
//
// A job that fails is tried again after a pause that grows, up to its number of attempts; then it stays, failed, where an
// operator sees it and may have it tried once more.
package jobs
