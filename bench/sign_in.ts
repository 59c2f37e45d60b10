import { Agent, type IncomingMessage, request } from 'node:http';
import { type DeskFolder, owner, pause, type Running, whenCalm } from './desk.ts';
import type { IngestLine } from './ingest.ts';
import { type LoadPlan, loadApart } from './load.ts';
import { percentile } from './percentile.ts';

/** How long signing in takes: one after another, and twenty at once while events come (accounts issue, targets). */
const oneTargetMs = 400;
const togetherTargetMs = 8_000;
const ingestTargetMs = 25;
const oneAfterAnother = 40;
const together = 20;
const lookUpSeconds = 5;
const lookUpConnections = 16;

interface Person {
  email: string;
  password: string;
}

export async function measureSignIn(
  desk: DeskFolder,
  running: Running,
  { seconds, say }: { seconds: number; say: (line: string) => void },
): Promise<IngestLine[]> {
  // One account that twenty networks try at once is guessed at, and the throttle says so: people come each with their own.
  say(`Making ${together} people …`);
  const people = await twentyPeople(running);
  say('Waiting until the desk has nothing of its own to do …');
  await whenCalm(running);
  say('Signing in …');
  // As every browser does: its page asks how one may sign in.
  await json(running, 'GET', '/api/sign-in/ways', {});
  await pause(1_000);
  const times: number[] = [];
  for (let at = 0; at < oneAfterAnother; at++)
    times.push((await signIn(running, people[at % together] as Person, at)).ms);
  times.sort((a, b) => a - b);
  const p95 = percentile(times, 0.95);

  const plan: LoadPlan = {
    ...{ port: running.port, connections: 64, seconds: Math.max(seconds, 14), rate: 5_000, mode: 'visits' },
    settleSeconds: 3,
    run: Math.floor(performance.timeOrigin % 1e9),
  };
  const load = loadApart(plan);
  await pause(5_000);
  const ends = await Promise.all(people.map((person, at) => signIn(running, person, 100 + at)));
  const { p99_ms: p99, per_second: perSecond } = await load;
  const last = Math.max(...ends.map(({ ms }) => ms));
  return [
    {
      what: 'one sign-in at a time',
      target: `p95 ${oneTargetMs} ms`,
      measured: `median ${percentile(times, 0.5).toFixed(0)}, p95 ${p95.toFixed(0)}, worst ${percentile(times, 1).toFixed(0)} ms of ${times.length}`,
      holds: p95 <= oneTargetMs,
    },
    {
      what: `${together} people sign in at once while 5,000 events/s arrive`,
      target: `all within ${togetherTargetMs / 1000} s`,
      measured: `the last after ${(last / 1000).toFixed(1)} s`,
      holds: last <= togetherTargetMs,
    },
    {
      what: 'events beside them',
      target: `p99 ${ingestTargetMs} ms at 5,000/s`,
      measured: `p99 ${p99.toFixed(1)} ms at ${perSecond.toFixed(0)}/s`,
      holds: p99 <= ingestTargetMs && perSecond >= 4_950,
    },
    ...(await lookUps(desk, running, say)),
  ];
}

/**
 * What it costs to ask the tables on every call who asks. A call that only the operator may make is refused to
 * everybody here: to nobody before anything is looked up, to a session after its two statements, to a key after the
 * state of its organisation, which is remembered for a second as the key is.
 */
async function lookUps(desk: DeskFolder, running: Running, say: (line: string) => void): Promise<IngestLine[]> {
  say('Asking a call that looks nothing up but who asks …');
  const [person = owner] = await twentyPeople(running);
  const { cookie } = await signIn(running, person, 200);
  const askers: [string, Record<string, string>, number][] = [
    ['by nobody: no look-up', {}, 401],
    ['by a session: two statements', { cookie }, 404],
    ['by a key: remembered', { authorization: `Bearer ${desk.apiKey}` }, 404],
  ];
  const lines: IngestLine[] = [];
  for (const [who, headers, status] of askers)
    for (const connections of [1, lookUpConnections]) {
      const { perSecond, times } = await askFor(lookUpSeconds, { running, headers, status, connections });
      lines.push({
        what: `a call that does nothing, ${who}, ${connections} at a time`,
        target: '',
        measured: `${perSecond.toFixed(0)} requests/s, median ${percentile(times, 0.5).toFixed(2)}, p95 ${percentile(times, 0.95).toFixed(2)} ms`,
      });
    }
  return lines;
}

async function askFor(
  seconds: number,
  plan: { running: Running; headers: Record<string, string>; status: number; connections: number },
): Promise<{ perSecond: number; times: number[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.connections });
  const times: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1000;
  await Promise.all(
    Array.from({ length: plan.connections }, async () => {
      while (performance.now() < end) {
        const sentAt = performance.now();
        const status = await new Promise<number>((resolve, reject) => {
          const options = { agent, port: plan.running.port, host: '127.0.0.1', path: '/api/desk/organisations' };
          request({ ...options, headers: { ...fromProxy(7), ...plan.headers } }, (answer: IncomingMessage) => {
            answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
          })
            .once('error', reject)
            .end();
        });
        if (status !== plan.status) throw new Error(`The call answered ${status} in place of ${plan.status}.`);
        times.push(performance.now() - sentAt);
      }
    }),
  );
  agent.destroy();
  const took = (performance.now() - began) / 1000;
  return { perSecond: times.length / took, times: times.sort((a, b) => a - b) };
}

/** The people of the desk, invited and joined as people are; those of an earlier run are there already. */
async function twentyPeople(running: Running): Promise<Person[]> {
  const people = Array.from({ length: together }, (_, n) => ({
    email: `person-${n}@example.com`,
    password: `seven boats of bench ${n}`,
  }));
  const { cookie } = await signIn(running, owner, 99);
  const { organisations } = await json<{ organisations: { slug: string }[] }>(running, 'GET', '/api/session', {
    cookie,
  });
  const slug = organisations[0]?.slug ?? '';
  const members = await json<{ members: { email: string }[] }>(running, 'GET', `/api/organisations/${slug}/members`, {
    cookie,
  });
  const known = new Set(members.members.map(({ email }) => email));
  for (const [at, { email, password }] of people.entries()) {
    if (known.has(email)) continue;
    const { link } = await json<{ link: string }>(
      running,
      'POST',
      `/api/organisations/${slug}/invitations`,
      { cookie },
      { email, role: 'viewer' },
    );
    const acceptance = { token: link.split('/').at(-1), name: `Person ${at}`, password };
    await json(running, 'POST', '/api/invitations/acceptances', fromProxy(at), acceptance);
  }
  return people;
}

/** @returns milliseconds and the cookies; each from a network of its own, as people come */
async function signIn(running: Running, person: Person, at: number): Promise<{ ms: number; cookie: string }> {
  const began = performance.now();
  const answer = await fetch(`http://127.0.0.1:${running.port}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...fromProxy(at) },
    body: JSON.stringify(person),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Signing in answered ${answer.status}: ${text.slice(0, 200)}`);
  const cookies = answer.headers.getSetCookie().map((one) => one.split(';')[0]);
  return { ms: performance.now() - began, cookie: cookies.join('; ') };
}

/** What the one trusted proxy in front of this desk says. */
function fromProxy(network: number): Record<string, string> {
  return { 'x-forwarded-proto': 'https', 'x-forwarded-for': `198.18.${network}.1` };
}

async function json<T>(
  running: Running,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${running.port}${path}`, {
    method,
    headers: { ...fromProxy(99), ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 200)}`);
  return (text === '' ? {} : JSON.parse(text)) as T;
}
