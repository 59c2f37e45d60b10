import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sealedForm } from '../../src/analytics/exports/sealed_file.ts';
import type { Examples } from './example.ts';

/** Archives of the whole organisation. */
export const examples: Examples = ({ organisation, server, asOwner }) => {
  const of = () => `/api/organisations/${organisation()}/archives`;
  const insert = (state: 'done' | 'failed', id: number, key: Buffer) =>
    asOwner((sql) =>
      sql.query(
        `INSERT INTO organisation_archives (id, organisation_id, state, key_sealed, created_by, created_at, finished_at, expires_at)
         VALUES ($1, $2, $3, $4, 1, now(), now(), now() + interval '1 day')`,
        [id, organisation(), state, key],
      ),
    );
  let next = 900_000;
  /** Made once: fetching one takes nothing away. */
  let made: Promise<number> | undefined;
  async function done(): Promise<number> {
    const { vault, random, config } = server().desk.house;
    const id = ++next;
    const key = random.bytes(32);
    const folder = join(config.dataDir, 'archives');
    mkdirSync(folder, { recursive: true });
    const file = await sealedForm({ of: 'organisation archive', id, key }, random).place(join(folder, String(id)));
    await file.write(Buffer.from('PK'), 0);
    await file.end();
    await file.close();
    const place = { organisationId: organisation(), table: 'organisation_archives', column: 'key_sealed', row: id };
    await insert('done', id, await vault.seal({ ...place, class: 'D8' }, key));
    return id;
  }
  async function failed(): Promise<number> {
    await insert('failed', ++next, Buffer.alloc(0));
    return next;
  }
  return {
    'GET /api/organisations/:organisation/archives': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/x/archives', 'organisation']],
    },
    'GET /api/organisations/:organisation/archives/:archive/file': {
      async path() {
        made ??= done();
        return `${of()}/${await made}/file`;
      },
      status: 200,
      badParams: [['/api/organisations/1/archives/x/file', 'archive']],
    },
    'POST /api/organisations/:organisation/archives': {
      async path() {
        await asOwner((sql) => sql.query("DELETE FROM organisation_archives WHERE state <> 'done'"));
        return of();
      },
      status: 201,
    },
    'DELETE /api/organisations/:organisation/archives/:archive': {
      path: async () => `${of()}/${await failed()}`,
      status: 204,
      badParams: [['/api/organisations/1/archives/0', 'archive']],
    },
  };
};
