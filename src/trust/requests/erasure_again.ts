interface Asking {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

/** One thing that somebody was known by whose data was erased: digests, which open nothing. */
interface ErasedIdentifier {
  run: number;
  organisation: number;
  kind: string;
  digest: string;
  account: string | null;
  mail: string | null;
}

/** Everybody whose erasure was begun: what goes with the copy of the key store, and a restore holds its rows against. */
export async function erasedPeople(sql: Asking): Promise<ErasedIdentifier[]> {
  const rows = await sql.query<{
    run_id: string;
    organisation_id: string;
    kind: string;
    digest: Buffer;
    account_digest: Buffer | null;
    mail_digest: Buffer | null;
  }>(
    `SELECT run_id, organisation_id, kind, digest, account_digest, mail_digest FROM erasure_subjects
     ORDER BY run_id, kind, digest`,
  );
  return rows.map(({ run_id, organisation_id, kind, digest, account_digest, mail_digest }) => ({
    ...{ run: Number(run_id), organisation: Number(organisation_id), kind },
    digest: digest.toString('base64'),
    account: account_digest?.toString('base64') ?? null,
    mail: mail_digest?.toString('base64') ?? null,
  }));
}

/**
 * In rows that are older than an erasure, begins it once more; the desk goes through with it when it starts. For a restore,
 * in a transaction that sees every row. An erasure that these rows know goes on from there by itself.
 */
export async function eraseAgain(sql: Asking, erased: readonly ErasedIdentifier[], now: Date): Promise<void> {
  const known = new Set((await sql.query<{ id: string }>('SELECT id FROM erasure_runs')).map(({ id }) => Number(id)));
  const there = new Set((await sql.query<{ id: string }>('SELECT id FROM organisations')).map(({ id }) => Number(id)));
  const begun = new Map<number, string>();
  for (const { run, organisation, kind, digest, account, mail } of erased) {
    if (known.has(run) || !there.has(organisation)) continue;
    let id = begun.get(run);
    if (id === undefined) {
      const [made] = await sql.query<{ id: string }>(
        'INSERT INTO erasure_runs (organisation_id, began_at) VALUES ($1, $2) RETURNING id',
        [organisation, now],
      );
      id = made?.id as string;
      begun.set(run, id);
    }
    const bytes = [digest, account, mail].map((one) => (one === null ? null : Buffer.from(one, 'base64')));
    await sql.query(
      `INSERT INTO erasure_subjects (organisation_id, run_id, kind, digest, account_digest, mail_digest)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [organisation, id, kind, ...bytes],
    );
  }
}
