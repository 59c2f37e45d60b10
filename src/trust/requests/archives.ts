import { RequestError } from '../../platform/http/route.ts';
import type { CopiedRecord, PersonalDataHolder } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { dayMs } from '../../platform/zone.ts';
import { readFoot } from '../documents/index.ts';
import { heldIn } from '../windows/index.ts';
import { writeArchive } from './archive.ts';
import { requestArchiveMail } from './mails.ts';
import { readRequest } from './records.ts';
import { gather, identifierOf } from './subject.ts';

/** The ledger's window of an archive (DSR-11). */
export const archiveDays = 14;
/** What fits into one row and one answer; more is put together by hand. */
const bytesMax = 32 * 1024 * 1024;

export type ArchiveHouse = Pick<House, 'postgres' | 'clock' | 'vault' | 'keys' | 'mail' | 'random'>;

const placeOf = (organisationId: number, requestId: number): Place & { class: 'D4' } => ({
  ...{ organisationId, table: 'request_archives', column: 'sealed', row: requestId, class: 'D4' },
});

/** A whole copy of what is stored about who asked, for whoever asked, by all that they are known by. */
export function openArchives(house: ArchiveHouse, holders: () => readonly PersonalDataHolder[]) {
  const { postgres, clock, vault, keys, mail, random } = house;
  const digestOf = (token: string) => keys.digest('one-time-token', `request-archive ${token}`);

  /**
   * Reads everything, outside of any transaction of the request.
   * @throws RequestError conflict when it is not sure who asks, or there is too much
   */
  async function make(organisationId: number, requestId: number): Promise<{ zip: Buffer; records: number }> {
    const { said, name, answering } = await postgres.tenant(organisationId, async (sql) => {
      const request = await readRequest(sql, requestId, { vault, organisationId, nowMs: clock.now() });
      if (request.state !== 'working')
        throw new RequestError(
          'conflict',
          `Nothing is put together before it is sure who asks and work on request ${requestId} began. Take these steps first.`,
        );
      const { name } = await organisationIn(sql, organisationId);
      return { said: request, name, answering: await readFoot(sql, organisationId) };
    });
    const identifiers = [];
    for (const [kind, value] of [
      ['email', said.email],
      ['phone', said.phone],
      ['external-id', said.external_id],
    ] as const)
      if (value !== null) identifiers.push(await identifierOf(house, organisationId, kind, value));
    const { who } = await gather(house, { organisationId, identifiers }, holders());
    const records: CopiedRecord[] = [];
    for (const holder of holders()) records.push(...(await holder.copy(who)));
    const zip = writeArchive(
      {
        archive: 'fairlead subject data 1',
        ...{ organisation: name, answering, request: requestId, made_at: new Date(clock.now()).toISOString() },
      },
      records,
    );
    if (zip.length > bytesMax)
      throw new RequestError(
        'conflict',
        `The archive would be larger than ${bytesMax} bytes: put it together by hand.`,
      );
    return { zip, records: records.length };
  }

  return {
    make,
    /** In the transaction of the act: in the place of one that was made before. @returns was a mail sent? */
    async keep(sql: Sql, organisationId: number, requestId: number, made: { zip: Buffer; records: number }) {
      const now = clock.now();
      const until = new Date(now + archiveDays * dayMs);
      const token = random.bytes(32).toString('base64url');
      const { email, state } = await readRequest(sql, requestId, { vault, organisationId, nowMs: now });
      if (state !== 'working') throw new RequestError('conflict', 'The request was closed meanwhile.');
      await sql.run('DELETE FROM request_archives WHERE request_id = $1', [requestId]);
      await sql.run(
        `INSERT INTO request_archives (request_id, organisation_id, digest, sealed, records, bytes, made_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          ...[
            requestId,
            organisationId,
            digestOf(token),
            await vault.seal(placeOf(organisationId, requestId), made.zip),
          ],
          ...[made.records, made.zip.length, new Date(now), until],
        ],
      );
      if (email === null || !(await mail.isOn())) return;
      const { name, slug } = await organisationIn(sql, organisationId);
      await mail.send(sql, {
        template: requestArchiveMail,
        ...{ to: email, organisationId },
        values: {
          organisation: name,
          until: until.toISOString().slice(0, 10),
          link: mail.link(`/request/${slug}/archive/${token}`),
        },
      });
    },
    /** @throws RequestError not_found when there is none, or its time is over */
    async open(sql: Sql, organisationId: number, by: { requestId: number } | { token: string }): Promise<Buffer> {
      const row = await sql.maybe<{ request_id: number; sealed: Buffer; made_at: Date; expires_at: Date }>(
        `SELECT request_id, sealed, made_at, expires_at FROM request_archives
         WHERE ${'token' in by ? 'digest = $1' : 'request_id = $1'}`,
        ['token' in by ? digestOf(by.token) : by.requestId],
      );
      // A clock that was set back makes nothing of it last longer.
      const now = clock.now();
      if (row === undefined || row.expires_at.getTime() <= now || row.made_at.getTime() > now + dayMs)
        throw new RequestError('not_found', 'There is no such archive, or its time is over. Make it anew.');
      return vault.open(placeOf(organisationId, row.request_id), row.sealed);
    },
  };
}
export type Archives = ReturnType<typeof openArchives>;

export async function organisationIn(sql: Sql, id: number): Promise<{ name: string; slug: string }> {
  return sql.one<{ name: string; slug: string }>('SELECT name, slug FROM organisations WHERE id = $1', [id]);
}

/** Archives and forms whose time is over go, whatever became of them, but what a hold keeps (R9): it opens for nobody. */
export async function forgetExpired(sql: Sql, organisationId: number, nowMs: number): Promise<void> {
  const over = await sql.query(
    `SELECT 1 FROM request_archives WHERE expires_at <= $1 UNION ALL SELECT 1 FROM request_asks WHERE asked_at <= $2 LIMIT 1`,
    [new Date(nowMs), new Date(nowMs - dayMs)],
  );
  if (over.length === 0 || (await heldIn(sql, organisationId, 'request-forms')).everything) return;
  const removal = { line: 'request-forms', organisationId, nowMs };
  await removeNoted(
    sql,
    { ...removal, from: 'request_archives' },
    'DELETE FROM request_archives WHERE expires_at <= $1 RETURNING request_id::text AS key, made_at AS since',
    [new Date(nowMs)],
  );
  await removeNoted(
    sql,
    { ...removal, from: 'request_asks' },
    'DELETE FROM request_asks WHERE asked_at <= $1 RETURNING id::text AS key, asked_at AS since',
    [new Date(nowMs - dayMs)],
  );
}
