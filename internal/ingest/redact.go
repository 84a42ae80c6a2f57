package ingest

import (
	"bytes"
	"encoding/binary"
	"net/url"
	"unicode/utf16"
)

// minSecret is the least length of a secret that is cut out of what is received. A
// shorter one would be found in innocent text, and is none.
const minSecret = 8

var redacted = []byte("REDACTED")

// redact cuts a secret out of what a source sent, before anything is kept of it: some
// echo the key in their messages. It is found as it is, as in an address, in UTF-16, and
// where the end of the text cuts it off.
func redact(text []byte, secret string) []byte {
	if len(secret) < minSecret {
		return text
	}
	for _, form := range [][]byte{
		[]byte(secret), []byte(url.QueryEscape(secret)), wide(secret, binary.LittleEndian), wide(secret, binary.BigEndian),
	} {
		text = bytes.ReplaceAll(text, form, redacted)
		for n := len(form) - 1; n >= minSecret/2; n-- {
			if bytes.HasSuffix(text, form[:n]) {
				text = append(bytes.Clone(text[:len(text)-n]), redacted...)
				break
			}
		}
	}
	return text
}

func wide(text string, order binary.AppendByteOrder) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}
