import { openUploadFiles } from '../../src/relay/uploads/files.ts';
import type { Examples } from './example.ts';

/** Files of offline conversions. */
export const examples: Examples = ({ organisation, server, people, next, call, asOwner }) => {
  const base = () => `/api/organisations/${organisation()}/relay/sources`;
  const text = Buffer.from('event_name,event_time\nPurchase,2026-10-01T09:15:00Z\n');
  let made: Promise<number> | undefined;
  /** One source for all of them: an organisation has two hundred at most. */
  const source = () => {
    made ??= call('POST', base(), people.owner, {
      name: `files ${next()}`,
      kind: 'upload',
      preset: 'meta-offline-file',
    }).then(({ body }) => (body.source as { id: number }).id);
    return made;
  };
  const uploads = async (rest = '') => `${base()}/${await source()}/uploads${rest}`;
  /** A file that came whole. */
  async function upload(state: 'uploading' | 'uploaded' | 'done'): Promise<number> {
    const of = await source();
    const { rows } = await asOwner((sql) =>
      sql.query<{ id: string }>(
        `INSERT INTO relay_uploads (organisation_id, source_id, request_id, file_name, size, received, state, format, created_at, expires_at)
         VALUES ($1, $2, gen_random_uuid(), 'sales.csv', $3, $4, $5, $6, now(), now() + interval '7 days') RETURNING id`,
        [
          ...[organisation(), of, text.length, state === 'uploading' ? 0 : text.length, state],
          state === 'uploading' ? null : JSON.stringify({ kind: 'csv', encoding: 'utf-8', separator: ',' }),
        ],
      ),
    );
    const id = Number(rows[0]?.id);
    if (state === 'uploaded') await openUploadFiles(server().desk.house).write(id, 0, text);
    return id;
  }
  let kept: Promise<number> | undefined;
  const done = () => {
    kept ??= upload('done');
    return kept;
  };
  const path = '/api/organisations/:organisation/relay/sources/:source/uploads';
  const any = '/api/organisations/1/relay/sources';
  const noUpload = (rest = ''): [string, string][] => [
    [`${any}/first/uploads/1${rest}`, 'source'],
    [`${any}/1/uploads/0${rest}`, 'upload'],
  ];
  return {
    [`GET ${path}`]: {
      path: async () => {
        await done();
        return uploads();
      },
      status: 200,
      badParams: [[`${any}/first/uploads`, 'source']],
    },
    [`POST ${path}`]: {
      async path() {
        const of = await source();
        await asOwner((sql) => sql.query("DELETE FROM relay_uploads WHERE source_id = $1 AND state <> 'done'", [of]));
        return uploads();
      },
      body: () => ({ name: `sales ${next()}.csv`, size: 10 }),
      status: 201,
      badValues: [
        ['name', ' '],
        ['name', 'a\u0000b'],
        ['name', 'x'.repeat(256)],
        ['size', 0],
        ['size', 1.5],
        ['size', 100 * 1024 ** 2 + 1],
      ],
      badParams: [[`${any}/0/uploads`, 'source']],
    },
    [`GET ${path}/:upload`]: {
      path: async () => uploads(`/${await done()}`),
      status: 200,
      badParams: noUpload(),
    },
    [`PUT ${path}/:upload/parts/:part`]: {
      path: async () => uploads(`/${await upload('uploading')}/parts/0`),
      // It comes without a byte.
      status: 400,
      badParams: [...noUpload('/parts/0'), [`${any}/1/uploads/1/parts/-1`, 'part']],
    },
    [`POST ${path}/:upload/preview`]: {
      path: async () => uploads(`/${await upload('uploaded')}/preview`),
      body: () => ({ format: { kind: 'csv', encoding: 'latin-1', separator: ',' } }),
      status: 200,
      badValues: [
        ['format', { kind: 'csv', encoding: 'utf-7', separator: ',' }],
        ['format', { kind: 'csv', encoding: 'utf-8', separator: '|' }],
        ['format', { kind: 'xlsx', sheet: '' }],
      ],
      badParams: noUpload('/preview'),
    },
    [`POST ${path}/:upload/check`]: {
      path: async () => uploads(`/${await upload('uploaded')}/check`),
      body: () => ({ format: { kind: 'csv', encoding: 'utf-8', separator: ',' } }),
      status: 202,
      badValues: [['format', { kind: 'csv', encoding: 'utf-8' }]],
      badParams: noUpload('/check'),
    },
    [`POST ${path}/:upload/start`]: {
      path: async () => uploads(`/${await done()}/start`),
      // It was taken already.
      status: 409,
      badParams: noUpload('/start'),
    },
    [`GET ${path}/:upload/errors.csv`]: {
      path: async () => uploads(`/${await done()}/errors.csv`),
      status: 200,
      badParams: noUpload('/errors.csv'),
    },
    [`DELETE ${path}/:upload`]: {
      path: async () => uploads(`/${await upload('uploading')}`),
      status: 204,
      badParams: noUpload(),
    },
  };
};
