import { z } from 'zod';
import {
  type Hold,
  hold,
  holdRelease,
  holdReview,
  holdsAnswer,
  newHold,
  policyChange,
  policyProfiles,
  previewAnswer,
  receiptsAnswer,
  type WindowLine,
  windowsAnswer,
} from '../../../contract/windows.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs } from '../../platform/zone.ts';
import { classes } from '../classes/index.ts';
import { type HoldRow, holdsInForce, listHolds, placeHold, releaseHold, reviewHold } from './holds.ts';
import { lines, sizeOf, spanWords } from './lines.ts';
import type { Night, NightHouse } from './night.ts';
import { profileWords, readPolicy, refuseLoosening, windowOf } from './policy.ts';
import { lastNight, lastReceipts, readReceipts } from './receipts.ts';
import { classesBeside } from './stored.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofHold = ofOrganisation.extend({ hold: z.coerce.number().int().positive() });
const receiptQuestion = z.strictObject({
  before: z.coerce.number().int().positive().optional(),
  line: z.string().max(40).optional(),
});
/** Classes that something stored is of: a hold on another one would keep nothing. */
const heldClasses = classes
  .filter(({ id }) => lines.some((line) => line.class === id) || id in classesBeside)
  .map(({ id, name }) => ({ id, name }));

/** What is kept for how long, what goes tonight, what went, the policy, and holds: under Trust, of one organisation. */
export function windowRoutes(house: NightHouse, night: Night): Route[] {
  const { postgres, clock, audit, config } = house;

  async function windowsOf(organisation: number) {
    const stored = await night.stored(organisation);
    const ofDesk = await postgres.system((sql) => lastReceipts(sql, null));
    return postgres.tenant(organisation, async (sql) => {
      const policy = await readPolicy(sql, organisation);
      const last = await lastReceipts(sql, organisation);
      const sites = await sql.query<{ domain: string; months: number }>(
        'SELECT domain, retention_months AS months FROM sites WHERE organisation_id = $1 ORDER BY domain LIMIT 500',
        [organisation],
      );
      return {
        lines: lines.map((line): WindowLine => {
          const window = windowOf(line, policy);
          const receipt = (line.ofDesk === true ? ofDesk : last).get(line.name);
          const here = stored.get(line.name);
          return {
            ...{ name: line.name, class: line.class, holds: line.holds, ends: line.ends, executor: line.executor },
            class_name: classes.find(({ id }) => id === line.class)?.name ?? '',
            kept: window === undefined ? (line.until ?? '') : spanWords(window.kept),
            size: window === undefined ? null : sizeOf(window.kept),
            unit: window === undefined ? null : 'days' in window.kept ? 'days' : 'months',
            from: window?.from ?? 'ledger',
            ...{ shortened_by: line.shortenedBy, erasure: line.erasure, of_desk: line.ofDesk === true },
            tables: [...line.stored],
            stored: here === undefined ? null : { rows: here.rows, oldest: iso(here.oldestMs) },
            last:
              receipt === undefined
                ? null
                : {
                    ...{ id: receipt.id, at: receipt.began_at, state: receipt.state },
                    // Of the whole desk: how much others had to let go is not for an organisation to read.
                    rows: line.ofDesk === true ? null : receipt.rows_gone,
                  },
          };
        }),
        ...{ profile: policy.profile, version: policy.version, sites },
        profiles: policyProfiles.map((name) => ({ name, words: profileWords[name] })),
        night: await lastNight(sql),
        next: nextRun(),
      };
    });
  }

  function nextRun(): string {
    const today = Math.floor(clock.now() / dayMs) * dayMs + config.retentionHour * 3_600_000;
    return new Date(today > clock.now() ? today : today + dayMs).toISOString();
  }

  /** What a person does to holds and policy, with its act in the same transaction. */
  function act<Answer>(
    organisation: number,
    request: Parameters<typeof actOf>[0],
    work: (
      sql: Sql,
      personId: number,
    ) => Promise<{
      action: string;
      target: { type: string; id: number; label: string };
      details?: Readonly<Record<string, string | number | boolean | null>>;
      answer: Answer;
    }>,
  ): Promise<Answer> {
    return postgres.tenant(organisation, async (sql) => {
      const { action, target, details, answer } = await work(sql, (request.principal as Principal).id);
      await audit.record(sql, organisation, {
        ...{ action, ...actOf(request), targets: [target] },
        ...(details === undefined ? {} : { details }),
      });
      return answer;
    });
  }

  const shown = (row: HoldRow): Hold => ({
    ...{
      id: row.id,
      scope: row.scope,
      label: row.label,
      reason: row.reason,
      owner: row.owner,
      review_on: row.review_on,
    },
    is_review_due: row.released_at === null && Date.parse(row.review_on) <= clock.now(),
    placed_at: row.placed_at.toISOString(),
    released_at: row.released_at?.toISOString() ?? null,
    release_reason: row.release_reason,
  });

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/windows',
      access: 'audit.read',
      summary: 'Every kind of stored data: how long it is kept, who set that, what there is now, and the last receipt.',
      params: ofOrganisation,
      answer: windowsAnswer,
      async handle(request) {
        request.allow(request.params.organisation);
        return { body: await windowsOf(request.params.organisation) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/windows/tonight',
      access: 'audit.read',
      summary: 'What the next nightly run would remove, counted by the code that removes it. Nothing is changed.',
      params: ofOrganisation,
      answer: previewAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const looks = await night.preview(organisation);
        const holds = await postgres.tenant(organisation, (sql) => holdsInForce(sql, organisation));
        return {
          body: {
            at: nextRun(),
            lines: looks.map(({ line, kept, cutMs, due, problem }) => ({
              ...{ name: line.name, class: line.class, holds: line.holds, kept },
              cut_off: new Date(cutMs).toISOString(),
              tables: due.map(({ table, rows, oldestMs, isHeld = false }) => ({
                ...{ table, rows, oldest: iso(oldestMs), is_held: isHeld },
              })),
              problem: problem === undefined ? null : `It could not be looked at (${problem}). Try again in a minute.`,
            })),
            holds: holds.length,
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/windows/receipts',
      access: 'audit.read',
      summary:
        'What nightly runs removed, held and found left, the newest first; no row is in it, only a digest of keys.',
      params: ofOrganisation,
      query: receiptQuestion,
      answer: receiptsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { body: await postgres.tenant(organisation, (sql) => readReceipts(sql, organisation, request.query)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/policy',
      access: 'policy.manage',
      summary: 'Makes a further version of the policy. It may only make windows shorter; the next night acts on it.',
      params: ofOrganisation,
      body: policyChange,
      answer: windowsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const { profile, windows, from_version } = request.body;
        await act(organisation, request, async (sql, personId) => {
          await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('policy ' || $1, 0))", [String(organisation)]);
          const old = await readPolicy(sql, organisation);
          if (old.version !== from_version)
            throw new RequestError(
              'conflict',
              `The policy was changed meanwhile: it is at version ${old.version}. Read it again, then make your change.`,
            );
          refuseLoosening(old, { profile, windows });
          const version = old.version + 1;
          await sql.run(
            `INSERT INTO retention_policies (organisation_id, version, profile, windows, changed_at, changed_by)
             VALUES ($1, $2, $3, $4, $5, $6)`,
            [organisation, version, profile, JSON.stringify(windows), new Date(clock.now()), personId],
          );
          return {
            ...{ action: 'policy.changed', target: { type: 'policy', id: version, label: `version ${version}` } },
            details: { profile, ...windows },
            answer: undefined,
          };
        });
        return { body: await windowsOf(organisation) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/holds',
      access: 'audit.read',
      summary: 'Legal holds: those in force first, then those that were released.',
      params: ofOrganisation,
      answer: holdsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const rows = await postgres.tenant(organisation, listHolds);
        return { body: { holds: rows.map(shown), classes: heldClasses } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/holds',
      access: 'policy.manage',
      summary: 'Places a legal hold: what it matches is not removed until it is released.',
      params: ofOrganisation,
      body: newHold,
      answer: hold,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, async (sql, personId) => {
          const row = await placeHold(sql, organisation, request.body, { personId, nowMs: clock.now() });
          return {
            ...{ action: 'hold.placed', target: { type: 'hold', id: row.id, label: row.label } },
            details: { scope: row.scope, owner: row.owner, reason: row.reason, review_on: row.review_on },
            answer: shown(row),
          };
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/holds/:hold/review',
      access: 'policy.manage',
      summary: 'Keeps a hold in force until another day, at most 90 days ahead.',
      params: ofHold,
      body: holdReview,
      answer: hold,
      async handle(request) {
        const { organisation, hold: id } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, async (sql) => {
          const row = await reviewHold(sql, id, request.body.review_on, clock.now());
          return {
            ...{ action: 'hold.reviewed', target: { type: 'hold', id: row.id, label: row.label } },
            details: { review_on: row.review_on },
            answer: shown(row),
          };
        });
        return { body };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/holds/:hold/release',
      access: 'policy.manage',
      summary: 'Releases a hold. What it kept beyond its window goes with the next nightly run.',
      params: ofHold,
      body: holdRelease,
      answer: hold,
      async handle(request) {
        const { organisation, hold: id } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, async (sql, personId) => {
          const { reason } = request.body;
          const row = await releaseHold(sql, id, { reason, personId, nowMs: clock.now() });
          return {
            ...{ action: 'hold.released', target: { type: 'hold', id: row.id, label: row.label } },
            details: { reason },
            answer: shown(row),
          };
        });
        return { body };
      },
    }),
  ];
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
