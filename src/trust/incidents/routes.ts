import { z } from 'zod';
import {
  affectedAnswer,
  type DraftDecision,
  draftDecision,
  type IncidentAnswer,
  incidentAnswer,
  incidentClosing,
  incidentDrafts,
  incidentEntry,
  incidentReport,
  incidentsAnswer,
  newIncident,
} from '../../../contract/incidents.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { affectedBy } from './affected.ts';
import { concernsOf, reachedOf } from './concerns.ts';
import { decideDraft, listDrafts } from './drafts.ts';
import {
  addEntry,
  clockOf,
  closeIncident,
  dueMs,
  type IncidentRow,
  listIncidents,
  openIncident,
  readIncident,
  readLog,
  reportIncident,
} from './register.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofIncident = ofOrganisation.extend({ incident: z.coerce.number().int().positive() });
const ofDraft = ofOrganisation.extend({ draft: z.coerce.number().int().positive() });
const listQuestion = z.strictObject({ before: z.coerce.number().int().positive().optional() });

/** What went wrong, whom it touched and who was told: under Trust, of one organisation. */
export function incidentRoutes(house: Pick<House, 'postgres' | 'warehouse' | 'clock' | 'audit' | 'vault'>): Route[] {
  const { postgres, clock, audit, vault } = house;

  const summary = (row: IncidentRow) => ({
    ...{ id: row.id, title: row.title, severity: row.severity, classes: row.classes, sites: row.sites },
    began_at: row.began_at.toISOString(),
    known_at: row.known_at.toISOString(),
    opened_at: row.opened_at.toISOString(),
    due_at: new Date(dueMs(row)).toISOString(),
    clock: clockOf(row, clock.now()),
    closed_at: row.closed_at?.toISOString() ?? null,
  });
  const shown = async (sql: Sql, organisation: number, row: IncidentRow): Promise<IncidentAnswer> => ({
    ...summary(row),
    ...{ what: row.what, authority: row.authority, untold_reason: row.untold_reason },
    told_at: row.told_at?.toISOString() ?? null,
    concerns: await concernsOf(sql, vault, organisation, row.id),
    log: await readLog(sql, vault, organisation, row.id),
  });

  /** Whoever reads the address of somebody who reported a concern is written down. */
  async function noteReading(
    sql: Sql,
    organisation: number,
    request: Parameters<typeof actOf>[0],
    ids: readonly number[],
  ): Promise<void> {
    if (ids.length === 0) return;
    await audit.record(sql, organisation, {
      ...{ action: 'incident.concern_read', ...actOf(request) },
      targets: ids.slice(0, 20).map((id) => ({ type: 'draft', id, label: `concern ${id}` })),
    });
  }

  /** A change with its act in one transaction. What was written in words stays in the register, out of the audit log. */
  function act(
    organisation: number,
    request: Parameters<typeof actOf>[0],
    action: string,
    work: (sql: Sql, by: { personId: number; nowMs: number }) => Promise<IncidentRow>,
  ): Promise<IncidentAnswer> {
    return postgres.tenant(organisation, async (sql) => {
      const row = await work(sql, { personId: (request.principal as Principal).id, nowMs: clock.now() });
      const label = `incident ${row.id}`;
      await audit.record(sql, organisation, {
        ...{ action, ...actOf(request), targets: [{ type: 'incident', id: row.id, label }] },
        details: { severity: row.severity, clock: clockOf(row, clock.now()) },
      });
      return shown(sql, organisation, row);
    });
  }

  async function judge(
    sql: Sql,
    request: Parameters<typeof actOf>[0],
    { organisation, draft, decision }: { organisation: number; draft: number; decision: DraftDecision },
  ): Promise<void> {
    const by = { personId: (request.principal as Principal).id, nowMs: clock.now() };
    const { kind } = await decideDraft(sql, organisation, draft, decision, by);
    const label = kind === 'concern' ? `concern ${draft}` : `the alert ${kind.replaceAll('_', ' ')}`;
    await audit.record(sql, organisation, {
      ...{ action: 'incident.judged', ...actOf(request), targets: [{ type: 'draft', id: draft, label }] },
      details: { incident: decision.incident ?? null },
    });
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/incidents',
      access: 'audit.read',
      summary: 'The register of incidents, the newest first, each with the state of its clock of 72 hours.',
      params: ofOrganisation,
      query: listQuestion,
      answer: incidentsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const found = await postgres.tenant(organisation, (sql) =>
          listIncidents(sql, organisation, request.query.before),
        );
        return { body: { incidents: found.incidents.map(summary), next: found.next } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/incidents',
      access: 'policy.manage',
      summary: 'Enters an incident. The clock of 72 hours runs from when it became known.',
      params: ofOrganisation,
      body: newIncident,
      answer: incidentAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const { draft } = request.body;
        const body = await act(organisation, request, 'incident.opened', async (sql, by) => {
          const row = await openIncident(sql, organisation, request.body, by);
          if (draft !== undefined) await judge(sql, request, { organisation, draft, decision: { incident: row.id } });
          return row;
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/incidents/:incident',
      access: 'audit.read',
      summary: 'One incident with its log.',
      params: ofIncident,
      answer: incidentAnswer,
      async handle(request) {
        const { organisation, incident } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const one = await shown(sql, organisation, await readIncident(sql, organisation, incident));
          await noteReading(
            ...([sql, organisation, request] as const),
            one.concerns.some(({ reach }) => reach !== null) ? await reachedOf(sql, organisation, incident) : [],
          );
          return one;
        });
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/incidents/:incident/affected',
      access: 'audit.read',
      summary: 'How many visitors, sites and members an incident touched, with the question asked. Never who.',
      params: ofIncident,
      answer: affectedAnswer,
      async handle(request) {
        const { organisation, incident } = request.params;
        request.allow(organisation);
        const row = await postgres.tenant(organisation, (sql) => readIncident(sql, organisation, incident));
        return { body: { counts: await affectedBy(house, organisation, row) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/incidents/:incident/entries',
      access: 'policy.manage',
      summary: 'Adds to the log what was found or which measure was taken. No entry is ever changed.',
      params: ofIncident,
      body: incidentEntry,
      answer: incidentAnswer,
      async handle(request) {
        const { organisation, incident } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, 'incident.added_to', (sql, by) =>
          addEntry(sql, organisation, incident, request.body, by),
        );
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/incidents/:incident/report',
      access: 'policy.manage',
      summary: 'Says which authority was told and when, or why none was. That stops the clock.',
      params: ofIncident,
      body: incidentReport,
      answer: incidentAnswer,
      async handle(request) {
        const { organisation, incident } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, 'incident.reported', (sql, by) =>
          reportIncident(sql, organisation, incident, request.body, by),
        );
        return { body };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/incidents/:incident/closing',
      access: 'policy.manage',
      summary: 'Closes an incident, once it is decided whether an authority is told.',
      params: ofIncident,
      body: incidentClosing,
      answer: incidentAnswer,
      async handle(request) {
        const { organisation, incident } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, 'incident.closed', (sql, by) =>
          closeIncident(sql, organisation, incident, request.body.said, by),
        );
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/incident-drafts',
      access: 'audit.read',
      summary: 'What alerts saw or somebody reported, and nobody has judged yet, the newest first.',
      params: ofOrganisation,
      answer: incidentDrafts,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const drafts = await postgres.tenant(organisation, async (sql) => {
          const all = await listDrafts(sql, organisation, vault);
          await noteReading(
            ...([sql, organisation, request] as const),
            all.filter(({ concern }) => concern?.reach != null).map(({ id }) => id),
          );
          return all;
        });
        return { body: { drafts } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/incident-drafts/:draft',
      access: 'policy.manage',
      summary: 'Judges what an alert saw or somebody reported: the incident that it became, or why it is none.',
      params: ofDraft,
      body: draftDecision,
      answer: incidentDrafts,
      async handle(request) {
        const { organisation, draft } = request.params;
        request.allow(organisation);
        const drafts = await postgres.tenant(organisation, async (sql) => {
          await judge(sql, request, { organisation, draft, decision: request.body });
          return listDrafts(sql, organisation, vault);
        });
        return { body: { drafts } };
      },
    }),
  ];
}
