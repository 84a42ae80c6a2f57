package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The formats.
const (
	formatJSON   = "application/json"
	formatCSV    = "text/csv; charset=utf-8"
	formatNDJSON = "application/x-ndjson"
)

// negotiate picks the format by the parameter format=, else by the header Accept.
func negotiate(r *http.Request, ans *answer) (string, error) {
	var formats []string
	switch {
	case ans.list != nil:
		formats = []string{formatJSON, formatCSV, formatNDJSON}
	case ans.raw == nil:
		formats = []string{formatJSON}
	}
	if name := r.URL.Query().Get("format"); name != "" {
		for _, f := range formats {
			if f == map[string]string{"json": formatJSON, "csv": formatCSV, "ndjson": formatNDJSON}[name] {
				return f, nil
			}
		}
		return "", notAcceptable.of("format", "%q is not a format of this resource", clip(name))
	}
	if ans.raw != nil {
		return ans.raw.contentType, nil
	}
	best, weight := "", 0.0
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return formatJSON, nil
	}
	for part := range strings.SplitSeq(accept, ",") {
		media, args, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := args["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil { //nolint:forbidigo // a quality value, not a price
				continue
			}
		}
		for _, f := range formats {
			if q > weight && accepts(media, f) {
				best, weight = f, q
			}
		}
	}
	if best == "" {
		return "", notAcceptable.of("", "none of the accepted media types is a format of this resource")
	}
	return best, nil
}

func accepts(media, format string) bool {
	format, _, _ = strings.Cut(format, ";")
	kind, _, _ := strings.Cut(format, "/")
	return media == "*/*" || media == kind+"/*" || media == format
}

// encode writes an answer in a format, marked where it is simulated.
func encode(ans *answer, format string, simulated bool) ([]byte, error) {
	if ans.raw != nil {
		return ans.raw.body, nil
	}
	if ans.list == nil {
		body, err := json.Marshal(ans.value)
		if err == nil && simulated {
			body = markObject(body)
		}
		return body, err
	}
	if format == formatJSON {
		body := ans.list.document()
		if simulated {
			body = markObject(body)
		}
		return body, nil
	}
	rows, columns := ans.list.rows, ans.list.columns
	if simulated {
		columns = append(columns[:len(columns):len(columns)], "simulated")
		rows = make([][]byte, len(ans.list.rows))
		for i, row := range ans.list.rows {
			rows[i] = append(row[:len(row)-1:len(row)-1], `,"simulated":true}`...)
		}
	}
	if format == formatCSV {
		return asCSV(columns, rows)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return append(bytes.Join(rows, []byte("\n")), '\n'), nil
}

// markObject adds the mark to a JSON object.
func markObject(object []byte) []byte {
	if len(object) <= len("{}") {
		return []byte(`{"simulated":true}`)
	}
	return append([]byte(`{"simulated":true,`), object[1:]...)
}

// asCSV writes the columns of JSON objects as CSV. null is an empty field.
func asCSV(columns []string, rows [][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.Write(columns); err != nil {
		return nil, fmt.Errorf("encode CSV: %w", err)
	}
	for _, row := range rows {
		names, values, err := flatten(row)
		if err != nil {
			return nil, fmt.Errorf("encode CSV: %w", err)
		}
		values = only(columns, names, values)
		if err := w.Write(values); err != nil {
			return nil, fmt.Errorf("encode CSV: %w", err)
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// only returns the values of the columns. Both they and the names are in the order
// of the object; what has no column, such as an object that is null, is left out.
func only(columns, names, values []string) []string {
	kept := values[:0]
	for i, name := range names {
		if len(kept) < len(columns) && name == columns[len(kept)] {
			kept = append(kept, values[i])
		}
	}
	return kept
}

// flatten returns the names and the plain values of a JSON object, in its order.
func flatten(object []byte) (names, values []string, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		switch v := value.(type) {
		case []any, map[string]any:
			continue
		case nil:
			values = append(values, "")
		default:
			values = append(values, fmt.Sprint(v))
		}
		names = append(names, fmt.Sprint(name))
	}
	return names, values, nil
}
