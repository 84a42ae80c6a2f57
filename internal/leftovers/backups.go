package leftovers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
)

// backupVaults finds the vault and that of the copies, each with its recovery points in
// one line. Copies, and what a lock protects, are kept on purpose.
func (r region) backupVaults(ctx context.Context) ([]Finding, error) {
	client := backup.NewFromConfig(r.aws)
	var found []Finding
	var failed []error
	input := &backup.ListBackupVaultsInput{}
	next := func(page *backup.ListBackupVaultsOutput) *string { return page.NextToken }
	for page, err := range pages(ctx, client.ListBackupVaults, input, &input.NextToken, next) {
		if err != nil {
			return found, err
		}
		for _, vault := range page.BackupVaultList {
			copies := aws.ToString(vault.BackupVaultName) == r.owner.name+"-copy"
			if !copies && aws.ToString(vault.BackupVaultName) != r.owner.name {
				continue
			}
			f, points, err := vaultFinding(ctx, client, vault)
			if err != nil {
				failed = append(failed, fmt.Errorf("recovery points of %s: %w", f.ID, told(err)))
			}
			switch {
			case points > 0 && copies:
				f.State, f.Why = Kept, joined("copies", f.Why)
			case points > 0 && aws.ToBool(vault.Locked):
				f.State, f.Why = Kept, joined("locked", f.Why)
			}
			found = append(found, f)
		}
	}
	return found, errors.Join(failed...)
}

// vaultFinding counts what is in a vault.
func vaultFinding(ctx context.Context, client *backup.Client, vault types.BackupVaultListMember) (f Finding, points int, err error) {
	f = Finding{
		State: Left, ID: aws.ToString(vault.BackupVaultName), Why: "its name",
		arns: []string{aws.ToString(vault.BackupVaultArn)}, Since: aws.ToTime(vault.CreationDate),
	}
	var size int64
	var newest time.Time
	input := &backup.ListRecoveryPointsByBackupVaultInput{BackupVaultName: vault.BackupVaultName}
	next := func(page *backup.ListRecoveryPointsByBackupVaultOutput) *string { return page.NextToken }
	for page, err := range pages(ctx, client.ListRecoveryPointsByBackupVault, input, &input.NextToken, next) {
		if err != nil {
			return f, points, err
		}
		for _, point := range page.RecoveryPoints {
			points++
			size += aws.ToInt64(point.BackupSizeInBytes)
			f.arns = append(f.arns, aws.ToString(point.RecoveryPointArn))
			if at := aws.ToTime(point.CreationDate); at.After(newest) {
				newest = at
			}
		}
	}
	if points == 0 {
		f.Why = "its name, empty"
		return f, 0, nil
	}
	f.Why = fmt.Sprintf("%d recovery points, the newest of %s", points, newest.UTC().Format(time.DateOnly))
	f.Cost = "up to " + mib(size)
	return f, points, nil
}
