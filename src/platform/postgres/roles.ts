import { PostgresRefused } from './refusal.ts';
import type { Connection, Sql } from './sql.ts';

/** INHERIT and SET options of role membership, which the first migration relies on, came with PostgreSQL 16. */
const serverVersionMin = 160_000;

export async function refuseOldServer(owner: Connection): Promise<void> {
  const { rows } = await owner.query<{ number: string; name: string }>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS name`,
  );
  if (Number(rows[0]?.number) < serverVersionMin)
    throw new PostgresRefused(
      `The database server is PostgreSQL ${rows[0]?.name}; Fairlead needs 16 or newer. Upgrade it, or leave DATABASE_URL unset and use the built-in one.`,
    );
}

/**
 * Makes the app's login a member of the app role, and lets it step into audit, mail, retention and vault for a transaction
 * (SET LOCAL ROLE; nothing of theirs is inherited). Idempotent.
 */
export async function admitApp(owner: Connection, login: string): Promise<void> {
  const { rows } = await owner.query<{ missing: boolean }>(
    `SELECT bool_or(NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = l.oid)) AS missing
     FROM pg_roles r, pg_roles l
     WHERE l.rolname = $1 AND r.rolname IN ('fairlead_app', 'fairlead_audit', 'fairlead_mail', 'fairlead_retention', 'fairlead_vault')`,
    [login],
  );
  if (rows[0]?.missing === null)
    throw new PostgresRefused(`The database knows no role ${login}: create it, or correct the user in DATABASE_URL.`);
  if (rows[0]?.missing === false) return;
  const name = `"${login.replaceAll('"', '""')}"`;
  try {
    await owner.query(
      `GRANT fairlead_app TO ${name} WITH INHERIT TRUE, SET FALSE;
       GRANT fairlead_audit, fairlead_mail, fairlead_retention, fairlead_vault TO ${name} WITH INHERIT FALSE, SET TRUE`,
    );
  } catch (error) {
    throw new PostgresRefused(
      `The owner role may not make ${login} a member of fairlead_app (${(error as Error).message}). Run once as an administrator: GRANT fairlead_app TO ${name} WITH INHERIT TRUE, SET FALSE; GRANT fairlead_audit, fairlead_mail, fairlead_retention, fairlead_vault TO ${name} WITH INHERIT FALSE, SET TRUE;`,
    );
  }
}

/**
 * The promise of AUT-17, asked of the server itself at every start: whatever the app's connection is, or can become,
 * is bound by row security, owns nothing and creates nothing.
 * @throws PostgresRefused with every reason at once.
 */
export async function refusePower(app: Sql): Promise<void> {
  const power = await app.one<Power>(`
    WITH mine AS (SELECT oid, rolname, rolsuper, rolbypassrls FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER'))
    SELECT current_user AS login, to_regclass('public.schema_migrations') IS NULL AS elsewhere,
      current_setting('is_superuser') = 'on' AS superuser,
      (SELECT rolname FROM mine WHERE rolbypassrls OR rolsuper LIMIT 1) AS bypasses,
      (SELECT format('%s.%s', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relowner IN (SELECT oid FROM mine) AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND n.nspname NOT LIKE 'pg_temp%' AND n.nspname NOT LIKE 'pg_toast_temp%' LIMIT 1) AS owns,
      (SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 'audit', 'mail', 'retention', 'lookup', 'vault')
        AND has_schema_privilege(oid, 'CREATE') LIMIT 1) AS creates_in`);
  if (power.elsewhere)
    throw new PostgresRefused(
      'DATABASE_URL and DATABASE_MIGRATION_URL lead to different databases: the migrations of the one are not in the other. Write the same host, port and database in both.',
    );
  const reasons = power.superuser
    ? ['is a superuser']
    : [
        ...(power.bypasses ? [`can act as ${power.bypasses}, which bypasses row security`] : []),
        ...(power.owns ? [`owns ${power.owns}`] : []),
        ...(power.creates_in ? [`may create objects in the schema ${power.creates_in}`] : []),
      ];
  if (reasons.length > 0)
    throw new PostgresRefused(
      `The role ${power.login} of DATABASE_URL ${reasons.join(', and ')}: one organisation's rows would not be safe from another's. Give DATABASE_URL a role without these powers, and the owner to DATABASE_MIGRATION_URL.`,
    );
}

interface Power {
  login: string;
  elsewhere: boolean;
  superuser: boolean;
  bypasses: string | null;
  owns: string | null;
  creates_in: string | null;
}
