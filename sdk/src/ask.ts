import type { Settings } from './api.ts';

/** Nobody waits longer than this for an answer about a visitor before the page is measured. */
const askMs = 1_000;

/**
 * Asks the desk something about this visitor (`POST /api/visitor`, docs/guides/tracker.md).
 *
 * @param keepalive it outlives the page
 * @returns what was answered; `{status}` of a refusal, and nothing at all without an answer within a second
 */
export const ask = async <Answer>(
  settings: Settings,
  body: object,
  keepalive = false,
): Promise<Partial<Answer> & { status?: number }> => {
  const given = new AbortController();
  const timer = setTimeout(() => given.abort(), askMs);
  try {
    const answer = await fetch(new URL('/api/visitor', new URL(settings.endpoint, location.href)), {
      method: 'POST',
      credentials: 'omit',
      referrer: '',
      keepalive,
      signal: given.signal,
      body: JSON.stringify({ d: settings.domain, ...body }),
    });
    return (answer.ok ? await answer.json() : { status: answer.status }) as Partial<Answer>;
  } catch {
    return {} as Partial<Answer>;
  } finally {
    clearTimeout(timer);
  }
};
