import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { must } from '../kit.ts';
import type { KillableDesk } from './killable_desk.ts';

const dayMs = 86_400_000;

/** A day later the desk freezes the day into `daily`: the same numbers again (visitors, visits, page views, events). */
export async function frozenDayAgrees(desk: KillableDesk, day: string, counted: readonly number[]): Promise<void> {
  await desk.meet({ clockOffsetMs: desk.now() - Date.now() + dayMs });
  const life = await desk.start();
  for (let waited = 0; !life.errors().includes('"history.frozen"'); waited += 50) {
    must(waited < 60_000, 'The day was not frozen within a minute after it had closed.');
    await pause(50);
  }
  const asked = await totals(desk, [day, day]);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  const { daily } = await desk.rows<{
    daily: { visitors: string; visits: string; pageviews: string; events: string }[];
  }>({
    daily: `SELECT visitors, visits, pageviews, events FROM daily
      WHERE site_id = ${desk.sites[0]?.id} AND dimension = '' AND local_day = toDate(0) AND id_day = '${day}'`,
  });
  must(daily.length === 1, `The frozen day has ${daily.length} rows of totals.`);
  const frozen = Object.values(daily[0] ?? {}).map(Number);
  must(`${frozen}` === `${counted}`, `The frozen day says ${frozen}, the rows say ${counted}.`);
  must(`${asked}` === `${counted}`, `The query over the frozen day says ${asked}, the rows say ${counted}.`);
}

export async function totals(desk: KillableDesk, range: 'day' | [string, string] = 'day'): Promise<number[]> {
  const { spool_bytes: left } = await drained(desk);
  must(left === 0, `${left} bytes are still in the spool.`);
  const answer = await desk.ask('/api/v2/query', {
    site_id: 'shop.example',
    metrics: ['visitors', 'visits', 'pageviews', 'events'],
    date_range: range,
  });
  must(answer.status === 200, `The query was answered ${answer.status}: ${answer.text}`);
  return (answer.body as { results: { metrics: number[] }[] }).results[0]?.metrics ?? [];
}

/** What `/readyz` says once everything has reached the stores, or after a minute. */
export async function drained(desk: KillableDesk): Promise<{ spool_bytes: number; postgres: boolean }> {
  for (let waited = 0; ; waited += 50) {
    const state = (await desk.ask('/readyz')).body as { spool_bytes: number; postgres: boolean };
    if (state.spool_bytes === 0 || waited > 60_000) return state;
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

/** @returns the reason of the drop; undefined when it was stored, or when nobody answered. */
export function sendOne(url: string, event: unknown, userAgent: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.request(
      `${url}/api/event`,
      { method: 'POST', agent: false, headers: { 'user-agent': userAgent, 'accept-language': 'en' }, timeout: 30_000 },
      (response) => {
        response.resume();
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve(response.headers['x-fairlead-dropped'] as string | undefined));
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.end(JSON.stringify(event));
  });
}
