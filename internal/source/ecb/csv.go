package ecb

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"unicode/utf8"

	"bourse/internal/market"
)

// maxHistory bounds the history file once unpacked; it was 1.9 MB in 2026.
const maxHistory = 64 << 20

func (t *table) readHistory(body []byte) error {
	text, err := unzip(body)
	if err != nil {
		return err
	}
	text = bytes.TrimPrefix(text, byteOrderMark)
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return market.Malformed("the file in the archive is not UTF-8 text")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return market.Malformed("no header: %v", err)
	}
	currencies, err := columns(head)
	if err != nil {
		return err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, csv.ErrFieldCount) {
			return market.Drift("a row has %d fields, the header has %d", len(row), len(head))
		}
		if err != nil {
			return market.Malformed("not CSV: %v", err)
		}
		day, err := market.ParseDate(row[0])
		if err != nil {
			return market.Drift("date of a row: %v", err)
		}
		for i, currency := range currencies {
			t.add(currency, day, row[i+1])
		}
	}
}

// columns returns the currencies of a header. Every line ends in a comma, so the
// last column has no name and is dropped.
func columns(head []string) ([]string, error) {
	if head[0] != "Date" {
		return nil, market.Drift("the first column is %q, not Date", clip(head[0]))
	}
	var list []string
	for i, name := range head[1:] {
		if name == "" && i == len(head)-2 {
			break
		}
		if !isCurrency(name) {
			return nil, market.Drift("column %d is %q, not a currency", i+2, clip(name))
		}
		list = append(list, name)
	}
	return list, nil
}

// unzip returns the only file of an archive.
func unzip(body []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, market.Malformed("not a zip archive: %v", err)
	}
	if len(z.File) != 1 {
		return nil, market.Drift("%d files in the archive", len(z.File))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, market.Malformed("zip archive: %v", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHistory+1))
	if err != nil {
		return nil, market.Malformed("zip archive: %v", err)
	}
	if len(text) > maxHistory {
		return nil, market.Drift("the file in the archive is larger than %d bytes", maxHistory)
	}
	return text, nil
}
