package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// prices is deploy/terraform/prices.yaml.
type prices struct {
	Date   string
	Region string
	Hours  float64
	Prices map[string]price
	Usage  map[string]usage
	Free   map[string]string // type of resource -> why
}

type price struct {
	USD                       float64
	Unit, Basis, Source, Note string
}

// usage is what an environment uses in a month. Each name is one of prices.yaml, which says
// what it counts.
type usage struct {
	NATGB          float64            `yaml:"nat_gb"`
	EndpointGB     float64            `yaml:"endpoint_gb"`
	InternetGB     float64            `yaml:"internet_gb"`
	ZonesGB        float64            `yaml:"zones_gb"`
	RegionsGB      float64            `yaml:"regions_gb"`
	LCU            float64            `yaml:"lcu"`
	RequestsM      float64            `yaml:"requests_m"`
	KMSRequestsM   float64            `yaml:"kms_requests_m"`
	LogsGB         map[string]float64 `yaml:"logs_gb"`
	LogsCompressed float64            `yaml:"logs_compressed"`
	Pods           float64            `yaml:"pods"`
	Observations   map[string]float64 `yaml:"observations"`
	BucketsGB      map[string]float64 `yaml:"buckets_gb"`
	WritesM        float64            `yaml:"writes_m"`
	ReadsM         float64            `yaml:"reads_m"`
	ImagesGB       float64            `yaml:"images_gb"`
	Runs           map[string]float64 `yaml:"runs"`
	RunSeconds     float64            `yaml:"run_seconds"`
	RDSBackupGB    float64            `yaml:"rds_backup_gb"`
	BackupRDSGB    float64            `yaml:"backup_rds_gb"`
	BackupS3GB     float64            `yaml:"backup_s3_gb"`
	BackupCopyGB   float64            `yaml:"backup_copy_gb"`
	RestoreTests   float64            `yaml:"restore_tests"`
}

var bases = map[string]string{
	"quoted":  "AWS's price list, a bill or a cost tool, as public documents quote it",
	"global":  "the same in all commercial regions, as public documents say",
	"derived": "worked out from others",
	"memory":  "not verified",
}

func readPrices(path string) (*prices, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var p prices
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &p, nil
}

// findings are what the list itself must not have.
func (p *prices) findings() []string {
	var found []string
	if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
		found = append(found, "the list has no date")
	}
	for name, of := range p.Prices {
		if of.USD <= 0 || of.Unit == "" || bases[of.Basis] == "" || !strings.HasPrefix(of.Source, "https://") {
			found = append(found, fmt.Sprintf("%s needs a price, a unit, a basis and a source: %+v", name, of))
		}
		if of.Basis == "derived" && of.Note == "" {
			found = append(found, name+" is derived, and does not say how")
		}
	}
	for kind, reason := range p.Free {
		if reason == "" {
			found = append(found, kind+" is free without a reason")
		}
	}
	return found
}

func TestPrices(t *testing.T) {
	p, err := readPrices(sources + "/prices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range p.findings() {
		t.Error(finding)
	}
	broken := &prices{Date: "today", Prices: map[string]price{"a": {USD: 1, Unit: "hour", Basis: "hearsay", Source: "https://example.com"},
		"b": {USD: 1, Unit: "hour", Basis: "derived", Source: "https://example.com"}}, Free: map[string]string{"c": ""}}
	if found := broken.findings(); len(found) != 4 {
		t.Errorf("of a broken list: %q", found)
	}
}
