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
  withdrawal,
} from '../../../contract/sign_up.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { pageHeaders, readFootMarkup } from '../../trust/documents/index.ts';
import { personOf } from '../people/parts.ts';
import type { Legal } from './index.ts';
import { documentPage, listPage, missingPage, noneHoldsPage, type Version } from './page.ts';
import { documentNames, pathOf } from './words.ts';

type Row = Omit<LegalDocument, 'path'>;
type Stored = Row & { number: number; withdrawn_at: Date | null; withdrawn_reason: string | null };
const stored = `SELECT d.kind, d.version, d.dated::text, d.number, w.withdrawn_at, w.reason AS withdrawn_reason
  FROM legal_documents d LEFT JOIN legal_withdrawals w ON w.number = d.number`;
/** Taken while versions are written: two who publish or withdraw at once are one after the other. */
const lock = "SELECT pg_advisory_xact_lock(hashtext('legal_documents'))";
const ofVersion = z.object({ kind: z.enum(documentKinds), version: z.string().max(64) });
const withPath = <T extends Row>(row: T) => ({ ...row, path: pathOf(row.kind, row.version) });

/** The texts of the desk for everybody, publishing them for whoever runs it, and accepting them for each person. */
export function legalRoutes(
  { postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>,
  legal: Pick<Legal, 'current' | 'keep'>,
): Route[] {
  const notThere = { status: 404, headers: pageHeaders, body: missingPage() };

  /** All versions of one kind, the newest first. */
  const versionsOf = (sql: Sql, kind: string) =>
    sql.query<Stored>(`${stored} WHERE d.kind = $1 ORDER BY d.number DESC`, [kind]);
  const shownOf = (row: Stored): Version => ({
    ...withPath(row),
    withdrawn:
      row.withdrawn_at === null
        ? undefined
        : { on: row.withdrawn_at.toISOString().slice(0, 10), reason: row.withdrawn_reason ?? '' },
  });

  async function pageOf(kind: LegalDocument['kind'], wanted: string | undefined) {
    return postgres.system(async (sql) => {
      const versions = (await versionsOf(sql, kind)).map(shownOf);
      const version = wanted ?? versions.find(({ withdrawn }) => withdrawn === undefined)?.version;
      const headers = { ...pageHeaders, 'cache-control': 'no-cache' };
      const foot = await readFootMarkup(sql);
      if (version === undefined)
        return versions.length === 0 ? notThere : { headers, body: noneHoldsPage(versions, foot) };
      const shown = versions.find((one) => one.version === version);
      if (shown === undefined) return notThere;
      const { text } = await sql.one<{ text: string }>(
        'SELECT text FROM legal_documents WHERE kind = $1 AND version = $2',
        [kind, version],
      );
      return { headers, body: documentPage({ ...shown, text }, versions, foot) };
    });
  }

  async function published(): Promise<PublishedDocument[]> {
    return postgres.system(async (sql) => {
      const rows = await sql.query<
        Row & {
          material: boolean;
          published_at: Date;
          acceptances: number;
          withdrawn_at: Date | null;
          withdrawn_reason: string | null;
        }
      >(
        `SELECT d.kind, d.version, d.dated::text, d.material, d.published_at,
           lookup.acceptances_of_version(d.kind, d.version) AS acceptances, w.withdrawn_at, w.reason AS withdrawn_reason
         FROM legal_documents d LEFT JOIN legal_withdrawals w ON w.number = d.number ORDER BY d.number DESC`,
      );
      const holding = await legal.current();
      return rows.map(({ published_at, withdrawn_at, ...row }) => ({
        ...withPath(row),
        published_at: published_at.toISOString(),
        withdrawn_at: withdrawn_at?.toISOString() ?? null,
        is_current: holding.some(({ kind, version }) => kind === row.kind && version === row.version),
      }));
    });
  }

  async function agreementsOf(sql: Sql, personId: number) {
    const due = await sql.query<Row>('SELECT kind, version, dated::text FROM documents_due($1)', [personId]);
    const kept = await sql.query<{
      kind: LegalDocument['kind'] | 'age';
      version: string;
      accepted_at: Date;
      withdrawn_at: Date | null;
    }>(
      `SELECT a.kind, a.version, a.accepted_at, w.withdrawn_at FROM acceptances a
       LEFT JOIN legal_documents d ON d.kind = a.kind AND d.version = a.version
       LEFT JOIN legal_withdrawals w ON w.number = d.number
       WHERE a.person_id = $1 ORDER BY a.accepted_at DESC, a.kind`,
      [personId],
    );
    return {
      due: due.map(withPath).sort((a, b) => documentKinds.indexOf(a.kind) - documentKinds.indexOf(b.kind)),
      accepted: kept.map(({ kind, version, accepted_at, withdrawn_at }) => ({
        kind,
        version,
        path: kind === 'age' ? null : pathOf(kind, version),
        accepted_at: accepted_at.toISOString(),
        withdrawn_at: withdrawn_at?.toISOString() ?? null,
      })),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/legal',
      access: 'public',
      summary: 'A page of the documents of this desk, without scripts or cookies.',
      async handle() {
        return postgres.system(async (sql) => {
          const rows = await sql.query<Stored>(`${stored} ORDER BY d.number DESC`);
          return { headers: pageHeaders, body: listPage(rows.map(shownOf), await readFootMarkup(sql)) };
        });
      },
    }),
    // By name, since any other word there is an organisation (trust/documents).
    ...documentKinds.flatMap((kind) => [
      defineRoute({
        method: 'GET',
        path: `/legal/${kind}`,
        access: 'public',
        summary: `The version that holds now: ${documentNames[kind].toLowerCase()}.`,
        handle: () => pageOf(kind, undefined),
      }),
      defineRoute({
        method: 'GET',
        path: `/legal/${kind}/:version`,
        access: 'public',
        summary: 'One version of it. Every version that was ever published stays, one that was withdrawn too.',
        params: z.object({ version: z.string().max(64) }),
        handle: (request) => pageOf(kind, request.params.version),
      }),
    ]),
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
          await sql.query(lock);
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
          // Of the first one that holds everybody is asked.
          const material = request.body.material || before.every((one) => one.withdrawn_at !== null);
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
      method: 'POST',
      path: '/api/desk/legal-documents/:kind/:version/withdrawals',
      access: 'operator',
      summary:
        'Takes a version back that was published by mistake: it holds no more, and what was accepted of it counts for nothing.',
      params: ofVersion,
      body: withdrawal,
      answer: publishedDocument,
      async handle(request) {
        const { kind, version } = request.params;
        const { id } = personOf(request);
        await postgres.system(async (sql) => {
          await sql.query(lock);
          const found = (await versionsOf(sql, kind)).find((one) => one.version === version);
          if (found === undefined)
            throw new RequestError('not_found', 'There is no such version of this document here.');
          if (found.withdrawn_at !== null)
            throw new RequestError(
              'conflict',
              `Version ${version} was withdrawn already. Publish a new one to follow it.`,
            );
          await sql.run(
            'INSERT INTO legal_withdrawals (number, reason, withdrawn_at, withdrawn_by) VALUES ($1, $2, $3, $4)',
            [found.number, request.body.reason, new Date(clock.now()), id],
          );
          await audit.record(sql, 'desk', {
            action: 'operator.document_withdrawn',
            ...actOf(request),
            targets: [
              { type: 'document', id: `${kind} ${version}`, label: `${documentNames[kind]}, version ${version}` },
            ],
            details: { reason: request.body.reason },
          });
        });
        const withdrawn = (await published()).find((one) => one.kind === kind && one.version === version);
        return { status: 201, body: withdrawn as PublishedDocument };
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
