import { z } from 'zod';
import {
  agreementAcceptance,
  identityAnswer,
  operatorIdentity,
  operatorIdentityAnswer,
  organisationIdentity,
  type PaperAnswer,
  type PaperBlock,
  type PaperKind,
  type PaperSummary,
  type PapersAnswer,
  paperAnswer,
  paperKinds,
  paperNames,
  paperPublication,
  paperReview,
  papersAnswer,
} from '../../../contract/documents.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import type { DeskFacts } from './desk_facts.ts';
import { diffOf } from './diff.ts';
import type { Facts } from './facts.ts';
import { readIdentity, readOperator, writeIdentity, writeOperator } from './identity.ts';
import { type Block, factsIn, linesOf, linesOfMap } from './paper.ts';
import { drawMap } from './picture.ts';
import { type Teller, tellMembers } from './telling.ts';
import {
  digestOf,
  holdingOn,
  publish,
  type ReviewRow,
  readContent,
  readReviews,
  readVersions,
  review,
  shownVersion,
  type VersionRow,
} from './versions.ts';
import { writePaper } from './write.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofPaper = ofOrganisation.extend({ kind: z.enum(paperKinds) });
/** How far ahead a version may be published. */
const aheadDaysMax = 365;

/** Who somebody is, and the documents of an organisation: read, said to be read, published, accepted. */
export function documentRoutes(
  { postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>,
  facts: DeskFacts,
  notices: Teller,
): Route[] {
  const today = () => utcDay(clock.now());
  const by = (request: { principal: Principal | undefined }) => ({
    personId: (request.principal as Principal).id,
    nowMs: clock.now(),
  });

  async function baseOf(sql: Sql, organisation: number): Promise<string> {
    const { slug } = await sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [organisation]);
    return `/legal/${slug}`;
  }

  async function papers(sql: Sql, organisation: number): Promise<PapersAnswer> {
    const known = await facts.of(sql, organisation);
    const versions = await readVersions(sql, organisation);
    const reviews = await readReviews(sql, organisation);
    const path = await baseOf(sql, organisation);
    const accepted = await sql.maybe<{ version: number; accepted_at: Date; accepted_by: number }>(
      `SELECT version, accepted_at, accepted_by FROM agreement_acceptances WHERE organisation_id = $1
       ORDER BY version DESC LIMIT 1`,
      [organisation],
    );
    const shown: PaperSummary[] = [];
    for (const kind of paperKinds) {
      const of = versions.filter((one) => one.kind === kind);
      shown.push((await summaryOf(sql, organisation, kind, { facts: known, versions: of, reviews, path })).summary);
    }
    return {
      ...{ papers: shown, path },
      acceptance:
        accepted === undefined
          ? null
          : { version: accepted.version, at: accepted.accepted_at.toISOString(), by: accepted.accepted_by },
    };
  }

  async function summaryOf(
    sql: Sql,
    organisation: number,
    kind: PaperKind,
    known: { facts: Facts; versions: VersionRow[]; reviews: ReviewRow[]; path: string },
  ) {
    const { paper, gaps } = writePaper(kind, known.facts);
    const digest = digestOf(paper);
    const [newest] = known.versions;
    const read = known.reviews.find((one) => one.kind === kind && one.digest === digest);
    const before = newest === undefined ? undefined : await readContent(sql, organisation, kind, newest.version);
    const diff = before === undefined ? [] : diffOf(linesOf(before), linesOf(paper));
    const count = (sign: string) => diff.filter((one) => one.sign === sign).length;
    const summary: PaperSummary = {
      ...{ kind, name: paperNames[kind], gaps, digest },
      state: newest?.digest === digest ? 'published' : read === undefined ? 'draft' : 'reviewed',
      review: read === undefined ? null : { at: read.reviewed_at.toISOString(), by: read.reviewed_by },
      newest: newest === undefined ? null : shownVersion(newest, known.path),
      changed: { added: count('+'), removed: count('-') },
    };
    return { summary, paper, diff, hasChangedFacts: before === undefined || factsIn(before) !== factsIn(paper) };
  }

  async function paperOf(sql: Sql, organisation: number, kind: PaperKind): Promise<PaperAnswer> {
    const known = await facts.of(sql, organisation);
    const versions = await readVersions(sql, organisation, kind);
    const path = await baseOf(sql, organisation);
    const reviews = await readReviews(sql, organisation);
    const { summary, paper, diff, hasChangedFacts } = await summaryOf(sql, organisation, kind, {
      ...{ facts: known, versions, reviews, path },
    });
    return {
      ...summary,
      title: paper.title,
      sections: paper.sections.map(({ title, blocks }) => ({
        title,
        blocks: blocks.map((one) => shownBlock(one, title)),
      })),
      ...{ diff, has_changed_facts: hasChangedFacts },
      versions: versions.map((one) => shownVersion(one, path)),
    };
  }

  /** The document as it is now, if it still says what the asker has read. */
  async function asRead(sql: Sql, organisation: number, kind: PaperKind, digest: string) {
    await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('documents ' || $1, 0))", [String(organisation)]);
    const written = writePaper(kind, await facts.of(sql, organisation));
    if (digestOf(written.paper) !== digest)
      throw new RequestError('conflict', 'It says something else by now. Load it again, and read what has changed.');
    return written;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/identity',
      access: 'organisation.read',
      summary: 'Who the organisation is and who runs this desk: name, address, contact for data, officer, authority.',
      params: ofOrganisation,
      answer: identityAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => ({
          organisation: await readIdentity(sql, organisation),
          operator: await readOperator(sql),
        }));
        return { body };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/identity',
      access: 'policy.manage',
      summary:
        'Says who the organisation is, as a further version. It appears in every document, reply and public page.',
      params: ofOrganisation,
      body: organisationIdentity,
      answer: identityAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const written = await writeIdentity(sql, organisation, request.body, by(request));
          await audit.record(sql, organisation, {
            ...{ action: 'identity.changed', ...actOf(request) },
            targets: [{ type: 'identity', id: organisation, label: written.legal_name ?? 'no name' }],
            details: { version: written.version, contact: written.contact, officer: written.officer },
          });
          return { organisation: written, operator: await readOperator(sql) };
        });
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/desk/identity',
      access: 'operator',
      summary: 'Who runs this desk, as every document of its organisations names them.',
      answer: operatorIdentityAnswer,
      handle: async () => ({ body: await postgres.system(readOperator) }),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/desk/identity',
      access: 'operator',
      summary: 'Says who runs this desk, as a further version.',
      body: operatorIdentity,
      answer: operatorIdentityAnswer,
      async handle(request) {
        const body = await postgres.system(async (sql) => {
          const written = await writeOperator(sql, request.body, by(request));
          await audit.record(sql, 'desk', {
            ...{ action: 'operator.identity_changed', ...actOf(request) },
            targets: [{ type: 'identity', id: 'desk', label: written.legal_name ?? 'no name' }],
            details: { version: written.version, contact: written.contact, officer: written.officer },
          });
          return written;
        });
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/documents',
      access: 'audit.read',
      summary: 'The documents of the organisation: state, what is missing, what has changed since they were published.',
      params: ofOrganisation,
      answer: papersAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        await facts.prepare();
        return { body: await postgres.tenant(organisation, (sql) => papers(sql, organisation)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/documents/:kind',
      access: 'audit.read',
      summary: 'One document as it is now, what differs from the newest version, and every version.',
      params: ofPaper,
      answer: paperAnswer,
      async handle(request) {
        const { organisation, kind } = request.params;
        request.allow(organisation);
        await facts.prepare();
        return { body: await postgres.tenant(organisation, (sql) => paperOf(sql, organisation, kind)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/documents/:kind/reviews',
      access: 'policy.manage',
      summary: 'Says that one has read exactly these words. It is of no others: a changed fact makes it a draft again.',
      params: ofPaper,
      body: paperReview,
      answer: paperAnswer,
      async handle(request) {
        const { organisation, kind } = request.params;
        request.allow(organisation);
        await facts.prepare();
        const body = await postgres.tenant(organisation, async (sql) => {
          const { digest } = request.body;
          await asRead(sql, organisation, kind, digest);
          await review(sql, organisation, kind, digest, by(request));
          await audit.record(sql, organisation, {
            ...{ action: 'document.reviewed', ...actOf(request) },
            targets: [{ type: 'document', id: kind, label: paperNames[kind] }],
            details: { digest },
          });
          return paperOf(sql, organisation, kind);
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/documents/:kind/versions',
      access: 'policy.manage',
      summary:
        'Publishes words that were read and lack nothing, from a day on. Every member is told in the desk and by mail.',
      params: ofPaper,
      body: paperPublication,
      answer: paperAnswer,
      async handle(request) {
        const { organisation, kind } = request.params;
        request.allow(organisation);
        await facts.prepare();
        const { digest, effective_on: effectiveOn, is_material: isMaterial } = request.body;
        const last = utcDay(clock.now() + aheadDaysMax * dayMs);
        if (effectiveOn < today() || effectiveOn > last)
          throw new RequestError('invalid_field', `It takes effect today or within ${aheadDaysMax} days.`, {
            field: 'effective_on',
          });
        const body = await postgres.tenant(organisation, async (sql) => {
          const { paper, gaps } = await asRead(sql, organisation, kind, digest);
          const [newest] = await readVersions(sql, organisation, kind);
          const before = newest === undefined ? undefined : await readContent(sql, organisation, kind, newest.version);
          if (!isMaterial && (before === undefined || factsIn(before) !== factsIn(paper)))
            throw new RequestError(
              'invalid_field',
              'A fact in it is another one, so members have to be told. Only a change of wording alone need not be.',
              { field: 'is_material' },
            );
          const version = await publish(sql, organisation, { paper, gaps, effectiveOn, isMaterial }, by(request));
          const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [
            organisation,
          ]);
          const told = isMaterial
            ? await tellMembers(
                sql,
                notices,
                { organisationId: organisation, kind, version, nowMs: clock.now() },
                {
                  name: 'document_changed',
                  facts: { document: paperNames[kind], organisation: name, version, day: effectiveOn },
                  link: `${await baseOf(sql, organisation)}/${kind}/${version}`,
                },
              )
            : 0;
          await audit.record(sql, organisation, {
            ...{ action: 'document.published', ...actOf(request) },
            targets: [{ type: 'document', id: kind, label: `${paperNames[kind]}, version ${version}` }],
            details: { version, effective_on: effectiveOn, material: isMaterial, told },
          });
          return paperOf(sql, organisation, kind);
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/agreement-acceptances',
      access: 'organisation.own',
      summary: 'Accepts the version of the processing agreement that holds, for the organisation.',
      params: ofOrganisation,
      body: agreementAcceptance,
      answer: papersAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        await facts.prepare();
        const { version } = request.body;
        const body = await postgres.tenant(organisation, async (sql) => {
          const versions = await readVersions(sql, organisation, 'processing-agreement');
          if (holdingOn(versions, today())?.version !== version)
            throw new RequestError(
              'conflict',
              'This is not the version that holds today. Load the page again, and read that one.',
            );
          const { personId, nowMs } = by(request);
          const kept = await sql.run(
            `INSERT INTO agreement_acceptances (organisation_id, version, accepted_at, accepted_by) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING`,
            [organisation, version, new Date(nowMs), personId],
          );
          if (kept > 0)
            await audit.record(sql, organisation, {
              ...{ action: 'agreement.accepted', ...actOf(request) },
              targets: [
                { type: 'document', id: 'processing-agreement', label: `the processing agreement, version ${version}` },
              ],
              details: { version },
            });
          return papers(sql, organisation);
        });
        return { status: 201, body };
      },
    }),
  ];
}

function shownBlock(block: Block, title: string): PaperBlock {
  if (block.kind !== 'map') return block;
  const { columns, ways } = block;
  return { kind: 'picture', svg: drawMap(columns, ways, title), lines: linesOfMap(columns, ways) };
}
