import type { z } from 'zod';
import { type openDsrStatus, openDsrVersion } from '../../../contract/opendsr.ts';
import type { RequestCallback, RequestState } from '../../../contract/requests.ts';
import { callbackPauseMs, callbackTriesMax, postCallback } from '../../platform/outbound/index.ts';
import { aloneIn, everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { signerOf } from '../audit/index.ts';
import { readArchiveState } from './archive_state.ts';

export type OpenDsrState = z.infer<typeof openDsrStatus>['request_status'];

/** What a request of the register is called in OpenDSR. */
export const statusOf: Record<RequestState, OpenDsrState> = {
  received: 'pending',
  checked: 'pending',
  working: 'in_progress',
  answered: 'completed',
  refused: 'cancelled',
};
const isLast = (status: OpenDsrState) => status === 'completed' || status === 'cancelled';

const placeOf = (organisationId: number, id: number): Place & { class: 'D9' } => ({
  ...{ organisationId, table: 'opendsr_callbacks', column: 'url_sealed', row: id, class: 'D9' },
});

type CallbackHouse = Pick<House, 'postgres' | 'clock' | 'log' | 'vault' | 'audit' | 'keys' | 'mail' | 'outbound'>;

/** In the transaction that takes the request in, whose answer says that it is pending. */
export async function noteCallbacks(
  { vault, clock }: Pick<House, 'vault' | 'clock'>,
  sql: Sql,
  { organisationId, requestId, urls }: { organisationId: number; requestId: number; urls: readonly string[] },
): Promise<void> {
  for (const url of new Set(urls)) {
    const { id } = await sql.one<{ id: number }>("SELECT nextval('opendsr_callbacks_id_seq') AS id");
    await sql.run(
      `INSERT INTO opendsr_callbacks (id, organisation_id, request_id, host, url_sealed, told_status, next_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', $6)`,
      [
        ...[id, organisationId, requestId, new URL(url).host, await vault.seal(placeOf(organisationId, id), url)],
        new Date(clock.now()),
      ],
    );
  }
}

/** Who is told of a request, for its page. */
export async function readCallbacks(sql: Sql, requestId: number): Promise<RequestCallback[]> {
  const rows = await sql.query<
    Omit<RequestCallback, 'told_at' | 'next_at'> & { told_at: Date | null; next_at: Date; is_open: boolean }
  >(
    `SELECT host, told_status, told_at, trying, tries, next_at, problem, url_sealed IS NOT NULL AS is_open
     FROM opendsr_callbacks WHERE request_id = $1 ORDER BY id`,
    [requestId],
  );
  return rows.map(({ is_open, told_at, next_at, ...row }) => ({
    ...row,
    told_at: told_at?.toISOString() ?? null,
    next_at: is_open && row.problem !== null && row.tries < callbackTriesMax ? next_at.toISOString() : null,
  }));
}

interface Due {
  id: number;
  organisation_id: number;
  request_id: number;
  opendsr_id: string;
  state: RequestState;
  due_on: string;
  url_sealed: Buffer;
  trying: OpenDsrState | null;
  tries: number;
}

/**
 * Tells systems that handed requests in how far they are, each state once: what is told is the state of this moment, and one that
 * was passed meanwhile is not told afterwards. A kill between the call and its note tells it once more.
 */
export function openCallbacks({ postgres, clock, log, vault, audit, keys, mail, outbound }: CallbackHouse) {
  const signer = signerOf(keys.derive('audit-checkpoint'));
  const domain = new URL(mail.link('/')).hostname;
  const alone = aloneIn(postgres, clock);

  const due = () =>
    everywhere(postgres, async (sql) => {
      const open = await sql.query<Due & { told_status: OpenDsrState; next_at: Date }>(
        `SELECT c.id, c.organisation_id, c.request_id, r.opendsr_id, r.state, r.due_on::text, c.url_sealed, c.trying, c.tries,
           c.told_status, c.next_at
         FROM opendsr_callbacks c JOIN subject_requests r ON r.id = c.request_id WHERE c.url_sealed IS NOT NULL ORDER BY c.id`,
      );
      const now = clock.now();
      return open.filter(
        ({ state, told_status, trying, tries, next_at }) =>
          statusOf[state] !== told_status &&
          // A state that was given up waits for the next one, which is told all the same.
          (trying !== statusOf[state] || (tries < callbackTriesMax && next_at.getTime() <= now)),
      );
    });

  async function tell(one: Due): Promise<void> {
    const { id, organisation_id: organisationId, request_id: requestId } = one;
    const status = statusOf[one.state];
    const place = placeOf(organisationId, id);
    const url = (await vault.open(place, one.url_sealed, { purpose: 'opendsr.callback' })).toString('utf8');
    const archive = await postgres.tenant(organisationId, (sql) => readArchiveState(sql, requestId, clock.now()));
    const body = JSON.stringify({
      ...{ controller_id: String(organisationId), subject_request_id: one.opendsr_id, api_version: openDsrVersion },
      ...{ expected_completion_time: `${one.due_on}T23:59:59Z`, request_status: status, status_callback_url: url },
      ...(archive === null ? {} : { results_count: archive.records }),
    });
    const problem = await postCallback(outbound, {
      ...{ url, body, receiver: 'callbacks' },
      purpose: 'opendsr.callback',
      headers: { 'x-opendsr-processor-domain': domain, 'x-opendsr-signature': signer.sign(body) },
    });
    await postgres.tenant(organisationId, async (sql) => {
      const now = new Date(clock.now());
      if (problem === undefined) {
        const told = await sql.maybe<{ host: string }>(
          `UPDATE opendsr_callbacks SET told_status = $2, told_at = $3, trying = NULL, tries = 0, problem = NULL,
             url_sealed = CASE WHEN $4 THEN NULL ELSE url_sealed END WHERE id = $1 RETURNING host`,
          [id, status, now, isLast(status)],
        );
        if (told === undefined) return;
        await audit.record(sql, organisationId, {
          ...{ action: 'request.called_back', actor: { type: 'system' }, details: { status, host: told.host } },
          targets: [{ type: 'request', id: requestId, label: `request ${requestId}` }],
        });
        return;
      }
      const tries = one.trying === status ? one.tries + 1 : 1;
      await sql.run(
        `UPDATE opendsr_callbacks SET trying = $2, tries = $3, next_at = $4, problem = $5,
           url_sealed = CASE WHEN $6 THEN NULL ELSE url_sealed END WHERE id = $1`,
        [
          id,
          status,
          tries,
          new Date(now.getTime() + callbackPauseMs(tries)),
          problem,
          tries >= callbackTriesMax && isLast(status),
        ],
      );
    });
    const said = { organisation: organisationId, request: requestId, status };
    if (problem === undefined) log.info('requests.called_back', said);
    else log.warn('requests.not_called_back', { ...said, why: problem });
  }

  return {
    async work(): Promise<void> {
      await alone('opendsr callbacks', async (held) => {
        for (const one of await due()) {
          if (!held()) return;
          try {
            await tell(one);
          } catch (error) {
            log.error('requests.calling_back_failed', { request: one.request_id }, error);
          }
        }
      });
    },
  };
}
