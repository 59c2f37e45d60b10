/** What one transaction of the product changed, as the database itself saw it. */
export interface Written {
  /** `INSERT public.goals`, `UPDATE public.sites(name,timezone)`; each once. */
  changes: string[];
  /** The acts that it left in the trail. */
  acts: string[];
  /** What it changed of an organisation that was not in force. */
  strange: string[];
}

/** Work as the owner of the schema: statements and the rows of the last one. */
type AsOwner = <T>(work: (query: <Row extends object>(text: string) => Promise<Row[]>) => Promise<T>) => Promise<T>;

/**
 * From now on triggers note each row that the product changes, and in which transaction, so that a test can ask whether what
 * changed and what the trail says of it were one (AUD-01). In a database of the test's own. What the owner changes is not noted.
 */
export async function watchWrites(asOwner: AsOwner): Promise<() => Promise<Written[]>> {
  await asOwner(async (query) => {
    await query(`CREATE SCHEMA watched`);
    await query(
      `CREATE TABLE watched.writes (number bigserial, transaction xid8, change text, act text, organisation text, in_force text)`,
    );
    await query(`
      CREATE FUNCTION watched.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
      DECLARE
        now jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
        said text := TG_OP || ' ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
      BEGIN
        IF session_user = 'fairlead_owner' THEN RETURN NULL; END IF;
        IF TG_OP = 'UPDATE' THEN
          said := said || (SELECT '(' || coalesce(string_agg(a.key, ',' ORDER BY a.key), '') || ')' FROM jsonb_each(now) AS a
            JOIN jsonb_each(to_jsonb(OLD)) AS b USING (key) WHERE a.value IS DISTINCT FROM b.value);
        END IF;
        INSERT INTO watched.writes (transaction, change, act, organisation, in_force) VALUES (pg_current_xact_id(), said,
          CASE WHEN said = 'INSERT audit.entries' THEN now ->> 'action' END,
          now ->> 'organisation_id', nullif(current_setting('fairlead.organisation', true), ''));
        RETURN NULL;
      END $$`);
    const tables = await query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'watched')`,
    );
    for (const { name } of tables)
      await query(
        `CREATE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW EXECUTE FUNCTION watched.note()`,
      );
  });
  return () =>
    asOwner((query) =>
      query<Written>(
        `SELECT array_agg(DISTINCT change) AS changes, array_remove(array_agg(DISTINCT act), NULL) AS acts,
           array_remove(array_agg(DISTINCT CASE WHEN organisation <> in_force THEN change END), NULL) AS strange
         FROM watched.writes GROUP BY transaction ORDER BY min(number)`,
      ),
    );
}

/** Changes that are no act of anybody: what the desk notes while it works, each with why. */
const notes: readonly [change: RegExp, why: string][] = [
  [/^(INSERT|UPDATE) public\.throttles\b/, 'counts of tries, under digests'],
  [/^UPDATE public\.organisation_archives\b/, 'how far an archive is; that it was asked for is the act'],
  [/ public\.share_views\b/, 'how often a shared page was opened'],
  [/ public\.sign_ups\b/, 'a wish of nobody yet; the account that comes of it is the act'],
  [/ public\.invitation_days\b/, 'how many invitations went out today'],
  [/ mail\.messages\b/, 'letters on their way; the list of sent mail names them'],
  [/ mail\.sent\b/, 'that list itself'],
  [/^INSERT public\.notifications$/, 'what somebody is told of; that itself is the act'],
  [/ vault\./, 'keys that are made when something is sealed first'],
  [/^INSERT public\.sign_in_steps\b/, 'a sign-in begins; its end is the act'],
  [/ public\.product_usage\b/, 'how often a page was opened or a feature used, by nobody'],
  [/ public\.connection_steps\b/, 'a connection begins; its end is the act'],
  [/^UPDATE public\.connections\(accounts\)$/, 'names of accounts, as the platform was asked for them'],
  [/ public\.taken_links$/, 'a link from one host of a site to another that was followed'],
  [/^DELETE public\.(throttles|sessions)\b/, 'what is over goes; its end was the act'],
  [
    /^(INSERT public\.authenticators|UPDATE public\.authenticators\(last_step\))$/,
    'set up and not yet confirmed; a code that counts once',
  ],
  [/^DELETE public\.recovery_codes$/, 'used up before the session that it opens, which is the act'],
  [/^UPDATE public\.one_time_tokens\(tries\)$/, 'wrong tries at one link'],
  [/^(INSERT|DELETE) public\.one_time_tokens\b/, 'a link is made or over; what it does is the act'],
  [/^UPDATE public\.(people\(last_seen_day\)|api_keys\(last_used_day\)|sessions\(last_used_at\))$/, 'last seen'],
  [
    /^(INSERT public\.sessions|UPDATE public\.sessions\(last_used_at,replaced_at\))$/,
    'a session goes on under its next token',
  ],
  [
    /^(INSERT|UPDATE) public\.(relay_uploads|relay_upload_problems)\b/,
    'a file is sent and tried, and how far it is; that it is taken, ended or removed is the act',
  ],
  [/^UPDATE public\.site_removals\b/, 'how far a removal is; its beginning and its end are acts'],
  [/^(INSERT|UPDATE) public\.contact_keys\b/, 'which key a site seals with; what becomes of it is the act'],
  [/ public\.erasure_(runs|subjects|steps)\b/, 'how far an erasure is; its beginning, each part and its end are acts'],
  [
    /^UPDATE public\.subject_requests\((warned_at|came_told_at|overdue_told_at)\)$/,
    'that somebody was told of a request',
  ],
  [/ public\.restricted_(identifiers|visitors)\b/, 'whom a restriction is about; its beginning and its end are acts'],
  [
    / public\.profile(s|_digests|_visitors|_corrections)\b/,
    'what a page says of a visitor; who looks at it is the act',
  ],
  [
    /^INSERT public\.relay_captures\b/,
    'a request that came in, kept for who maps its source; who reveals it is the act',
  ],
  [/^UPDATE public\.relay_deletions\b/, 'how far a deletion of conversions is; its beginning is the act'],
  [/ public\.relay_sum(s|_changes)\b/, 'what is counted of conversions; what changed them is the act, or was none'],
  [/ public\.retention_removals\b/, 'what a timer removed, for the receipt that the next night makes of it'],
  [
    /^(INSERT public\.alert_posts|UPDATE public\.(alert_posts\(|alert_hooks\((failing_since|told_at|former_secret_sealed,former_secret_until\))).*)/,
    'what is posted to the address for alerts, and what became of it; setting that address is the act',
  ],
  [/ public\.upkeep\b/, 'when a task of the desk last found nothing to do'],
  [/^(INSERT|UPDATE) public\.access_reviews\b/, 'a review that begins with its quarter, and how often it was told of'],
  [
    /^(INSERT|UPDATE) public\.self_audits\b/,
    'what the desk found when it looked at itself, and that somebody was told',
  ],
  [/ public\.operation(s|_networks)$/, 'the operations log, which is a record itself'],
  [
    /^UPDATE public\.organisations\(emptied_at,name,slug\)$/,
    'a closed organisation loses its name; its removal was the act',
  ],
  [/ mail\.trouble\b/, 'whether the mail server takes anything at present'],
  [/^UPDATE public\.people\(status_until\)$/, 'the keys of a closed account are gone; its closing was the act'],
  [/^UPDATE public\.passwords\(hash\)$/, 'the same password under a newer hash'],
];

/** Transactions that changed what is more than a note and left no act in the trail. None may be there (AUD-01). */
export function unnoted(written: readonly Written[]): string[][] {
  return written
    .filter(({ acts }) => acts.length === 0)
    .map(({ changes }) => changes.filter((change) => !notes.some(([note]) => note.test(change))))
    .filter((changes) => changes.length > 0);
}
