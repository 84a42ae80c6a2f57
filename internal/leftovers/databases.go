package leftovers

import (
	"context"
	"strings"
	"time"
)

type databases struct {
	rdsPage
	Databases []struct {
		ID          string    `xml:"DBInstanceIdentifier"`
		ARN         string    `xml:"DBInstanceArn"`
		Status      string    `xml:"DBInstanceStatus"`
		SubnetGroup string    `xml:"DBSubnetGroup>DBSubnetGroupName"`
		CreateTime  time.Time `xml:"InstanceCreateTime"` // zero while it is made
		Storage     int32     `xml:"AllocatedStorage"`   // GiB
	} `xml:"DBInstances>DBInstance"`
}

// databases finds the database, and what a restore test has restored beside it.
func (r region) databases(ctx context.Context) ([]Finding, error) {
	var found []Finding
	for page, err := range answers[databases](ctx, r.rds(), "DescribeDBInstances", nil) {
		if err != nil {
			return found, err
		}
		for _, db := range page.Databases {
			var why string
			switch r.owner.name {
			case db.ID:
				why = "its name"
			case db.SubnetGroup:
				why = "in the subnet group " + db.SubnetGroup
			default:
				continue
			}
			found = append(found, Finding{
				State: Left, ID: db.ID, Why: joined(why, db.Status), arns: []string{db.ARN},
				Since: db.CreateTime, Cost: "by the hour, " + gib(db.Storage),
			})
		}
	}
	return found, nil
}

type databaseSnapshots struct {
	rdsPage
	Snapshots []struct {
		ID         string    `xml:"DBSnapshotIdentifier"`
		ARN        string    `xml:"DBSnapshotArn"`
		Database   string    `xml:"DBInstanceIdentifier"`
		Type       string    `xml:"SnapshotType"`
		CreateTime time.Time `xml:"SnapshotCreateTime"` // zero while it is made
		Storage    int32     `xml:"AllocatedStorage"`   // GiB
	} `xml:"DBSnapshots>DBSnapshot"`
}

// databaseSnapshots finds snapshots of the database. The final one is what a destroy is
// to leave. Those of AWS Backup are in its vaults.
func (r region) databaseSnapshots(ctx context.Context) ([]Finding, error) {
	var found []Finding
	for page, err := range answers[databaseSnapshots](ctx, r.rds(), "DescribeDBSnapshots", nil) {
		if err != nil {
			return found, err
		}
		for _, snapshot := range page.Snapshots {
			if snapshot.Database != r.owner.name || snapshot.Type == "awsbackup" {
				continue
			}
			f := Finding{
				State: Left, ID: snapshot.ID, Why: "of the database, " + snapshot.Type, arns: []string{snapshot.ARN},
				Since: snapshot.CreateTime, Cost: "up to " + gib(snapshot.Storage),
			}
			if strings.HasPrefix(f.ID, r.owner.name+"-final-") {
				f.State, f.Why = Kept, "the final snapshot"
			}
			found = append(found, f)
		}
	}
	return found, nil
}

type automatedBackups struct {
	rdsPage
	Backups []struct {
		ID         string    `xml:"DbiResourceId"`
		ARN        string    `xml:"DBInstanceAutomatedBackupsArn"`
		Database   string    `xml:"DBInstanceIdentifier"`
		Status     string    `xml:"Status"`
		CreateTime time.Time `xml:"InstanceCreateTime"`
		Storage    int32     `xml:"AllocatedStorage"` // GiB
	} `xml:"DBInstanceAutomatedBackups>DBInstanceAutomatedBackup"`
}

// automatedBackups finds those that were retained when their database was deleted.
func (r region) automatedBackups(ctx context.Context) ([]Finding, error) {
	var found []Finding
	for page, err := range answers[automatedBackups](ctx, r.rds(), "DescribeDBInstanceAutomatedBackups", nil) {
		if err != nil {
			return found, err
		}
		for _, backup := range page.Backups {
			if backup.Database != r.owner.name || backup.Status == "active" { // that goes with its database
				continue
			}
			found = append(found, Finding{
				State: Left, ID: backup.ID, Why: joined("of the database", backup.Status), arns: []string{backup.ARN},
				Since: backup.CreateTime, Cost: "up to " + gib(backup.Storage),
			})
		}
	}
	return found, nil
}
