interface Asking {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

/** Somebody whose data is kept and not used, as what they are known by: digests, which open nothing. */
export interface RestrictedPerson {
  organisation: number;
  kind: 'restriction' | 'objection';
  received_on: string;
  due_on: string;
  began_at: string;
  known_by: { kind: string; digest: string; mail: string | null }[];
}

/** One that has ended, with how they were told before: in rows that are older it goes on no longer. */
export interface LiftedRestriction {
  organisation: number;
  began_at: string;
  told_how: string;
  told_at: string;
  lifts_at: string;
  ended_at: string;
}

/** What has ended and is not forgotten yet, for the same list. */
export async function liftedRestrictions(sql: Asking): Promise<LiftedRestriction[]> {
  const rows = await sql.query<
    Record<'began_at' | 'told_at' | 'lifts_at' | 'ended_at', Date | string> & {
      organisation_id: string;
      told_how: string;
    }
  >(
    'SELECT organisation_id, began_at, told_how, told_at, lifts_at, ended_at FROM restrictions WHERE ended_at IS NOT NULL ORDER BY id',
  );
  const iso = (at: Date | string) => new Date(at).toISOString();
  return rows.map((row) => ({
    ...{ organisation: Number(row.organisation_id), began_at: iso(row.began_at), told_how: row.told_how },
    ...{ told_at: iso(row.told_at), lifts_at: iso(row.lifts_at), ended_at: iso(row.ended_at) },
  }));
}

/**
 * Ends in older rows what had ended by the time of the list, as its end stood there: whoever it was about was told. Why it ended
 * is sealed in the rows that are lost, and is said to be.
 */
export async function liftAgain(sql: Asking, lifted: readonly LiftedRestriction[]): Promise<void> {
  for (const { organisation, began_at, told_how, told_at, lifts_at, ended_at } of lifted) {
    const [open] = await sql.query<{ id: string }>(
      'SELECT id FROM restrictions WHERE organisation_id = $1 AND began_at = $2 AND ended_at IS NULL',
      [organisation, new Date(began_at)],
    );
    if (open === undefined) continue;
    await sql.query('DELETE FROM restricted_identifiers WHERE restriction_id = $1', [open.id]);
    await sql.query('DELETE FROM restricted_visitors WHERE restriction_id = $1', [open.id]);
    await sql.query(
      `UPDATE restrictions SET ended_at = $2, told_how = $3, told_at = $4, lifts_at = $5, email_sealed = NULL, why_sealed = coalesce(why_sealed, '')
       WHERE id = $1`,
      [open.id, new Date(ended_at), told_how, new Date(told_at), new Date(lifts_at)],
    );
  }
}

/** Everything that is in force: what goes with the copy of the key store, and a restore holds its rows against. */
export async function restrictedPeople(sql: Asking): Promise<RestrictedPerson[]> {
  const rows = await sql.query<{
    id: string;
    organisation_id: string;
    kind: RestrictedPerson['kind'];
    received_on: string;
    due_on: string;
    began_at: Date | string;
  }>(
    `SELECT r.id, r.organisation_id, r.kind, r.began_at, q.received_on::text, q.due_on::text
     FROM restrictions r JOIN subject_requests q ON q.id = r.request_id WHERE r.ended_at IS NULL ORDER BY r.id`,
  );
  const listed = await sql.query<{ restriction_id: string; kind: string; digest: Buffer; mail_digest: Buffer | null }>(
    'SELECT restriction_id, kind, digest, mail_digest FROM restricted_identifiers ORDER BY restriction_id, kind, digest',
  );
  return rows.map(({ id, organisation_id, kind, received_on, due_on, began_at }) => ({
    ...{ organisation: Number(organisation_id), kind, received_on, due_on },
    began_at: new Date(began_at).toISOString(),
    known_by: listed
      .filter((one) => Number(one.restriction_id) === Number(id))
      .map((one) => ({
        ...{ kind: one.kind, digest: one.digest.toString('base64') },
        mail: one.mail_digest?.toString('base64') ?? null,
      })),
  }));
}

/**
 * In rows that are older than a restriction, puts it in force once more, as a request that was answered. For a restore, in a
 * transaction that sees every row. One that these rows know stays as it stands there.
 */
export async function restrictAgain(sql: Asking, people: readonly RestrictedPerson[], now: Date): Promise<void> {
  const there = new Set((await sql.query<{ id: string }>('SELECT id FROM organisations')).map(({ id }) => Number(id)));
  for (const { organisation, kind, received_on, due_on, began_at, known_by } of people) {
    if (!there.has(organisation) || known_by.length === 0) continue;
    const known = await sql.query('SELECT 1 FROM restrictions WHERE organisation_id = $1 AND began_at = $2', [
      ...[organisation, new Date(began_at)],
    ]);
    if (known.length > 0) continue;
    const bytes = (text: string) => Buffer.from(text, 'base64');
    const of = (wanted: string) => {
      const one = known_by.find((by) => by.kind === wanted);
      return one === undefined ? null : bytes(one.digest);
    };
    const [request] = await sql.query<{ id: string }>(
      `INSERT INTO subject_requests (organisation_id, kind, state, received_on, due_on, warn_on, email_digest, phone_digest,
         external_digest, entered_at, checked_at, closed_at)
       VALUES ($1, $2, 'answered', $3, $4, $4, $5, $6, $7, $8, $8, $9) RETURNING id`,
      [
        ...[organisation, kind, received_on, due_on, of('email'), of('phone')],
        // Whoever is known by an account alone is still somebody.
        ...[of('external-id') ?? (of('email') === null && of('phone') === null ? of('person') : null)],
        ...[new Date(began_at), now],
      ],
    );
    const [made] = await sql.query<{ id: string }>(
      'INSERT INTO restrictions (organisation_id, request_id, kind, began_at) VALUES ($1, $2, $3, $4) RETURNING id',
      [organisation, request?.id, kind, new Date(began_at)],
    );
    for (const one of known_by)
      await sql.query(
        `INSERT INTO restricted_identifiers (organisation_id, restriction_id, kind, digest, mail_digest)
         VALUES ($1, $2, $3, $4, $5)`,
        [organisation, made?.id, one.kind, bytes(one.digest), one.mail === null ? null : bytes(one.mail)],
      );
  }
}
