// Package web is the dashboard of bourse: pages rendered on the server, with their
// built assets, embedded in the binary.
//
// The pages know nothing that the API does not say. Each is made from answers of
// /api/v1, got by calling the API's handler in the same process or, where the API is
// a service of its own, a proxy to it. Everything works without scripts; what the
// scripts in web/ add is fetched as the same pages again and put in place, so that a
// number is formatted in one place only.
//
// A reader who signs in has an API key in a cookie (session.go), with which the pages
// and their scripts read what is for holders of a key.
//
// Prices stay the text that the API wrote. A float is made of one only to draw it.
package web
