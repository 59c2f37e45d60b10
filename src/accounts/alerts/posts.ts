import { alertLimits } from '../../../contract/alert_kinds.ts';
import { callbackPauseMs, callbackTriesMax, postCallback, webhookSignature } from '../../platform/outbound/index.ts';
import { aloneIn, everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import type { Facts } from '../mail/notice_list.ts';
import { wordsOf } from '../mail/notice_list.ts';
import type { Notices } from '../mail/notices.ts';
import { postedText } from './queue.ts';

const hourMs = 3_600_000;
/** Of one organisation in one look. */
const atOnceMax = 50;

export type AlertHouse = Pick<
  House,
  'postgres' | 'clock' | 'log' | 'vault' | 'mail' | 'outbound' | 'audit' | 'random' | 'isOutwardHeld'
>;

export type SealedOfHook = 'url_sealed' | 'secret_sealed' | 'former_secret_sealed';

export function hookPlace(organisationId: number, column: SealedOfHook): Place & { class: 'D9' } {
  return { organisationId, table: 'alert_hooks', column, row: organisationId, class: 'D9' };
}

export interface Due {
  organisation_id: number;
  id: number;
  message_id: string;
  notice: string;
  facts: Facts;
  link: string | null;
  created_at: Date;
  tries: number;
  url_sealed: Buffer;
  secret_sealed: Buffer;
  former_secret_sealed: Buffer | null;
  former_secret_until: Date | null;
}

export const dueSelect = `SELECT p.organisation_id, p.id, p.message_id, p.notice, p.facts, p.link, p.created_at, p.tries,
    h.url_sealed, h.secret_sealed, h.former_secret_sealed, h.former_secret_until
  FROM alert_posts p JOIN alert_hooks h ON h.organisation_id = p.organisation_id`;

/**
 * Posts what is due, signed, until it is taken: ten tries over three days, as other callbacks. An address that does not take one
 * gets no other in the same look. A kill between the call and its note posts it once more, under the same `webhook-id`.
 */
export function openAlertPosts(house: AlertHouse, notices: Pick<Notices, 'tell'>) {
  const { postgres, clock, log, vault, mail, outbound } = house;
  const alone = aloneIn(postgres, clock);

  /** One try. @returns why it was not taken; undefined where it was */
  async function post(one: Due): Promise<string | undefined> {
    const open = async (column: SealedOfHook, sealed: Buffer) =>
      (await vault.open(hookPlace(one.organisation_id, column), sealed, { purpose: 'alerts.post' })).toString('utf8');
    const body = JSON.stringify({
      type: one.notice === 'test' ? 'test' : `alert.${one.notice}`,
      timestamp: one.created_at.toISOString(),
      data: {
        ...{ kind: wordsOf(one.notice)?.kind ?? 'test', text: postedText(one.notice, one.facts), facts: one.facts },
        ...{ organisation_id: one.organisation_id, link: mail.link(one.link ?? '/') },
      },
    });
    const now = clock.now();
    const secrets = [await open('secret_sealed', one.secret_sealed)];
    if (one.former_secret_sealed !== null && (one.former_secret_until?.getTime() ?? 0) > now)
      secrets.push(await open('former_secret_sealed', one.former_secret_sealed));
    const headers = {
      'webhook-id': `msg_${one.message_id}`,
      'webhook-timestamp': String(Math.floor(now / 1_000)),
    };
    const signature = webhookSignature.sign({ headers }, body, secrets);
    const problem = await postCallback(outbound, {
      ...{ url: await open('url_sealed', one.url_sealed), body, receiver: 'alerts' },
      purpose: 'alerts.post',
      headers: { ...headers, [webhookSignature.header]: signature },
    });
    await postgres.tenant(one.organisation_id, (sql) => settle(sql, one, problem));
    const said = { organisation: one.organisation_id, notice: one.notice };
    if (problem === undefined) log.info('alerts.posted', said);
    else log.warn('alerts.not_posted', { ...said, why: problem });
    return problem;
  }

  async function settle(sql: Sql, one: Due, problem: string | undefined): Promise<void> {
    const now = clock.now();
    const tries = one.tries + 1;
    const isTest = one.notice === 'test';
    const state = problem === undefined ? 'taken' : isTest || tries >= callbackTriesMax ? 'given_up' : 'waiting';
    await sql.run('UPDATE alert_posts SET state = $2, tries = $3, next_at = $4, problem = $5 WHERE id = $1', [
      ...[one.id, state, tries, new Date(now + callbackPauseMs(tries)), problem ?? null],
    ]);
    if (problem === undefined) {
      await sql.run('UPDATE alert_hooks SET failing_since = NULL, told_at = NULL WHERE organisation_id = $1', [
        one.organisation_id,
      ]);
      return;
    }
    const hook = await sql.maybe<{ host: string; failing_since: Date; told_at: Date | null }>(
      `UPDATE alert_hooks SET failing_since = coalesce(failing_since, $2) WHERE organisation_id = $1
       RETURNING host, failing_since, told_at`,
      [one.organisation_id, new Date(now)],
    );
    if (hook === undefined || hook.told_at !== null) return;
    if (now - hook.failing_since.getTime() < alertLimits.toldAfterHours * hourMs) return;
    await sql.run('UPDATE alert_hooks SET told_at = $2 WHERE organisation_id = $1', [
      one.organisation_id,
      new Date(now),
    ]);
    await tellOfFailing(sql, one.organisation_id, { host: hook.host, problem, since: hook.failing_since });
  }

  async function tellOfFailing(
    sql: Sql,
    organisationId: number,
    { host, problem, since }: { host: string; problem: string; since: Date },
  ): Promise<void> {
    const { name, slug } = await sql.one<{ name: string; slug: string }>(
      'SELECT name, slug FROM organisations WHERE id = $1',
      [organisationId],
    );
    const people = await sql.query<{ person_id: number }>(
      "SELECT person_id FROM memberships WHERE organisation_id = $1 AND role IN ('owner', 'admin') ORDER BY person_id",
      [organisationId],
    );
    for (const { person_id } of people)
      await notices.tell(sql, person_id, {
        ...{ name: 'alerts_not_taken', organisationId, link: `/o/${slug}/settings/alerts` },
        facts: { organisation: name, host, why: problem.replaceAll('_', ' '), day: since.toISOString().slice(0, 10) },
      });
  }

  return {
    post,
    /** Posts what is due, and takes away secrets that sign no more, everywhere. */
    async work(): Promise<void> {
      await alone('alert posts', async (held) => {
        // A restored desk tells nobody anything until somebody lets it go on.
        const isSilent = (await house.isOutwardHeld?.()) === true;
        const now = new Date(clock.now());
        const due = await everywhere(postgres, async (sql) => {
          await sql.run(
            `UPDATE alert_hooks SET former_secret_sealed = NULL, former_secret_until = NULL WHERE former_secret_until <= $1`,
            [now],
          );
          if (isSilent) return [];
          return sql.query<Due>(
            `${dueSelect} WHERE p.state = 'waiting' AND p.next_at <= $1 AND h.is_active ORDER BY p.created_at, p.id LIMIT $2`,
            [now, atOnceMax],
          );
        });
        for (const [organisation, some] of Map.groupBy(due, (one) => one.organisation_id))
          for (const one of some) {
            if (!held()) return;
            try {
              if ((await post(one)) !== undefined) break;
            } catch (error) {
              log.error('alerts.posting_failed', { organisation, notice: one.notice }, error);
            }
          }
      });
    },
  };
}
