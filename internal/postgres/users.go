package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Users are the users of the database that the components sign in as.
type Users struct{ API, Ingest, Migrate string }

var userForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// ParseUsers reads api=bourse_api,ingest=bourse_ingest,migrate=bourse_migrate.
func ParseUsers(text string) (Users, error) {
	var u Users
	of := map[string]*string{"api": &u.API, "ingest": &u.Ingest, "migrate": &u.Migrate}
	for pair := range strings.SplitSeq(text, ",") {
		component, name, _ := strings.Cut(pair, "=")
		into := of[component]
		switch {
		case into == nil || *into != "":
			return Users{}, fmt.Errorf("database users: %q: name one user each for api, ingest and migrate, as api=bourse_api", pair)
		case !userForm.MatchString(name):
			return Users{}, fmt.Errorf("database users: %q is no name of a user in lower case, as bourse_%s", name, component)
		}
		*into = name
	}
	if len(slices.Compact(slices.Sorted(slices.Values(u.all())))) != len(of) || slices.Contains(u.all(), "") {
		return Users{}, errors.New("database users: api, ingest and migrate each need a user of their own")
	}
	return u, nil
}

func (u Users) all() []string { return []string{u.API, u.Ingest, u.Migrate} }

// rights are what the components do with each table; a table that is not here is the
// schema's owner's alone. Nobody deletes: what a load drops when real series end a
// simulation, no store of an installation with users of its own has ever had. Only the
// owner makes keys, and what fetches from the world does not even see their hashes.
var rights = []struct{ table, api, ingest string }{
	{"sources", "SELECT", "SELECT, INSERT, UPDATE"},
	{"instruments", "SELECT", "SELECT, INSERT, UPDATE"},
	{"runs", "SELECT", "SELECT, INSERT, UPDATE"},
	{"payloads", "SELECT", "SELECT, INSERT, UPDATE"},
	{"bars", "SELECT", "SELECT, INSERT, UPDATE"},
	{"revisions", "SELECT", "SELECT, INSERT, UPDATE"}, // a late payload may say what a revision says, and earlier
	{"quarantine", "SELECT", "SELECT, INSERT"},
	{"changes", "SELECT", "SELECT, INSERT"},
	{"changed_series", "SELECT", "SELECT, INSERT"},
	{"actions", "SELECT", "SELECT, INSERT"},
	{"quotas", "SELECT", "SELECT, INSERT, UPDATE"},
	{"keys", "SELECT", ""},
}

// SetUpUsers makes the users that are missing, lets RDS sign them in by IAM where it is
// RDS, and gives the schema to the migrate user, so that it can go on migrating what
// another has begun. Only who may make users can; the migrate user itself has nothing to
// set up, and SetUpUsers reports that it is who signed in. It is safe to repeat.
func (s *Store) SetUpUsers(ctx context.Context, u Users) (isMigrate bool, err error) {
	err = s.changingUsers(ctx, func(db users) error {
		var who string
		var super bool
		if err := db.tx.QueryRow(ctx, `SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user`).Scan(&who, &super); err != nil {
			return err
		}
		if isMigrate = who == u.Migrate; isMigrate {
			return nil
		}
		if err := db.make(ctx, u); err != nil {
			return err
		}
		return db.as(ctx, u.Migrate, super, func() error {
			if err := db.giveSchema(ctx, u); err != nil {
				return err
			}
			return db.grant(ctx, u)
		})
	})
	if err != nil {
		return false, fmt.Errorf("database users: %w", err)
	}
	return isMigrate, nil
}

// GrantUsers gives the users what their components need of each table that is there, and
// takes what else they had. The owner of the schema calls it after each migration, whose
// tables are nobody else's yet.
func (s *Store) GrantUsers(ctx context.Context, u Users) error {
	if err := s.changingUsers(ctx, func(db users) error { return db.grant(ctx, u) }); err != nil {
		return fmt.Errorf("rights of the database users: %w", err)
	}
	return nil
}

// users is a transaction that changes them.
type users struct{ tx pgx.Tx }

// changingUsers runs f in a transaction, one at a time: the server fails whoever changes
// a role or a right that another is changing.
func (s *Store) changingUsers(ctx context.Context, f func(users) error) error {
	return pgx.BeginFunc(ctx, s.writes, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey("users")); err != nil {
			return err
		}
		return f(users{tx})
	})
}

// exec runs a statement about objects and users: none of them can be a parameter.
func (db users) exec(ctx context.Context, format string, names ...string) error {
	quoted := make([]any, len(names))
	for i, name := range names {
		quoted[i] = pgx.Identifier{name}.Sanitize()
	}
	statement := fmt.Sprintf(format, quoted...)
	if _, err := db.tx.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// make makes the users without a password: on RDS they sign in by IAM alone, elsewhere
// somebody gives them one.
func (db users) make(ctx context.Context, u Users) error {
	for _, name := range u.all() {
		var there, rds, iam bool
		err := db.tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE rolname = $1) > 0, count(*) FILTER (WHERE rolname = 'rds_iam') > 0,
				EXISTS (SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
					WHERE r.rolname = 'rds_iam' AND u.rolname = $1)
			FROM pg_roles`, name).Scan(&there, &rds, &iam)
		if err != nil {
			return err
		}
		if !there {
			if err := db.exec(ctx, `CREATE ROLE %s LOGIN`, name); err != nil {
				return err
			}
		}
		if rds && !iam {
			if err := db.exec(ctx, `GRANT rds_iam TO %s`, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// as runs f with the rights of a user too, which only a superuser has anyway. To stay a
// member would make RDS ask for an IAM token in place of the password of whoever is.
func (db users) as(ctx context.Context, user string, super bool, f func() error) error {
	if super {
		return f()
	}
	if err := db.exec(ctx, `GRANT %s TO CURRENT_USER`, user); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return db.exec(ctx, `REVOKE %s FROM CURRENT_USER`, user)
}

// giveSchema lets the migrate user make tables and functions, and gives it those that are
// there, but for what belongs to an extension.
func (db users) giveSchema(ctx context.Context, u Users) error {
	var database string
	if err := db.tx.QueryRow(ctx, `SELECT current_database()`).Scan(&database); err != nil {
		return err
	}
	for _, err := range []error{
		db.exec(ctx, `GRANT CONNECT ON DATABASE %s TO %s, %s, %s`, database, u.API, u.Ingest, u.Migrate),
		db.exec(ctx, `REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC`, database),
		db.exec(ctx, `GRANT TEMPORARY ON DATABASE %s TO %s`, database, u.Ingest), // loads stage what they compare
		db.exec(ctx, `GRANT USAGE ON SCHEMA public TO %s, %s`, u.API, u.Ingest),
		db.exec(ctx, `GRANT USAGE, CREATE ON SCHEMA public TO %s`, u.Migrate),
	} {
		if err != nil {
			return err
		}
	}
	// Sequences of columns go with their tables.
	rows, err := db.tx.Query(ctx, `SELECT 'TABLE ' || c.oid::regclass FROM pg_class c
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND pg_get_userbyid(c.relowner) <> $1
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		UNION ALL SELECT 'FUNCTION ' || p.oid::regprocedure FROM pg_proc p
			WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) <> $1
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`, u.Migrate)
	if err != nil {
		return err
	}
	objects, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, object := range objects { // quoted by the server
		if err := db.exec(ctx, `ALTER `+strings.ReplaceAll(object, "%", "%%")+` OWNER TO %s`, u.Migrate); err != nil {
			return err
		}
	}
	return nil
}

// grant makes the rights on all tables what they should be, in the one transaction.
func (db users) grant(ctx context.Context, u Users) error {
	var missing []string
	rows, err := db.tx.Query(ctx, `SELECT name FROM unnest($1::text[]) name WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name)`, u.all())
	if err == nil {
		missing, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no user %s: run migrate with -database-users as the master of the database first", strings.Join(missing, ", "))
	}
	for _, r := range rights {
		var there bool
		if err := db.tx.QueryRow(ctx, `SELECT to_regclass('public.' || $1) IS NOT NULL`, r.table).Scan(&there); err != nil {
			return err
		}
		if !there {
			continue // a migration will make it
		}
		if err := db.exec(ctx, `REVOKE ALL ON public.%s FROM %s, %s`, r.table, u.API, u.Ingest); err != nil {
			return err
		}
		for user, may := range map[string]string{u.API: r.api, u.Ingest: r.ingest} {
			if may == "" {
				continue
			}
			if err := db.exec(ctx, `GRANT `+may+` ON public.%s TO %s`, r.table, user); err != nil {
				return err
			}
		}
		if r.table == "changes" { // a load asks which number its change got
			if err := db.exec(ctx, `GRANT SELECT ON SEQUENCE public.changes_seq_seq TO %s`, u.Ingest); err != nil {
				return err
			}
		}
	}
	return nil
}
