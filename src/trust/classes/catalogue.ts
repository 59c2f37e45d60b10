import type { Sql } from '../../platform/postgres/index.ts';
import { readClass } from './classes.ts';

/** A stored column, in either database. The catalogue is the inventory: nothing else lists what is kept. */
export interface Column {
  store: 'postgres' | 'warehouse';
  table: string;
  column: string;
  /** 'D7 what it means', or null where nobody said. */
  comment: string | null;
}

/** Every column of Postgres, ours by being outside its own schemas. Any role may read the catalogue. */
export function readPostgresColumns(sql: Sql): Promise<Column[]> {
  return sql.query<Column>(`
    SELECT 'postgres' AS store,
      CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS table,
      a.attname AS column, col_description(c.oid, a.attnum) AS comment
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 2, a.attnum`);
}

/** @returns a sentence for every column that has no class, or one that must never be at rest. */
export function findUnclassified(columns: readonly Column[]): string[] {
  return columns.flatMap(({ store, table, column, comment }) => {
    const found = readClass(comment);
    if (found === undefined)
      return [`${store} ${table}.${column} has no data class: begin its comment with D1 … D25 and say what it means.`];
    if (found.neverAtRest)
      return [`${store} ${table}.${column} is ${found.id} ${found.name}, which is never stored: keep it in memory.`];
    return [];
  });
}

/** Tables that belong to no organisation and no person, and why that is so. */
export const ownerless: Readonly<Record<string, string>> = {
  schema_migrations: 'the app may not even read it',
  installation: 'one row about this installation, the name of its root key',
  'vault.roots': 'ids of root keys and how often each wrapped; fairlead_vault alone may read it',
  upkeep: 'what this installation has looked through once and need not again',
  set_up: 'one digest of this installation, from before there is any person',
  retention_nights: 'when the nightly run was, and how many rows went on the whole desk',
  self_audits: 'what the daily look at the guards of this desk found',
  throttles: 'keyed digests of who fails, counted before it is known who it is',
  sign_in_steps: 'digests that live ten minutes, from before it is known who signs in',
  taken_links: 'digests of links that live five minutes, from which nobody is found',
  sign_ups: 'those who are not people yet, found by the digest of a token that only their mailbox has',
  sign_up_invitations: 'those who are invited to become people here, found by the digest of a token',
  sign_up_settings: 'one row about this installation, set by who runs it',
  product_usage_settings: 'one row about this installation, set by who runs it',
  backup_settings: 'one row about this installation: the half of the recovery key that seals',
  operator_identities: 'who runs this installation, as it says in public documents',
  receiver_lists: 'the public list of those who receive something of this installation',
  receiver_statements: 'what who runs this installation has stated of the companies that it calls',
  backups: 'what came of the backups of this installation',
  legal_documents: 'what everybody who signs up agrees to, open to read',
  legal_withdrawals: 'which of these texts were taken back, and why, open to read',
};

interface TableSecurity {
  table: string;
  forced: boolean;
  /** How many policies there are that look at no organisation and no person, for roles that are not ours alone. */
  open: number;
  bound: number;
}

/**
 * @returns a sentence for every table whose rows are not bound to an organisation or a person by forced row security.
 */
export async function findUnguarded(sql: Sql): Promise<string[]> {
  const tables = await sql.query<TableSecurity>(`
    SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS table,
      c.relrowsecurity AND c.relforcerowsecurity AS forced,
      count(p.oid) FILTER (WHERE p.oid IS NOT NULL AND NOT names_scope AND NOT inside) AS open,
      count(p.oid) FILTER (WHERE names_scope) AS bound
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'vault')
    LEFT JOIN LATERAL (
      SELECT oid,
        concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) ~ 'current_(organisation|person)\\(\\)' AS names_scope,
        -- Roles that nobody logs in as and the app cannot become.
        polroles <@ (SELECT array_agg(oid) FROM pg_roles WHERE rolname IN ('fairlead_lookup', 'fairlead_purge', 'fairlead_chain', 'fairlead_mover', 'fairlead_backup')) AS inside
      FROM pg_policy WHERE polrelid = c.oid
    ) p ON true
    WHERE c.relkind IN ('r', 'p')
    GROUP BY n.nspname, c.oid ORDER BY 1`);
  return tables.flatMap(({ table, forced, open, bound }) => {
    if (table in ownerless) return [];
    if (!forced) return [`${table} has no forced row security: ENABLE and FORCE it, or give a reason in ownerless.`];
    if (bound === 0) return [`${table} has no policy on current_organisation() or current_person(): add one.`];
    if (open > 0) return [`${table} has a policy that binds its rows to nobody: take it away.`];
    return [];
  });
}
