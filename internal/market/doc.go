// Package market is the domain of bourse: instruments, bars, calendars, runs and
// payloads, with their validation and their errors.
//
// Three rules hold everywhere:
//
//   - Prices are decimals from the text a source wrote to the text the API writes.
//     No price passes through a float64; statistics may.
//   - Days are dates ([Date]), not instants. Instants are UTC.
//   - Nothing is overwritten. A value that changes becomes a revision: the old one
//     keeps its time and its payload, so that what was known at any time can be
//     asked again.
//
// The package imports the standard library and one decimal type, nothing else.
package market
