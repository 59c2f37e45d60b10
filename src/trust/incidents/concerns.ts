import { z } from 'zod';
import { concernWordsMax, type IncidentAnswer, type IncidentDraft } from '../../../contract/incidents.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { dayMs } from '../../platform/zone.ts';
import { readFootMarkup } from '../documents/index.ts';
import { fieldsOf, movedAnswer, nobodyPage, organisationOf, pageAnswer, unlessTooOften } from '../forms/index.ts';
import { concernForm, concernPage, type Written, writtenPage } from './concern_page.ts';

/** 4,000 characters of which each is three bytes, each byte written as three, and the other fields. */
const bodyBytesMax = 40_000;
const sent = z.object({
  said: z
    .string()
    .transform((words) => words.replaceAll('\r\n', '\n').trim())
    .pipe(z.string().min(1).max(concernWordsMax)),
  happened_on: z.union([z.literal(''), z.iso.date()]).default(''),
  reach: z.union([z.literal(''), z.email().max(254)]).default(''),
});

export interface ConcernLimits {
  /** Concerns of one network. @throws RequestError rate_limited */
  ofNetwork(address: string): Promise<void>;
  /** Concerns to one organisation, from everywhere. @throws RequestError rate_limited */
  ofOrganisation(id: number): Promise<void>;
}
type ConcernHouse = Pick<House, 'postgres' | 'clock' | 'vault' | 'audit'>;

export interface SealedConcern {
  id: number;
  said_sealed: Buffer | null;
  reach_sealed: Buffer | null;
  happened_on: string | null;
}
export const concernColumns = 'said_sealed, reach_sealed, happened_on::text';

const saidAt = (organisationId: number, row: number): Place & { class: 'D7' } => ({
  ...{ organisationId, table: 'incident_drafts', column: 'said_sealed', row, class: 'D7' },
});
const reachAt = (organisationId: number, row: number): Place & { class: 'D4' } => ({
  ...{ organisationId, table: 'incident_drafts', column: 'reach_sealed', row, class: 'D4' },
});

/** What was reported; null for a draft of an alert. */
export async function openConcern(
  vault: House['vault'],
  organisationId: number,
  { id, said_sealed: said, reach_sealed: reach, happened_on }: SealedConcern,
): Promise<IncidentDraft['concern']> {
  if (said === null) return null;
  return {
    said: (await vault.open(saidAt(organisationId, id), said)).toString('utf8'),
    happened_on,
    reach: reach === null ? null : (await vault.open(reachAt(organisationId, id), reach)).toString('utf8'),
  };
}

/** The reports that became this incident. */
export async function concernsOf(
  sql: Sql,
  vault: House['vault'],
  organisationId: number,
  incidentId: number,
): Promise<IncidentAnswer['concerns']> {
  const rows = await sql.query<SealedConcern & { raised_at: Date }>(
    `SELECT id, raised_at, ${concernColumns} FROM incident_drafts
     WHERE organisation_id = $1 AND incident_id = $2 AND kind = 'concern' ORDER BY id`,
    [organisationId, incidentId],
  );
  return Promise.all(
    rows.map(async (row) => ({
      ...((await openConcern(vault, organisationId, row)) as NonNullable<IncidentDraft['concern']>),
      reported_at: row.raised_at.toISOString(),
    })),
  );
}

/** Numbers of those reports whose address is kept. */
export async function reachedOf(sql: Sql, organisationId: number, incidentId: number): Promise<number[]> {
  const rows = await sql.query<{ id: number }>(
    'SELECT id FROM incident_drafts WHERE organisation_id = $1 AND incident_id = $2 AND reach_sealed IS NOT NULL ORDER BY id',
    [organisationId, incidentId],
  );
  return rows.map(({ id }) => id);
}

/** Pages on which anybody tells an organisation of something that went wrong. It is a draft until a member judges it. */
export function concernRoutes(house: ConcernHouse, limits: ConcernLimits, onCame: () => void): Route[] {
  const { postgres, clock, vault, audit } = house;
  const ofOrganisation = z.object({ organisation: z.string() });
  const answering = (id: number) =>
    postgres.tenant(id, async (sql) => {
      const organisation = await sql.one<{ name: string; slug: string }>(
        'SELECT name, slug FROM organisations WHERE id = $1',
        [id],
      );
      return { ...organisation, foot: await readFootMarkup(sql, id) };
    });

  function enter(organisationId: number, { said, happened_on, reach }: z.infer<typeof sent>): Promise<void> {
    return postgres.tenant(organisationId, async (sql) => {
      const { id } = await sql.one<{ id: number }>("SELECT nextval('incident_drafts_id_seq') AS id");
      await sql.run(
        `INSERT INTO incident_drafts (id, organisation_id, kind, what, raised_at, said_sealed, reach_sealed, happened_on)
         VALUES ($1, $2, 'concern', 'Somebody reported this by the public form.', $3, $4, $5, $6)`,
        [
          ...[id, organisationId, new Date(clock.now()), await vault.seal(saidAt(organisationId, id), said)],
          reach === '' ? null : await vault.seal(reachAt(organisationId, id), reach),
          happened_on === '' ? null : happened_on,
        ],
      );
      await audit.record(sql, organisationId, {
        ...{ action: 'incident.concern_came', actor: { type: 'visitor' } },
        targets: [{ type: 'draft', id, label: `concern ${id}` }],
      });
    });
  }

  /** @returns what is wrong, in a sentence */
  function wrongIn(written: Written): string | z.infer<typeof sent> {
    const read = sent.safeParse(written);
    if (read.success) {
      // A day ahead is today somewhere.
      const isAhead = read.data.happened_on !== '' && Date.parse(read.data.happened_on) > clock.now() + dayMs;
      return isAhead ? 'That day is still to come.' : read.data;
    }
    const [field] = read.error.issues.map(({ path }) => path[0]);
    if (field === 'happened_on') return 'Choose a day, or leave the field empty.';
    if (field === 'reach') return 'Write an e-mail address, or leave the field empty.';
    return `Write what happened, in ${concernWordsMax.toLocaleString('en')} characters at most.`;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/concern/:organisation',
      access: 'public',
      summary: 'A page on which anybody reports a concern to an organisation. Without scripts and cookies.',
      params: ofOrganisation,
      async handle(request) {
        const { organisation } = request.params;
        const id = await organisationOf(postgres, organisation);
        if (id === undefined) return pageAnswer(nobodyPage, 404);
        const of = await answering(id);
        return of.slug === organisation ? pageAnswer(concernPage(of)) : movedAnswer(`/concern/${of.slug}`);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/concern/:organisation',
      access: 'public',
      summary: 'Puts a concern before who keeps the register of incidents. The answer is the same whoever it is.',
      params: ofOrganisation,
      rawBodyBytesMax: bodyBytesMax,
      async handle(request) {
        const id = await organisationOf(postgres, request.params.organisation);
        if (id === undefined) return pageAnswer(nobodyPage, 404);
        const written = fieldsOf(request.body);
        return unlessTooOften(
          async () => {
            await limits.ofNetwork(request.address);
            const read = wrongIn(written);
            if (typeof read === 'string')
              return pageAnswer(concernPage(await answering(id), { written, wrong: read }), 400);
            await limits.ofOrganisation(id);
            await enter(id, read);
            onCame();
            return pageAnswer(writtenPage(await answering(id)));
          },
          () => concernForm(written),
        );
      },
    }),
  ];
}
