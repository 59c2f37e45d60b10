import { z } from 'zod';
import {
  acceptance,
  agreements,
  documentKinds,
  type LegalDocument,
  legalDocuments,
  newDocument,
  type PublishedDocument,
  publishedDocument,
  publishedDocuments,
  signUpLimits,
} from '../../../contract/sign_up.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { personOf } from '../people/parts.ts';
import type { Legal } from './index.ts';
import { documentPage, listPage, missingPage, pageHeaders } from './page.ts';
import { documentNames, pathOf } from './words.ts';

const dayMs = 86_400_000;
type Row = Omit<LegalDocument, 'path'>;
const withPath = <T extends Row>(row: T) => ({ ...row, path: pathOf(row.kind, row.version) });

/** The texts of the desk for everybody, publishing them for whoever runs it, and accepting them for each person. */
export function legalRoutes(
  { postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>,
  legal: Pick<Legal, 'current' | 'keep'>,
): Route[] {
  const notThere = { status: 404, headers: pageHeaders, body: missingPage() };

  /** All versions of one kind, the newest first. */
  const versionsOf = (sql: Sql, kind: string) =>
    sql.query<Row>('SELECT kind, version, dated::text FROM legal_documents WHERE kind = $1 ORDER BY number DESC', [
      kind,
    ]);

  async function pageOf(kind: string, wanted: string | undefined) {
    if (!documentKinds.some((one) => one === kind)) return notThere;
    return postgres.system(async (sql) => {
      const versions = (await versionsOf(sql, kind)).map(withPath);
      const version = wanted ?? versions[0]?.version ?? '';
      const row = await sql.maybe<Row & { text: string }>(
        'SELECT kind, version, dated::text, text FROM legal_documents WHERE kind = $1 AND version = $2',
        [kind, version],
      );
      return row === undefined
        ? notThere
        : { headers: { ...pageHeaders, 'cache-control': 'no-cache' }, body: documentPage(withPath(row), versions) };
    });
  }

  async function published(): Promise<PublishedDocument[]> {
    return postgres.system(async (sql) => {
      const rows = await sql.query<
        Row & { material: boolean; published_at: Date; acceptances: number; newest: boolean }
      >(
        `SELECT d.kind, d.version, d.dated::text, d.material, d.published_at,
           lookup.acceptances_of_version(d.kind, d.version) AS acceptances,
           NOT EXISTS (SELECT FROM legal_documents later WHERE later.kind = d.kind AND later.number > d.number) AS newest
         FROM legal_documents d ORDER BY d.number DESC`,
      );
      return rows.map(({ newest, published_at, ...row }) => ({
        ...withPath(row),
        published_at: published_at.toISOString(),
        is_current: newest,
      }));
    });
  }

  async function agreementsOf(sql: Sql, personId: number) {
    const due = await sql.query<Row>('SELECT kind, version, dated::text FROM documents_due($1)', [personId]);
    const kept = await sql.query<{ kind: LegalDocument['kind'] | 'age'; version: string; accepted_at: Date }>(
      'SELECT kind, version, accepted_at FROM acceptances WHERE person_id = $1 ORDER BY accepted_at DESC, kind',
      [personId],
    );
    return {
      due: due.map(withPath).sort((a, b) => documentKinds.indexOf(a.kind) - documentKinds.indexOf(b.kind)),
      accepted: kept.map(({ kind, version, accepted_at }) => ({
        kind,
        version,
        path: kind === 'age' ? null : pathOf(kind, version),
        accepted_at: accepted_at.toISOString(),
      })),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/legal',
      access: 'public',
      summary: 'A page of the documents of this desk, without scripts or cookies.',
      handle: async () => ({ headers: pageHeaders, body: listPage(await legal.current()) }),
    }),
    defineRoute({
      method: 'GET',
      path: '/legal/:kind',
      access: 'public',
      summary: 'The version of a document that holds now: terms, privacy or processing.',
      params: z.object({ kind: z.string().max(64) }),
      handle: (request) => pageOf(request.params.kind, undefined),
    }),
    defineRoute({
      method: 'GET',
      path: '/legal/:kind/:version',
      access: 'public',
      summary: 'One version of a document. Every version that was ever published stays.',
      params: z.object({ kind: z.string().max(64), version: z.string().max(64) }),
      handle: (request) => pageOf(request.params.kind, request.params.version),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/legal-documents',
      access: 'public',
      summary: 'Which documents hold now, in which version.',
      answer: legalDocuments,
      handle: async () => ({ body: { documents: await legal.current() } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/desk/legal-documents',
      access: 'operator',
      summary: 'Every version that was published, and how many people accepted it.',
      answer: publishedDocuments,
      handle: async () => ({ body: { documents: await published() } }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/desk/legal-documents',
      access: 'operator',
      summary: 'Publishes a version, which holds from then on. After a material one everybody is asked again.',
      body: newDocument,
      // A text may have 200,000 characters, of up to four bytes each.
      bodyBytesMax: 1024 * 1024,
      answer: publishedDocument,
      async handle(request) {
        const { kind, version, dated, text } = request.body;
        const { id } = personOf(request);
        // A day ahead, since the operator may live where it is tomorrow already.
        if (Date.parse(dated) > clock.now() + dayMs)
          throw new RequestError(
            'invalid_field',
            'A version holds from the moment it is published, so its date cannot be later. Publish it on that day.',
            { field: 'dated' },
          );
        await postgres.system(async (sql) => {
          // Two who publish at once are one after the other, so that a version is the first once.
          await sql.query('SELECT pg_advisory_xact_lock(hashtext($1))', ['legal_documents']);
          const before = await versionsOf(sql, kind);
          if (before.some((one) => one.version === version))
            throw new RequestError(
              'conflict',
              `There is a version ${version} already, and what people accepted never changes. Give this one another name.`,
              { field: 'version' },
            );
          if (before.length >= signUpLimits.versionsMax)
            throw new RequestError(
              'conflict',
              `A document has at most ${signUpLimits.versionsMax} versions, and this one has them all. Change the text less often.`,
            );
          const material = request.body.material || before.length === 0;
          await sql.run(
            `INSERT INTO legal_documents (kind, version, dated, material, text, published_at, published_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)`,
            [kind, version, dated, material, text, new Date(clock.now()), id],
          );
          const label = `${documentNames[kind]}, version ${version}`;
          await audit.record(sql, 'desk', {
            action: 'operator.document_published',
            ...actOf(request),
            targets: [{ type: 'document', id: `${kind} ${version}`, label }],
            details: { material },
          });
        });
        const made = (await published()).find((one) => one.kind === kind && one.version === version);
        return { status: 201, body: made as PublishedDocument };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/account/agreements',
      access: 'signed-in',
      summary: 'What the person who asks has accepted, and what waits to be.',
      answer: agreements,
      async handle(request) {
        const { id } = personOf(request);
        return { body: await postgres.person(id, (sql) => agreementsOf(sql, id)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/agreements',
      access: 'signed-in',
      summary: 'Accepts versions that hold now. It is written down with version, time and person, and never changed.',
      body: acceptance,
      answer: agreements,
      async handle(request) {
        const { id } = personOf(request);
        const current = await legal.current();
        const { accepted } = request.body;
        const stale = accepted.some(
          (one) => !current.some(({ kind, version }) => kind === one.kind && version === one.version),
        );
        if (stale)
          throw new RequestError(
            'conflict',
            'A document was changed while this page was open. Load the page again, and read the version that holds now.',
          );
        return postgres.person(id, async (sql) => {
          await legal.keep(sql, id, { documents: accepted, isAdult: false }, actOf(request).request);
          return { body: await agreementsOf(sql, id) };
        });
      },
    }),
  ];
}
