// Package clienttest has clients of others talk to package resp. It is a module of
// its own, so that they never enter a user's go.mod.
package clienttest
