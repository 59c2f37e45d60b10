import { type ReportKind, reportKinds, reportLimits } from '../../../contract/reports.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Mail } from '../../platform/mail/index.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';
import { dayMs } from '../../platform/zone.ts';
import { type Asking, readReport } from './content.ts';
import { type Due, duesOf } from './due.ts';
import { type ReportLetter, reportMail } from './letter.ts';
import { claim, decided, everySubscription, type Outcome, readerOf, type Subscription } from './records.ts';

/** How far back it is looked for reports that never left: each is counted once as too late. */
const lookedBack: Readonly<Record<ReportKind, number>> = { weekly: 5, monthly: 2 };

export interface ReportParts {
  postgres: Postgres;
  clock: Clock;
  log: Log;
  mail: Pick<Mail, 'send' | 'isOn' | 'link' | 'inbox'>;
  vault: Vault;
  asking: Asking;
}

/**
 * Sends what is due. What was sent is in a table, whose row is written in the transaction that puts the mail into the
 * outbox: so each report leaves once, whatever restarts, clocks and other processes do.
 */
export function openScheduler(parts: ReportParts) {
  const { postgres, clock, log, mail, asking } = parts;
  const counts: Record<Outcome | 'failed', number> = { sent: 0, too_late: 0, no_access: 0, failed: 0 };

  async function decide(subscription: Subscription, due: Due, now: number): Promise<Outcome | undefined> {
    const { site, personId } = subscription;
    const only = (outcome: Outcome) =>
      postgres.tenant(site.organisation_id, async (sql) =>
        (await claim(sql, subscription, due, outcome, now)) ? outcome : undefined,
      );
    if (now - due.at > reportLimits.lateDaysMax * dayMs) return only('too_late');
    const reader = await readerOf(parts, subscription, now);
    if (reader === undefined) return only('no_access');
    const content = await readReport(asking, site, due, reader.locale);
    return postgres.tenant(site.organisation_id, async (sql) => {
      if (!(await claim(sql, subscription, due, 'sent', now))) return undefined;
      await mail.send(sql, {
        ...{ template: reportMail, to: reader.to, personId, organisationId: site.organisation_id },
        values: letterOf(mail, content),
      });
      return 'sent';
    });
  }

  return {
    counts,
    /** One look; the process takes it every minute. */
    async look(): Promise<void> {
      const now = clock.now();
      // Without a server nothing is decided: what is due waits for one, for three days.
      if (mail.inbox === undefined && !(await mail.isOn())) return;
      for (const subscription of await everySubscription(postgres)) {
        const { site } = subscription;
        const dues = reportKinds.flatMap((kind) => {
          const since = subscription.since[kind];
          if (since === undefined) return [];
          return duesOf(kind, now, subscription.site.timezone, lookedBack[kind]).filter(({ at }) => at >= since);
        });
        if (dues.length === 0) continue;
        try {
          const known = await decided(postgres, subscription);
          for (const due of dues.filter((one) => !known.has(`${one.kind} ${one.range.from}`))) {
            const outcome = await decide(subscription, due, now);
            if (outcome !== undefined) counts[outcome]++;
            if (outcome === 'sent') log.info('report.sent', { site: site.id, organisation: site.organisation_id });
          }
        } catch (error) {
          // One that fails holds up no other, and is tried again at the next look.
          counts.failed++;
          log.error('report.failed', { site: site.id, organisation: site.organisation_id }, error);
        }
      }
    },
  };
}

/** @param mail says where the desk is reached */
export function letterOf(mail: Pick<Mail, 'link'>, content: ReportLetter['content']): ReportLetter {
  const site = encodeURIComponent(content.domain);
  const { from, to } = content.due.range;
  return {
    content,
    overview: mail.link(`/s/${site}/analytics?period=${from}..${to}`),
    settings: mail.link(`/s/${site}/settings#reports`),
  };
}
