import { z } from 'zod';
import {
  type ReportKind,
  reportChoice,
  reportLimits,
  reportQuestion,
  reportSending,
  reportSubscription,
} from '../../../contract/reports.ts';
import { openThrottles, siteOfPath } from '../../accounts/index.ts';
import { actOf } from '../../platform/audit.ts';
import { repeat } from '../../platform/clock.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import { letterPage, letterPageHeaders } from '../../platform/mail/index.ts';
import type { Gauge, House } from '../../platform/subject.ts';
import { type Asking, readReport } from './content.ts';
import { duesOf, nextDue } from './due.ts';
import { reportMail } from './letter.ts';
import { readerOf } from './records.ts';
import { letterOf, openScheduler } from './scheduler.ts';

const lookEveryMs = 60_000;
const nowLimit = {
  name: 'report-now',
  most: reportLimits.sentNowPerHourMax,
  windowMs: 3_600_000,
  what: 'reports',
};

/** Reports of a site by mail: what each person chose, a look at one, and the clock that sends them. */
export function openReports(house: House, asking: Asking): { routes: Route[]; gauges: Gauge[]; stop(): void } {
  const { postgres, clock, log, mail, config } = house;
  const scheduler = openScheduler({ ...house, asking });
  const throttles = openThrottles(house);
  const sends = config.role === 'all' || config.role === 'work';
  const stop = sends
    ? repeat(clock, lookEveryMs, scheduler.look, {
        firstMs: 15_000,
        onError: (error) => log.error('reports.look_failed', {}, error),
      })
    : () => {};

  type Found = Awaited<ReturnType<typeof siteOfPath>>;

  async function chosen(site: Found, personId: number) {
    const row = await postgres.tenant(site.organisation_id, (sql) =>
      sql.maybe<{ weekly: boolean; monthly: boolean }>(
        `SELECT weekly_since IS NOT NULL AS weekly, monthly_since IS NOT NULL AS monthly FROM report_subscriptions
         WHERE site_id = $1 AND person_id = $2`,
        [site.id, personId],
      ),
    );
    const next = (kind: ReportKind) => new Date(nextDue(kind, clock.now(), site.timezone)).toISOString();
    return {
      ...{ weekly: row?.weekly ?? false, monthly: row?.monthly ?? false },
      next: { weekly: next('weekly'), monthly: next('monthly') },
      mail_is_on: mail.inbox !== undefined || (await mail.isOn()),
    };
  }

  /** The last report of a site as a message to whoever asks for it: what is looked at is what is sent. */
  async function toAsker(site: Found, principal: Principal | undefined, kind: ReportKind) {
    const personId = personOf(principal);
    const reported = { ...site, createdAt: Date.parse(site.created_at) };
    const reader = await readerOf(house, { site: reported, personId }, clock.now());
    if (reader === undefined) throw new RequestError('not_found', 'There is no such site here.');
    const [due] = duesOf(kind, clock.now(), site.timezone, 1);
    if (due === undefined) throw new Error('There is always a last week and a last month.');
    const values = letterOf(mail, await readReport(asking, reported, due, reader.locale));
    return { template: reportMail, to: reader.to, values, personId, organisationId: site.organisation_id };
  }

  const ofSite = z.object({ domain: z.string() });
  const routes = [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/report-subscription',
      access: 'stats.read',
      summary: 'Which reports of a site the asker gets by mail, and when the next ones are due.',
      params: ofSite,
      answer: reportSubscription,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { body: await chosen(site, personOf(request.principal)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/report-subscription',
      access: 'stats.read',
      summary: 'Sets which reports of a site the asker gets by mail.',
      params: ofSite,
      body: reportChoice,
      answer: reportSubscription,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const personId = personOf(request.principal);
        const { weekly, monthly } = request.body;
        const before = await chosen(site, personId);
        await postgres.tenant(site.organisation_id, async (sql) => {
          const of = [site.organisation_id, site.id, personId];
          if (!weekly && !monthly)
            await sql.run(
              'DELETE FROM report_subscriptions WHERE organisation_id = $1 AND site_id = $2 AND person_id = $3',
              of,
            );
          else
            await sql.run(
              `INSERT INTO report_subscriptions AS r (organisation_id, site_id, person_id, weekly_since, monthly_since)
               VALUES ($1, $2, $3, CASE WHEN $4 THEN $6::timestamptz END, CASE WHEN $5 THEN $6::timestamptz END)
               ON CONFLICT (organisation_id, site_id, person_id) DO UPDATE SET
                 weekly_since = CASE WHEN $4 THEN coalesce(r.weekly_since, $6) END,
                 monthly_since = CASE WHEN $5 THEN coalesce(r.monthly_since, $6) END`,
              [...of, weekly, monthly, new Date(clock.now())],
            );
          if (weekly === before.weekly && monthly === before.monthly) return;
          await house.audit.record(sql, site.organisation_id, {
            ...actOf(request),
            action: weekly || monthly ? 'report.subscribed' : 'report.unsubscribed',
            targets: [{ type: 'site', id: site.id, label: site.domain }],
            details: { weekly, monthly },
          });
        });
        return { body: await chosen(site, personId) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/report-preview',
      access: 'stats.read',
      summary: 'The report of the last whole week or month, as HTML.',
      params: ofSite,
      query: reportQuestion,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const message = await toAsker(site, request.principal, request.query.kind);
        const letter = await postgres.tenant(site.organisation_id, (sql) => mail.letter(sql, message));
        return {
          headers: letterPageHeaders,
          body: letterPage(letter),
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/report-sendings',
      access: 'stats.read',
      summary: 'Sends the report of the last whole week or month to the asker, now.',
      params: ofSite,
      body: reportSending,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const personId = personOf(request.principal);
        await throttles.take(nowLimit, String(personId));
        const message = await toAsker(site, request.principal, request.body.kind);
        await postgres.tenant(site.organisation_id, (sql) => mail.send(sql, message));
        return { status: 202, body: {} };
      },
    }),
  ];
  return {
    routes,
    gauges: [
      {
        name: 'fairlead_reports_total',
        help: 'Reports by mail since the start, by what became of them.',
        kind: 'counter',
        read: () => Object.entries(scheduler.counts).map(([outcome, value]) => ({ labels: { outcome }, value })),
      },
    ],
    stop,
  };
}

/** Reports are a person's own: a key has no mailbox. */
function personOf(principal: Principal | undefined): number {
  if (principal?.kind === 'person') return principal.id;
  throw new RequestError('forbidden', 'Reports go to the people of an organisation. Sign in to choose yours.');
}
