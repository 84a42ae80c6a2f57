// Package drills breaks one thing at a time in a real cluster, under load, and measures
// what it costs. It has tests only; see README.md.
package drills
