import type { AlertHook, AlertPost } from '../../contract/alert_hooks.ts';

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

/** The address for alerts of a desk whose receiver had a bad night; of a new one there is none. */
export function alertsOf(isNew: boolean) {
  let hook: AlertHook | null = isNew
    ? null
    : {
        ...{ host: 'hooks.cedar-loom.example', is_active: true, kinds: ['relay', 'organisation', 'security'] },
        ...{ created_at: ago(60_000), failing_since: ago(190), former_until: ago(-600) },
        posts: [
          post(5, 'relay_stopped', 190, { state: 'waiting', tries: 4, problem: 'status_503', next_at: ago(-21) }),
          post(4, 'relay_silence', 2_000, { problem: null }),
          post(3, 'access_review_due', 9_000, { problem: null }),
          post(2, 'connection_ending', 12_000, { state: 'given_up', tries: 10, problem: 'timed_out' }),
          post(1, 'test', 60_000, { problem: null }),
        ],
      };
  return (method: string, path: string, body: unknown): { status: number; body?: unknown } | undefined => {
    if (!/^\/api\/organisations\/\d+\/alert-hook/.test(path)) return undefined;
    if (method === 'DELETE') {
      hook = null;
      return { status: 204 };
    }
    if (method === 'GET') return { status: 200, body: { hook } };
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwVZ3p0m2k1xE=';
    const isFirst = hook === null;
    hook ??= {
      ...{ host: 'hooks.cedar-loom.example', is_active: true, kinds: ['relay'], created_at: ago(0) },
      ...{ failing_since: null, former_until: null, posts: [] },
    };
    if (path.endsWith('/tests')) return { status: 200, body: { problem: null, hook } };
    if (path.endsWith('/secrets')) {
      hook = { ...hook, former_until: ago(-1_440) };
      return { status: 201, body: { hook, secret } };
    }
    const { url: _url, ...change } = (body ?? {}) as Partial<AlertHook> & { url?: string };
    hook = { ...hook, ...change };
    return { status: 200, body: { hook, secret: isFirst ? secret : null } };
  };
}

function post(id: number, notice: string, minutes: number, more: Partial<AlertPost>): AlertPost {
  return { ...{ id, notice, at: ago(minutes), state: 'taken', tries: 1, next_at: null, problem: null }, ...more };
}
