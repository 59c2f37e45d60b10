import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import { dropReasons, leftOutReasons } from '../../contract/drops.ts';
import type { MissingEvents } from '../../contract/missing.ts';
import type { QualitySign } from '../../contract/quality.ts';
import type { ApiKey, ForeignId, Goal, NewGoal, QueryRequest, Site } from '../src/desk/api.ts';
import { answerQuery, type Shape } from './data.ts';
import { accessOf } from './double_access.ts';
import { alertsOf } from './double_alerts.ts';
import { auditOf } from './double_audit.ts';
import { connectionsOf } from './double_connections.ts';
import { consentOf } from './double_consent.ts';
import { contactClicksOf } from './double_contacts.ts';
import { creditsOf } from './double_credits.ts';
import { documentsOf } from './double_documents.ts';
import { exportsOf } from './double_exports.ts';
import { openIdentities } from './double_identities.ts';
import { importsOf } from './double_imports.ts';
import { incidentsOf } from './double_incidents.ts';
import { contentsOf, lifeOf } from './double_life.ts';
import { letterHtml, openMail } from './double_mail.ts';
import { operationsOf } from './double_operations.ts';
import { operatorOf } from './double_operator.ts';
import { openOrganisations, organisationName, permissionsOf } from './double_organisations.ts';
import { type Beholder, beholders, isOfPeople, longName, openPeople } from './double_people.ts';
import { profilesOf } from './double_profiles.ts';
import { proofOf } from './double_proof.ts';
import { registerOf } from './double_register.ts';
import { relayOf } from './double_relay.ts';
import { relayReadingOf } from './double_relay_reading.ts';
import { uploadsOf } from './double_relay_uploads.ts';
import { requestsOf } from './double_requests.ts';
import { openShares } from './double_shares.ts';
import { openShields } from './double_shields.ts';
import { signUpOf } from './double_sign_up.ts';
import { windowsOf } from './double_windows.ts';

/**
 * A stand-in for the desk's server while the dashboard is developed, tested and photographed. It answers the routes
 * of contract/ from memory, with one site for each state that a page can be in. It is never part of a build.
 */
export type Start = 'set-up' | 'signed-out' | Beholder;
export interface DoubleOptions {
  /** Which person opens the page. */
  start?: Start;
  /** Only these sites; all by default. */
  sites?: readonly string[];
  /** First event arrives this long after the snippet page began to wait. */
  firstEventMs?: number;
}

interface State {
  slowMs?: number;
  broken?: boolean;
  /** The warehouse went away after the numbers had come, or before. */
  away?: boolean;
  gone?: boolean;
  rebuilding?: boolean;
  /** Days before the site was made that came with an import. */
  importedDays?: number;
}

const shapes: Record<string, Shape & State> = {
  'shop.example': { daily: 1_560, revenue: true, days: 500 },
  'blog.example': { daily: 240, revenue: false, days: 200, awkward: true },
  'new.example': { daily: 0, revenue: false, days: 0 },
  'tiny.example': { daily: 1.4, revenue: false, days: 20 },
  'slow.example': { daily: 900, revenue: false, days: 90, slowMs: 6_000 },
  'broken.example': { daily: 900, revenue: false, days: 90, broken: true },
  'moved.example': { daily: 300, revenue: false, days: 70, importedDays: 60 },
  'gone.example': { daily: 900, revenue: false, days: 90, gone: true },
  'away.example': { daily: 900, revenue: false, days: 90, away: true, rebuilding: true },
};

export interface Double {
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Tells the double to behave otherwise: the session ends, the desk refuses. */
  endSession(): void;
}

export function openDouble(options: DoubleOptions = {}): Double {
  const start = options.start ?? 'signed-in';
  let waiting = start === 'set-up';
  const beholder = beholders.find((one) => one === start) ?? 'signed-in';
  let signedIn = beholder === start;
  let refreshable = true;
  let lapsed = false;
  let nextId = 100;
  let waitingSince: number | undefined;
  let testEventAt: number | undefined;
  const created = new Date(Date.now() - 500 * 86_400_000).toISOString();
  const sites: Site[] =
    start === 'set-up'
      ? []
      : Object.keys(shapes)
          .filter((domain) => options.sites === undefined || options.sites.includes(domain))
          .map((domain, at) => siteOf(at + 1, domain));
  const goals = new Map<string, Goal[]>([
    [
      'shop.example',
      [
        goalOf(1, { name: 'Added to cart', kind: 'event', match: 'Added to cart' }),
        goalOf(2, { name: 'Order placed', kind: 'event', match: 'purchase', currency: 'EUR' }),
        goalOf(3, { name: 'Newsletter joined', kind: 'page', match: '/newsletter/thanks' }),
        goalOf(4, {
          name: 'Swatch requested',
          kind: 'event',
          match: 'Request',
          property: { name: 'kind', value: 'swatch' },
        }),
        goalOf(5, {
          name: 'Scrolled to reviews',
          kind: 'scroll',
          match: '/throws/**',
          scroll_depth: 60,
        }),
      ],
    ],
  ]);
  const annotations: { id: number; day: string; note: string }[] = [
    {
      id: 1,
      day: new Date(Date.now() - 8 * 86_400_000).toISOString().slice(0, 10),
      note: 'Autumn letter to 4,200 readers',
    },
    { id: 2, day: new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10), note: 'Free shipping begins' },
  ];
  const reports = new Map<string, { weekly: boolean; monthly: boolean }>();
  const shares = new Map<string, ReturnType<typeof openShares>>();
  let relay: ReturnType<typeof relayOf> | undefined;
  let uploads: ReturnType<typeof uploadsOf> | undefined;
  let alerts: ReturnType<typeof alertsOf> | undefined;
  const organisations = openOrganisations(beholder);
  const identities = openIdentities(beholder);
  const mail = openMail(beholder);
  const people = openPeople(beholder, () => session());
  const shields = new Map<string, ReturnType<typeof openShields>>();
  const foreignIds = new Map<string, ForeignId[]>([
    ['shop.example', [{ product: 'openpanel', id: '0b5f3c1e-98ab-4cde-8123-456789abcdef', has_secret: true }]],
  ]);
  const keys: ApiKey[] =
    beholder === 'newcomer'
      ? []
      : [
          {
            id: 1,
            name: 'Monthly report',
            last4: 'k7Qd',
            scopes: ['stats:read'],
            created_at: created,
            last_used_day: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10),
            site_ids: [1],
            expires_at: new Date(Date.now() + 6 * 86_400_000).toISOString(),
            made_by: { id: 1, name: 'owner@shop.example' },
          },
          {
            id: 2,
            name: 'Checkout service',
            last4: '90xA',
            scopes: ['events:write', 'sites:read'],
            created_at: created,
            last_used_day: null,
            site_ids: null,
            expires_at: null,
            made_by: { id: 9, name: null },
          },
          ...Array.from({ length: beholder === 'crowd' ? 30 : 0 }, (_, at) => ({
            ...{
              id: at + 10,
              name: at % 4 === 0 ? longName : `Program ${at}`,
              last4: `k7Q${at % 10}`,
              created_at: created,
            },
            ...{ scopes: ['stats:read' as const, 'events:write' as const], last_used_day: null, expires_at: null },
            ...{ site_ids: at % 2 === 0 ? null : [1, 2, 3, 4], made_by: { id: 1, name: longName } },
          })),
        ];

  function siteOf(id: number, domain: string): Site {
    const shape = shapes[domain];
    const { removal } = lifeOf(domain);
    return {
      id,
      domain,
      organisation_id: 1,
      timezone: 'Europe/Berlin',
      currency: 'EUR',
      retention_months: 25,
      titles: true,
      revenue: shape?.revenue ?? false,
      contact_clicks: false,
      privacy_signals: 'ignore',
      created_at: new Date(Date.now() - ((shape?.days ?? 0) - (shape?.importedDays ?? 0)) * 86_400_000).toISOString(),
      deletes_at: removal?.kind === 'deletion' ? removal.due_at : null,
    };
  }
  const role = beholder === 'viewer' ? 'viewer' : 'owner';
  const session = () => ({
    person: {
      id: 1,
      email: 'owner@shop.example',
      name: '',
      is_operator: role === 'owner',
      timezone: null,
      locale: null,
    },
    agreement_due: false,
    is_counted: false,
    organisations: [
      {
        ...{ id: 1, name: organisationName(beholder), slug: 'cedar-loom', role, role_name: role },
        ...{ permissions: permissionsOf(role), ...statusOf(beholder), status_until: null },
        ...{ timezone: 'Europe/Berlin', currency: 'EUR', logo: null, team_sites_only: false, has_credits: true },
        ...{ second_factor_due: null, is_second_factor_overdue: false },
      },
    ],
    sites,
    version: '0.1.0',
  });
  const shapeOf = (domain: string): (typeof shapes)[string] => shapes[domain] ?? { daily: 0, revenue: false, days: 0 };

  async function answer(
    method: string,
    path: string,
    body: unknown,
    search: URLSearchParams,
  ): Promise<{ status: number; body?: unknown }> {
    const fail = (status: number, code: string, message: string, field?: string) => ({
      status,
      body: { error: { code, message, ...(field === undefined ? {} : { field }), request_id: '7f3a-21' } },
    });
    const ofSignUp = signUpOf(method, path);
    if (ofSignUp !== undefined) return ofSignUp;
    if (beholder === 'unlucky' && isOfPeople(path)) return fail(500, 'internal', 'The desk met a fault of its own.');
    if (beholder === 'patient' && !/^\/api\/(session|notifications\/count)$/.test(path))
      await new Promise((resolve) => setTimeout(resolve, 6_000));
    const ofPeople = identities(method, path, body) ?? people(method, path, body);
    if (ofPeople !== undefined) return ofPeople;
    if (path === '/api/set-up' && method === 'GET') return { status: 200, body: { waiting, version: '0.1.0' } };
    if (path === '/api/set-up') {
      const asked = body as { code: string; site: { domain: string; timezone: string; currency: string } };
      if (asked.code !== 'double')
        return fail(
          403,
          'wrong_setup_code',
          'This code is not the one that was printed, or it was used. Start the desk again to get a fresh one.',
        );
      waiting = false;
      signedIn = true;
      sites.push({ ...siteOf(1, asked.site.domain), timezone: asked.site.timezone, currency: asked.site.currency });
      return { status: 201, body: sites[0] };
    }
    if (path === '/api/sessions' && method === 'POST') {
      const { email, password } = body as { email: string; password: string };
      if (password !== 'correct horse battery')
        return fail(401, 'wrong_credentials', 'E-mail and password do not belong together. Caps Lock?');
      if (email === 'second@shop.example') return { status: 200, body: { second_factor: ['code', 'passkey'] } };
      signedIn = true;
      refreshable = true;
      lapsed = false;
      return { status: 201, body: session() };
    }
    if (signedIn && /^\/api\/organisations\/\d+\/proof$/.test(path)) return { status: 200, body: proofOf() };
    const ofConnections = signedIn && method === 'GET' ? connectionsOf(path, beholder === 'newcomer') : undefined;
    if (ofConnections !== undefined) return { status: 200, body: ofConnections };
    alerts ??= alertsOf(beholder === 'newcomer');
    const ofAlerts = signedIn ? alerts(method, path, body) : undefined;
    if (ofAlerts !== undefined) return ofAlerts;
    const ofReading = signedIn
      ? relayReadingOf(method, path, new URLSearchParams(search), beholder === 'newcomer')
      : undefined;
    if (ofReading !== undefined) return ofReading;
    const ofCredits = signedIn
      ? creditsOf(method, path, new URLSearchParams(search), beholder === 'newcomer')
      : undefined;
    if (ofCredits !== undefined) return ofCredits;
    relay ??= relayOf(beholder === 'newcomer');
    uploads ??= uploadsOf();
    const ofRelay = signedIn && !lapsed ? (uploads(method, path, body) ?? relay(method, path, body)) : undefined;
    if (ofRelay !== undefined) return ofRelay;
    const ofOrganisation = organisations(method, path, body);
    if (ofOrganisation !== undefined) return ofOrganisation;
    if (path === '/api/sessions/refresh') {
      if (!refreshable) return fail(401, 'session_ended', 'This session has ended. Sign in again.');
      lapsed = false;
      return { status: 200, body: {} };
    }
    if (path === '/api/sessions/current') {
      signedIn = false;
      return { status: 200, body: {} };
    }
    if (!signedIn) return fail(401, 'unauthenticated', 'Sign in first.');
    if (lapsed) return fail(401, 'session_ended', 'This session has ended. Sign in again.');
    if (path === '/api/session') return { status: 200, body: session() };
    const isNew = beholder === 'newcomer';
    const ofRequests = method === 'GET' ? requestsOf(path, isNew) : undefined;
    if (ofRequests !== undefined) return { status: 200, body: ofRequests };
    const ofWindows =
      method === 'GET' ? (windowsOf(path, isNew) ?? incidentsOf(path, isNew) ?? accessOf(path, isNew)) : undefined;
    if (ofWindows !== undefined) return { status: 200, body: ofWindows };
    const ofConsent = method === 'GET' ? consentOf(path, isNew) : undefined;
    if (ofConsent !== undefined) return { status: 200, body: ofConsent };
    const ofRegister = registerOf(path, isNew) ?? documentsOf(path, isNew);
    if (ofRegister !== undefined) return { status: 200, body: ofRegister };
    const ofOperations = operationsOf(path, new URLSearchParams(search));
    if (ofOperations !== undefined) return { status: 200, body: ofOperations };
    const ofOperator = operatorOf(path, search);
    if (ofOperator === 'broken') return fail(503, 'store_unavailable', 'The access log cannot be read.');
    if (ofOperator !== undefined) return { status: 200, body: ofOperator };
    if (/^\/api\/(organisations\/\d+\/)?audit(\/chain)?$/.test(path)) {
      const found = auditOf(search, path.endsWith('/chain'));
      return found === undefined
        ? fail(503, 'store_unavailable', 'PostgreSQL does not answer.')
        : { status: 200, body: found };
    }
    const ofMail = mail(method, path, body);
    if (ofMail !== undefined) return ofMail;
    if (path === '/api/keys' && method === 'GET') return { status: 200, body: { keys } };
    if (path === '/api/keys') {
      const asked = body as { name: string; scopes: string[]; site_ids?: number[]; expires_at?: string };
      const key = {
        id: nextId++,
        name: asked.name,
        last4: '3vTz',
        scopes: asked.scopes,
        created_at: new Date().toISOString(),
        last_used_day: null,
        site_ids: asked.site_ids ?? null,
        expires_at: asked.expires_at ?? null,
        made_by: { id: 1, name: 'owner@shop.example' },
      };
      keys.push(key);
      return { status: 201, body: { ...key, key: 'fl_3_5Jd0kQm8sW2nXc7rB4uYh1eT6oP9aL3vTz' } };
    }
    if (path.startsWith('/api/keys/')) {
      keys.splice(
        keys.findIndex((key) => key.id === Number(path.slice(10))),
        1,
      );
      return { status: 204 };
    }
    if (path === '/api/sites' && method === 'POST') {
      const asked = body as { domain: string };
      if (sites.some((site) => site.domain === asked.domain))
        return fail(409, 'conflict', `${asked.domain} is here already. Open it in the list of sites.`, 'domain');
      const made = siteOf(nextId++, asked.domain);
      sites.push(made);
      return { status: 201, body: made };
    }
    if (path === '/api/v2/query/batch') {
      const { queries } = body as { queries: QueryRequest[] };
      const shape = shapeOf(String(queries[0]?.site_id));
      if (shape.gone === true)
        return fail(
          503,
          'warehouse_unavailable',
          'The warehouse does not answer. Events are safe on disk; ask again in a moment.',
        );
      if (shape.slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, shape.slowMs));
      return {
        status: 200,
        body: {
          results: queries.map((query) => {
            const own = shapeOf(String(query.site_id));
            if (own.broken === true && query.dimensions?.[0] === 'visit:channel')
              return { error: { code: 'internal', message: 'The others are right.' } };
            if (own.broken === true && query.dimensions?.[0] === 'event:page')
              return { error: { code: 'query_over_ceiling', message: 'This question met its 10 s limit.' } };
            const site = sites.find((one) => one.domain === query.site_id);
            const result = answerQuery(
              query,
              { ...own, days: Math.max(own.days, 0) },
              site?.timezone ?? 'UTC',
              Date.now(),
            );
            if (own.importedDays !== undefined) {
              const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
              result.meta.imported_days = [[day(own.days), day(own.days - own.importedDays + 1)]];
            }
            if (own.rebuilding === true && result.meta.explain !== undefined)
              result.meta.explain = { days: { frozen: 24, live: 4, rebuilding: 3 } };
            return result;
          }),
        },
      };
    }
    const [, , , domain = '', part, id] = path.split('/');
    const site = sites.find((one) => one.domain === decodeURIComponent(domain));
    if (!path.startsWith('/api/sites/') || site === undefined)
      return fail(404, 'not_found', 'There is no such thing here.');
    if (part === undefined && method === 'PATCH') {
      Object.assign(site, body);
      return { status: 200, body: site };
    }
    if (part === undefined) return { status: 200, body: site };
    if (part === 'life') return { status: 200, body: lifeOf(site.domain) };
    if (part === 'contact-clicks')
      return { status: 200, body: contactClicksOf(site.domain, search.get('masked') === 'true') };
    if (part === 'contents') return { status: 200, body: { contents: contentsOf(site.domain) } };
    if (part === 'now') {
      const shape = shapeOf(site.domain);
      return {
        status: 200,
        body: {
          visitors: Math.round(shape.daily / 34),
          last_event_at: null,
          spool_lag_ms: 640,
          stores: { postgres: true, warehouse: shape.away !== true && shape.gone !== true },
        },
      };
    }
    if (part === 'realtime') {
      const shape = shapeOf(site.domain);
      if (shape.away === true || shape.gone === true)
        return fail(503, 'warehouse_unavailable', 'The warehouse does not answer.');
      return { status: 200, body: realtimeOf(Math.round(shape.daily / 34)) };
    }
    if (part === 'profiles') {
      const shape = shapeOf(site.domain);
      if (shape.away === true || shape.gone === true)
        return fail(503, 'warehouse_unavailable', 'The warehouse does not answer.');
      if (shape.slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, shape.slowMs));
      return {
        status: 200,
        body: profilesOf(site.domain, id, search.get('search') ?? '', search.get('before') ?? undefined),
      };
    }
    if (part === 'missing') {
      const shape = shapeOf(site.domain);
      if (shape.away === true || shape.gone === true)
        return fail(503, 'warehouse_unavailable', 'The warehouse does not answer.');
      return { status: 200, body: missingOf(shape.daily, search.get('period') ?? '7d') };
    }
    if (part === 'quality') {
      const shape = shapeOf(site.domain);
      if (shape.away === true || shape.gone === true)
        return fail(503, 'warehouse_unavailable', 'The warehouse does not answer.');
      return { status: 200, body: { signs: signsOf(site.domain) } };
    }
    if (part === 'shields' || part === 'shield-preview' || part === 'shield-undo') {
      const shape = shapeOf(site.domain);
      if (shape.gone === true || (shape.away === true && part === 'shield-preview'))
        return fail(503, 'warehouse_unavailable', 'The warehouse does not answer.');
      const answer = shields.get(site.domain) ?? openShields(site.domain, shape.daily);
      shields.set(site.domain, answer);
      const { status, body: answered } = answer(method, part === 'shields' ? id : part, body, search);
      // The rules are in the other store; the week's counts are not.
      const isList = method === 'GET' && part === 'shields';
      return { status, body: isList && shape.away === true ? { ...(answered as object), week: null } : answered };
    }
    if (part === 'report-subscription') {
      if (method === 'PUT') reports.set(site.domain, body as { weekly: boolean; monthly: boolean });
      const next = { weekly: '2026-11-30T06:00:00.000Z', monthly: '2026-12-01T06:00:00.000Z' };
      const chosen = reports.get(site.domain) ?? { weekly: site.domain === 'shop.example', monthly: false };
      return { status: 200, body: { ...chosen, next, mail_is_on: site.domain !== 'new.example' } };
    }
    if (part === 'report-sendings') return { status: 202, body: {} };
    if (part === 'shares') {
      if (shapeOf(site.domain).gone === true) return fail(503, 'store_unavailable', 'PostgreSQL does not answer.');
      const answer = shares.get(site.domain) ?? openShares(site.domain);
      shares.set(site.domain, answer);
      return answer(method, id, path.split('/')[6], body);
    }
    if (part === 'exports') {
      const shape = shapeOf(site.domain);
      if (shape.gone === true) return fail(503, 'store_unavailable', 'PostgreSQL does not answer.');
      return { status: 200, body: exportsOf(site.domain, shape.days, shape.away === true) };
    }
    if (part === 'imports') {
      const shape = shapeOf(site.domain);
      if (shape.gone === true) return fail(503, 'store_unavailable', 'PostgreSQL does not answer.');
      return { status: 200, body: importsOf(site.domain, shape.days) };
    }
    if (part === 'test-events') {
      testEventAt = Date.now();
      return { status: 202, body: {} };
    }
    if (part === 'checks') {
      waitingSince ??= Date.now();
      const arrived =
        testEventAt ?? (options.firstEventMs === undefined ? undefined : waitingSince + options.firstEventMs);
      const here = arrived !== undefined && arrived <= Date.now();
      return {
        status: 200,
        body: {
          public_url: { ok: true, address: 'https://desk.shop.example', detail: 'desk.shop.example, 41 ms' },
          site_answers: { state: 'ok', detail: '200, checked just now' },
          snippet: {
            state: here ? 'ok' : 'waiting',
            detail: here ? 'found on the home page' : 'not found yet, looking every 10 s',
          },
          first_event: here
            ? {
                received_at: new Date(arrived).toISOString(),
                stored_ms: 4,
                page: '/throws/wool/harbour-stripe',
                source: null,
                place: 'Berlin, Germany',
                browser: 'Firefox',
                os: 'Linux',
                device: 'Desktop',
              }
            : null,
        },
      };
    }
    if (part === 'properties')
      return {
        status: 200,
        body: {
          properties:
            shapeOf(site.domain).revenue === true
              ? [
                  { name: 'size', events: 5_120 },
                  { name: 'wool', events: 2_210 },
                ]
              : [],
        },
      };
    if (part === 'annotations') {
      const list = site.domain === 'shop.example' ? annotations : [];
      if (method === 'GET') return { status: 200, body: { annotations: list } };
      if (method === 'DELETE') {
        list.splice(
          list.findIndex((one) => one.id === Number(id)),
          1,
        );
        return { status: 204 };
      }
      const wanted = body as { day: string; note: string };
      if (method === 'PUT') {
        const changed = { id: Number(id), ...wanted };
        list.splice(
          list.findIndex((one) => one.id === changed.id),
          1,
          changed,
        );
        return { status: 200, body: changed };
      }
      const made = { id: nextId++, ...wanted };
      list.push(made);
      return { status: 201, body: made };
    }
    if (part === 'goals') {
      const list = goals.get(site.domain) ?? [];
      goals.set(site.domain, list);
      if (method === 'GET') return { status: 200, body: { goals: list } };
      if (method === 'DELETE') {
        list.splice(
          list.findIndex((goal) => goal.id === Number(id)),
          1,
        );
        return { status: 200, body: { undo: id } };
      }
      const asked = body as NewGoal & { undo?: string };
      if (asked.kind !== 'event' && !/^[/*]/.test(asked.match))
        return fail(
          400,
          'invalid_field',
          `"${asked.match}" is not a page pattern. Begin it with a slash, such as /blog** or /thanks.`,
          'match',
        );
      const at = list.findIndex((one) => one.id === Number(id));
      const made = goalOf(at === -1 ? Number(asked.undo ?? nextId++) : Number(id), asked);
      if (at === -1) list.push(made);
      else list[at] = made;
      return { status: at === -1 ? 201 : 200, body: made };
    }
    if (part === 'goal-preview') {
      const asked = body as NewGoal;
      const { daily, days } = shapeOf(site.domain);
      const of = daily * Math.min(30, days);
      const visitors = asked.match.endsWith('nobody') ? 0 : Math.round(of * 0.031);
      const times = asked.kind === 'scroll' ? null : Math.round(visitors * 1.2);
      return { status: 200, body: { days: ['2026-10-29', '2026-11-27'], visitors, of, times } };
    }
    if (part === 'foreign-ids') {
      const list = foreignIds.get(site.domain) ?? [];
      if (method === 'GET') return { status: 200, body: { foreign_ids: list } };
      const product = id as ForeignId['product'];
      const others = list.filter((one) => one.product !== product);
      const { id: said = '', secret } = (body ?? {}) as { id?: string; secret?: string };
      if (method === 'PUT' && !/^[\w-]+$/.test(said))
        return fail(400, 'invalid_field', `"${said}" is not an id of this product.`, 'id');
      const now = { product, id: said, has_secret: secret !== undefined };
      foreignIds.set(site.domain, method === 'DELETE' ? others : [...others, now]);
      return method === 'DELETE' ? { status: 204 } : { status: 200, body: now };
    }
    return fail(404, 'not_found', 'There is no such thing here.');
  }

  return {
    endSession() {
      lapsed = true;
      refreshable = false;
    },
    async handle(request, response) {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double');
      if (pathname === '/js/fairlead.js') {
        response.writeHead(200, { 'content-type': 'text/javascript', 'content-length': '1900' });
        response.end(request.method === 'HEAD' ? undefined : ' '.repeat(1_900));
        return true;
      }
      const html = letterHtml(pathname);
      if (html !== undefined) {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end(html);
        return true;
      }
      if (!pathname.startsWith('/api/')) return false;
      const method = request.method ?? 'GET';
      let text = '';
      for await (const part of request) text += part;
      const result =
        method !== 'GET' && request.headers['x-fairlead-csrf'] !== '1'
          ? {
              status: 403,
              body: {
                error: {
                  code: 'cross_site',
                  message: 'This call was made from a page of another site and was refused.',
                },
              },
            }
          : await answer(method, pathname, text === '' ? undefined : JSON.parse(text), searchParams);
      response.writeHead(result.status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(result.body === undefined ? undefined : JSON.stringify(result.body));
      return true;
    },
  };
}

/** Answers the API inside Vite's development server; `FAIRLEAD_DEV_START=set-up` shows the first run. */
export function devDouble(): Plugin {
  return {
    name: 'fairlead-double',
    apply: 'serve',
    configureServer(server) {
      const start = process.env.FAIRLEAD_DEV_START as DoubleOptions['start'];
      const double = openDouble(start === undefined ? {} : { start });
      server.middlewares.use((request, response, next) => {
        double.handle(request, response).then((done) => {
          if (!done) next();
        }, next);
      });
    },
  };
}

export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; origin: string }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The double has no port.');
  return { server, origin: `http://127.0.0.1:${address.port}` };
}

/** One site where much is wrong, and others where nothing is. */
function signsOf(domain: string): QualitySign[] {
  if (domain !== 'blog.example') return [];
  return [
    { sign: 'silent', hours: 6, days: 7, usual_min: 41 },
    { sign: 'refused', reason: 'invalid', means: dropReasons.invalid, events: 312, share: 3.4 },
    {
      ...{ sign: 'shielded', reason: 'site_hostname_allowlist', means: dropReasons.site_hostname_allowlist },
      ...{ events: 1_204, share: 13.1 },
    } as const,
    { sign: 'robots', events: 5_321, share: 57.8 },
  ];
}

/** Reasons of each kind for a busy site; for a quiet one nothing is missing. */
function missingOf(daily: number, period: string): MissingEvents {
  const hours = period === '24h';
  const count = hours ? 24 : period === '30d' ? 30 : 7;
  const stepMs = hours ? 3_600_000 : 86_400_000;
  const last = Math.floor(Date.now() / stepMs) * stepMs;
  const steps = Array.from({ length: count }, (_, at) => new Date(last - (count - 1 - at) * stepMs).toISOString());
  const reason = (
    key: keyof typeof dropReasons | keyof typeof leftOutReasons,
    part: number,
    rule: MissingEvents['reasons'][number]['rule'],
  ) => {
    const by_step = steps.map((_, at) => Math.round(((daily * part) / (hours ? 24 : 1)) * (1 + Math.sin(at) / 2)));
    return {
      reason: key,
      means: { ...dropReasons, ...leftOutReasons }[key],
      kind: key in leftOutReasons ? ('left_out' as const) : ('dropped' as const),
      rule,
      events: by_step.reduce((sum, events) => sum + events, 0),
      by_step,
    };
  };
  const reasons =
    daily < 100
      ? []
      : [
          reason('bot', 0.2, null),
          reason('site_hostname_allowlist', 0.05, 'shields'),
          reason('privacy_signal', 0.02, 'site'),
          reason('invalid', 0.01, 'snippet'),
          reason('contact_off', 0.01, 'site'),
        ];
  const robots = reasons[0]?.events ?? 0;
  const half = Math.ceil(robots / 2);
  return {
    from: steps[0] ?? '',
    to: new Date().toISOString(),
    step: hours ? 'hour' : 'day',
    steps,
    stored: Math.round(daily * 3 * (hours ? 1 : count)),
    reasons,
    robots:
      robots === 0
        ? []
        : [
            { rule: 'ua_pattern', events: half },
            { rule: 'header_heuristics', events: robots - half },
          ],
    examples: Array.from({ length: robots === 0 ? 0 : 20 }, (_, at) => ({
      time: new Date(Date.now() - at * 61_000).toISOString(),
      rule: at % 3 === 0 ? 'header_heuristics' : 'ua_pattern',
      name: 'pageview',
      hostname: 'shop.example',
      page: at % 4 === 1 ? `/guides/${'how-to-wash-and-care-for-'.repeat(7)}wool` : '/cart',
      referrer: at % 2 === 0 ? '' : 'google.com',
      country: at % 2 === 0 ? 'DE' : '',
    })),
    last: ['site_hostname_allowlist', 'invalid', 'site_hostname_allowlist']
      .slice(0, robots === 0 ? 0 : 3)
      .map((reason, at) => ({
        time: new Date(Date.now() - at * 97_000).toISOString(),
        reason,
        ...(reason === 'invalid'
          ? { name: '', hostname: '', page: '', field: 'url' }
          : { name: 'pageview', hostname: 'copy.example', page: '/cart', field: '' }),
        referrer: '',
        country: '',
      })),
    of_no_site: robots === 0 ? [] : [{ reason: 'not_found', means: dropReasons.not_found, events: 14 }],
  };
}

/** A busy half hour, the same at each look; nobody at all on a site without visitors. */
function realtimeOf(visitors: number) {
  const last = Math.floor(Date.now() / 60_000) * 60_000;
  const instant = (ms: number) => new Date(ms).toISOString();
  const list = (names: readonly string[]) =>
    visitors === 0 ? [] : names.map((name, at) => ({ name, visitors: Math.max(1, Math.round(visitors / (at + 2))) }));
  const pages = ['/', '/products/wool-blanket', `/guides/${'how-to-wash-and-care-for-'.repeat(7)}wool`, '/cart'];
  const sources = ['Google', '', 'newsletter', 'Bing'];
  const countries = ['DE', 'FR', '', 'US'];
  const of = (names: readonly string[], at: number) => names[at % names.length] ?? '';
  return {
    at: instant(Date.now()),
    visitors,
    minutes: Array.from({ length: 30 }, (_, at) => {
      const here = Math.round((visitors / 4) * (1 + Math.sin(at / 3) / 2));
      return {
        start: instant(last - (29 - at) * 60_000),
        pageviews: here * 2 + (at % 3) * Math.sign(here),
        visitors: here,
      };
    }),
    pages: list(pages),
    sources: list(sources),
    places: list(countries),
    regions: list(['Berlin', 'Île-de-France', '']),
    cities: list(['Berlin', 'Paris', '']),
    events: Array.from({ length: Math.min(60, visitors * 3) }, (_, at) => ({
      time: instant(last - at * 7_000),
      name: at % 6 === 4 ? 'Signup' : 'pageview',
      page: of(pages, at),
      source: of(sources, at),
      country: of(countries, at + 1),
      device: of(['Desktop', 'Mobile', 'Tablet'], at),
    })),
    events_from: instant(last - 29 * 60_000),
    cursor: String(last / 1000),
  };
}

/** The viewer's organisation is suspended. */
const statusOf = (beholder: Beholder) =>
  beholder === 'viewer'
    ? { status: 'suspended', status_reason: 'The bill of October is open.' }
    : { status: 'active', status_reason: null };

function goalOf(id: number, { name, kind, match, property, scroll_depth: depth, currency }: NewGoal): Goal {
  const rest = { property: property ?? null, scroll_depth: depth ?? null, currency: currency ?? null };
  return { id, name: name ?? match, kind, match, ...rest };
}
