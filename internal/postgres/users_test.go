package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/storetest"

	"github.com/jackc/pgx/v5"
)

// users are those of Terraform and the chart. Roles are the server's, shared by all its
// databases, so all tests have them.
var users = postgres.Users{API: "bourse_api", Ingest: "bourse_ingest", Migrate: "bourse_migrate"}

// signIn returns how to get into a database as a user.
func signIn(database string) (as func(user string) string) {
	return func(user string) string { return strings.Replace(server.URL(database), "bourse@", user+"@", 1) }
}

// rds makes a database as RDS gives one: with an owner who is no superuser and may make
// users, and with the role whose members sign in by IAM.
func rds(t *testing.T) (name string) {
	t.Helper()
	pgtest.Need(t, failed)
	name = server.Database(t, "")
	db := connection(t, server.URL(name))
	for _, role := range []string{"rds_iam", "bourse_admin LOGIN CREATEROLE"} {
		_, err := db.Exec(t.Context(), `CREATE ROLE `+role)
		if err != nil && !strings.Contains(err.Error(), "already exists") {
			t.Fatal(err)
		}
	}
	version := 0
	must(t, db.QueryRow(t.Context(), `SELECT current_setting('server_version_num')::int / 10000`).Scan(&version))
	if version >= 16 { // from then on who may make users may not grant what others have made
		_, err := db.Exec(t.Context(), `GRANT rds_iam TO bourse_admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`)
		must(t, err)
	}
	_, err := db.Exec(t.Context(), `ALTER DATABASE `+name+` OWNER TO bourse_admin`)
	must(t, err)
	must(t, db.Close(t.Context())) // while somebody is in it, it cannot be copied
	return name
}

// setUp does what an installation does: the users once as the master, then the schema.
func setUp(t *testing.T, as func(string) string) {
	t.Helper()
	isMigrate, err := open(t, as("bourse_admin")).SetUpUsers(t.Context(), users)
	if err != nil || isMigrate {
		t.Fatal(isMigrate, err)
	}
	owner := open(t, as(users.Migrate))
	isMigrate, err = owner.SetUpUsers(t.Context(), users)
	if err != nil || !isMigrate {
		t.Fatal(isMigrate, err)
	}
	must(t, owner.Migrate(t.Context()))
	must(t, owner.GrantUsers(t.Context(), users))
}

// TestUsers: each user can do what its component does, and nothing of what another does.
func TestUsers(t *testing.T) {
	as := signIn(rds(t))
	for range 2 { // safe to repeat
		setUp(t, as)
	}
	ingest, api := open(t, as(users.Ingest)), open(t, as(users.API))
	must(t, wholeRun(t, ingest, func() {}))
	late := batch("coinbase", begin(t, ingest, "coinbase"), time.Now(), market.Series{Symbol: "BTC-USD", Interval: market.Day,
		Bars: []market.Bar{market.Fixing(market.NewDate(2025, 1, 1), priceOf(7))}})
	counts, err := ingest.Load(t.Context(), late, accept)
	if err != nil || counts.Revised != 1 {
		t.Errorf("%+v, %v", counts, err)
	}
	must(t, open(t, as(users.Migrate)).SaveKey(t.Context(), market.Key{ID: "1", Hash: "h", Sources: []string{"*"}, CreatedAt: time.Now()}))
	readAll(t, api)

	const bar = `INSERT INTO bars SELECT * FROM bars LIMIT 0`
	for user, refused := range map[string][]string{
		users.API: {
			bar, `UPDATE bars SET close = 1`, `DELETE FROM runs`, `TRUNCATE changes`, `UPDATE keys SET revoked_at = NULL`,
			`INSERT INTO keys SELECT * FROM keys`, `CREATE TABLE mine ()`, `CREATE TEMPORARY TABLE mine ()`, `DROP TABLE bars`,
			`SELECT nextval('changes_seq_seq')`, `SET ROLE bourse_ingest`, `SELECT * FROM goose_db_version`,
		},
		users.Ingest: {
			`SELECT * FROM keys`, `INSERT INTO keys SELECT * FROM keys`, `DELETE FROM bars`, `DELETE FROM payloads`, `TRUNCATE revisions`,
			`ALTER TABLE bars ADD mine int`, `ALTER TABLE bars DISABLE TRIGGER bars_keep_revision`, `DROP TRIGGER bars_never_deleted ON bars`,
			`CREATE TABLE mine ()`, `DROP TABLE bars`, `UPDATE actions SET list = '[]'`, `UPDATE quarantine SET reason = ''`,
			`SELECT setval('changes_seq_seq', 1)`, `INSERT INTO goose_db_version SELECT * FROM goose_db_version`, `SET ROLE bourse_migrate`,
			`CREATE OR REPLACE FUNCTION keep_revision() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		},
		users.Migrate:  {`CREATE ROLE mine`, `SET ROLE bourse_ingest`, `GRANT rds_iam TO bourse_admin`},
		"bourse_admin": {`SET ROLE bourse_migrate`},
	} {
		db := connection(t, as(user))
		for _, statement := range refused {
			_, err := db.Exec(t.Context(), statement)
			if err == nil || !strings.Contains(err.Error(), "42501") { // insufficient privilege
				t.Errorf("%s as %s: %v", statement, user, err)
			}
		}
	}
	if err := ingest.Migrate(t.Context()); err == nil {
		t.Error("ingest migrates")
	}
}

// readAll reads all that a replica of the API does.
func readAll(t *testing.T, s *postgres.Store) {
	t.Helper()
	ctx := t.Context()
	watch, err := s.Watch(ctx)
	must(t, err)
	<-watch
	for _, read := range []func() error{
		func() error { return s.Ping(ctx) },
		func() error { _, err := s.Version(ctx); return err },
		func() error { _, err := s.Instruments(ctx, market.InstrumentQuery{Limit: 10}); return err },
		func() error { _, err := s.Instrument(ctx, "BTC-USD"); return err },
		func() error {
			_, err := s.Bars(ctx, market.BarQuery{Symbol: "BTC-USD", Interval: market.Day, Limit: 10})
			return err
		},
		func() error {
			_, err := s.Bars(ctx, market.BarQuery{Symbol: "BTC-USD", Interval: market.Day, Limit: 10, AsOf: time.Now()})
			return err
		},
		func() error { _, err := s.Actions(ctx, "BTC-USD", time.Time{}); return err },
		func() error {
			list, err := s.Versions(ctx, "BTC-USD", market.Day, market.NewDate(2025, 1, 1).Time())
			if err == nil && len(list) != 2 {
				return fmt.Errorf("%d versions", len(list))
			}
			if err == nil {
				_, err = s.Payload(ctx, list[0].Payload.SHA256)
			}
			return err
		},
		func() error { _, err := s.Runs(ctx, market.RecordQuery{Limit: 10}); return err },
		func() error { _, err := s.Quarantine(ctx, market.RecordQuery{Limit: 10}); return err },
		func() error { _, err := s.Sources(ctx); return err },
		func() error { _, err := s.NextRun(ctx, "coinbase"); return err },
		func() error { _, err := s.LastChange(ctx); return err },
		func() error { _, err := s.Changes(ctx, 0, 10); return err },
		func() error { _, err := s.Key(ctx, "h"); return err },
	} {
		must(t, read())
	}
}

// TestUsersPassTheSuite lets ingest do all that a store is asked for. It may not delete,
// which only what drops simulated series does: that right it gets here.
func TestUsersPassTheSuite(t *testing.T) {
	like := rds(t)
	t.Run("set up", func(t *testing.T) { // and leave it
		as := signIn(like)
		setUp(t, as)
		_, err := connection(t, as(users.Migrate)).Exec(t.Context(), `GRANT DELETE ON ALL TABLES IN SCHEMA public TO bourse_ingest`)
		must(t, err)
	})
	storetest.Run(t, func(t *testing.T) (storetest.Store, func() storetest.Store) {
		as := signIn(server.Database(t, like))
		return open(t, as(users.Ingest)), func() storetest.Store { return open(t, as(users.Ingest)) }
	})
}

// TestUsersTakeOver: a schema that the master has made goes to the migrate user, what an
// extension has made does not, and the master is nobody's member afterwards.
func TestUsersTakeOver(t *testing.T) {
	as := signIn(rds(t))
	master := open(t, as("bourse_admin"))
	must(t, master.Migrate(t.Context()))
	must(t, wholeRun(t, master, func() {}))
	setUp(t, as)
	must(t, wholeRun(t, open(t, as(users.Ingest)), func() {}))
	db := connection(t, as("bourse_admin"))
	var others, member int
	must(t, db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> 'bourse_migrate'::regrole)
		+ (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner <> 'bourse_migrate'::regrole),
		(SELECT count(*) FROM pg_auth_members WHERE member = 'bourse_admin'::regrole AND roleid::regrole::text LIKE 'bourse%'
			AND to_jsonb(pg_auth_members) ->> 'set_option' IS DISTINCT FROM 'false')`).Scan(&others, &member))
	if others != 0 || member != 0 {
		t.Errorf("%d objects are not migrate's; the master is a member of %d users", others, member)
	}
	for _, user := range []string{users.API, users.Ingest, users.Migrate} {
		var iam bool
		must(t, db.QueryRow(t.Context(), `SELECT pg_has_role($1, 'rds_iam', 'MEMBER')`, user).Scan(&iam))
		if !iam {
			t.Errorf("RDS lets %s not in", user)
		}
	}
}

// TestUsersCoverTheSchema: a migration that makes a table says here who needs it, or that
// nobody but the schema's owner does.
func TestUsersCoverTheSchema(t *testing.T) {
	as := signIn(rds(t))
	setUp(t, as)
	owners := map[string]bool{"goose_db_version": true}
	rows, err := connection(t, as(users.Migrate)).Query(t.Context(), `SELECT relname, has_table_privilege('bourse_api', oid, 'SELECT') FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`)
	must(t, err)
	var table string
	var read bool
	_, err = pgx.ForEachRow(rows, []any{&table, &read}, func() error {
		if read == owners[table] {
			t.Errorf("%s: say in rights who may what", table)
		}
		return nil
	})
	must(t, err)
}

// TestUsersNeedTheMaster: who cannot make users is told who can.
func TestUsersNeedTheMaster(t *testing.T) {
	as := signIn(rds(t))
	setUp(t, as)
	other := users
	other.API = "bourse_other"
	if err := open(t, as(users.Migrate)).GrantUsers(t.Context(), other); err == nil || !strings.Contains(err.Error(), "there is no user bourse_other: run migrate with -database-users as the master") {
		t.Errorf("got %v", err)
	}
	if _, err := open(t, as(users.Ingest)).SetUpUsers(t.Context(), other); err == nil || !strings.Contains(err.Error(), "permission denied to create role") {
		t.Errorf("got %v", err)
	}
	// Nothing of what was refused has been done in part.
	var there bool
	must(t, connection(t, as("bourse_admin")).QueryRow(context.WithoutCancel(t.Context()), `SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'bourse_other')`).Scan(&there))
	if there {
		t.Error("bourse_other was made")
	}
}

func TestParseUsers(t *testing.T) {
	u, err := postgres.ParseUsers("api=bourse_api,ingest=bourse_ingest,migrate=bourse_migrate")
	if err != nil || u != users {
		t.Errorf("%+v, %v", u, err)
	}
	for _, text := range []string{
		"", "bourse", "api=a", "api=a,ingest=b", "api=a,ingest=a,migrate=c", "api=a,ingest=b,migrate=c,web=d", "api=a,api=b,ingest=c,migrate=d",
		"api=a,ingest=b,migrate=", "api=A,ingest=b,migrate=c", `api=a"; DROP TABLE bars,ingest=b,migrate=c`,
	} {
		if u, err := postgres.ParseUsers(text); err == nil {
			t.Errorf("%q: %+v", text, u)
		}
	}
}
