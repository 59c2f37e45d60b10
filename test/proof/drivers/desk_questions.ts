import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Readiness } from '../../../src/app/health.ts';
import { must } from '../kit.ts';
import type { KillableDesk } from './killable_desk.ts';

/**
 * Starts the desk on a day after `day`, waits until it has frozen it into `daily`, and stops it again.
 * @param counted visitors, visits, page views and events as the rows have them
 * @returns what the query over that day says
 * @throws when the frozen counts are others
 */
export async function frozenDayAgrees(desk: KillableDesk, day: string, counted: readonly number[]): Promise<number[]> {
  const life = await desk.start();
  for (let waited = 0; !life.errors().includes('"history.frozen"'); waited += 50) {
    must(waited < 120_000, 'The day was not frozen within two minutes after it had closed.');
    await pause(50);
  }
  const asked = await totals(desk, [day, day]);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  const { daily } = await desk.rows<{ daily: Record<string, string>[] }>({
    daily: `SELECT visitors, visits, pageviews, events FROM daily
      WHERE site_id = ${desk.sites[0]?.id} AND dimension = '' AND local_day = toDate(0) AND id_day = '${day}' AND currency = ''`,
  });
  must(daily.length === 1, `The frozen day has ${daily.length} rows of totals.`);
  const frozen = Object.values(daily[0] ?? {}).map(Number);
  must(`${frozen}` === `${counted}`, `The frozen day says ${frozen}, the rows say ${counted}.`);
  return asked;
}

export async function totals(desk: KillableDesk, range: 'day' | [string, string] = 'day'): Promise<number[]> {
  await drained(desk);
  const answer = await desk.ask('/api/v2/query', {
    site_id: 'shop.example',
    metrics: ['visitors', 'visits', 'pageviews', 'events'],
    date_range: range,
  });
  must(answer.status === 200, `The query was answered ${answer.status}: ${answer.text}`);
  return (answer.body as { results: { metrics: number[] }[] }).results[0]?.metrics ?? [];
}

/**
 * What `/readyz` says once everything has reached the stores.
 * @throws when two minutes pass in which nothing leaves the spool
 */
export async function drained(desk: KillableDesk): Promise<Readiness> {
  let bytes = Number.POSITIVE_INFINITY;
  for (let waited = 0; ; waited += 50) {
    const state = (await desk.ask('/readyz')).body as Readiness;
    if (state.spool_lag_ms === 0) return state;
    if (state.spool_bytes < bytes) waited = 0;
    bytes = state.spool_bytes;
    must(waited < 120_000, `${bytes} bytes have been in the spool for two minutes, and nothing of them was stored.`);
    await pause(50);
  }
}

export async function postgresIsBack(desk: KillableDesk): Promise<void> {
  for (let waited = 0; ; waited += 50) {
    const state = (await desk.ask('/readyz')).body as { postgres: boolean } | undefined;
    if (state?.postgres === true) return;
    must(waited < 60_000, 'Postgres was not started again within a minute.');
    await pause(50);
  }
}

/** A browser whose visits count. */
export const visitorAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';

export interface OneAnswer {
  /** 0 when nobody answered. */
  status: number;
  dropped: string | undefined;
  retryAfter: string | undefined;
  text: string;
}

/** Sends one event on a connection of its own. */
export function sendOne(url: string, event: unknown, userAgent: string, address = '198.51.100.1'): Promise<OneAnswer> {
  const nobody: OneAnswer = { status: 0, dropped: undefined, retryAfter: undefined, text: '' };
  const headers = { 'user-agent': userAgent, 'accept-language': 'en', 'x-forwarded-for': address };
  return new Promise((resolve) => {
    const request = http.request(
      `${url}/api/event`,
      { method: 'POST', agent: false, headers, timeout: 30_000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', () => resolve(nobody));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            dropped: response.headers['x-fairlead-dropped'] as string | undefined,
            retryAfter: response.headers['retry-after'],
            text,
          }),
        );
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(nobody));
    request.end(JSON.stringify(event));
  });
}
