import type { annotation, newAnnotation } from '../../../contract/annotations.ts';
import type {
  createdApiKey,
  ForeignId,
  ForeignProduct,
  foreignIdSetting,
  newApiKey,
  newSite,
  Session,
  Site,
  seenProperties,
  setUp,
  setUpState,
  signIn,
  siteChange,
  siteChecks,
  siteNow,
} from '../../../contract/api.ts';
import type { auditChain, auditPage } from '../../../contract/audit.ts';
import type { ApiError, Challenge } from '../../../contract/errors.ts';
import type { ExportFormat, SiteExport, SiteExports } from '../../../contract/exports.ts';
import type { goal, goalPreview, goalRule, newGoal } from '../../../contract/goals.ts';
import type { NewImport, SiteImport, SiteImports } from '../../../contract/imports.ts';
import type { MissingEvents, MissingPeriod } from '../../../contract/missing.ts';
import type { signInStep } from '../../../contract/people.ts';
import type { QualitySign } from '../../../contract/quality.ts';
import type { QueryAnswer, QueryRequest } from '../../../contract/query.ts';
import type { RealtimeAnswer } from '../../../contract/realtime.ts';
import type { ReportKind, ReportSubscription, reportChoice } from '../../../contract/reports.ts';
import type { MadeShare, newShare, Share, ShareChange, ShareList } from '../../../contract/shares.ts';
import type {
  newShield,
  PreviewedKind,
  removedShield,
  Shield,
  ShieldList,
  ShieldPreview,
} from '../../../contract/shields.ts';

/** The wire of contract/, as the dashboard calls it. The types come from the schemas; zod itself stays on the server. */
type Parsed<T extends { _zod: { output: unknown } }> = T['_zod']['output'];
type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];
export type SetUpState = Parsed<typeof setUpState>;
export type SetUp = Sent<typeof setUp>;
export type SignIn = Sent<typeof signIn>;
type SignInStep = Parsed<typeof signInStep>;
export type NewSite = Sent<typeof newSite>;
export type SiteChange = Sent<typeof siteChange>;
export type SiteChecks = Parsed<typeof siteChecks>;
export type SiteNow = Parsed<typeof siteNow>;
export type SeenProperty = Parsed<typeof seenProperties>['properties'][number];
export type Annotation = Parsed<typeof annotation>;
export type Goal = Parsed<typeof goal>;
export type NewGoal = Sent<typeof newGoal>;
export type GoalRule = Sent<typeof goalRule>;
export type GoalPreview = Parsed<typeof goalPreview>;
export type ForeignIdSetting = Sent<typeof foreignIdSetting>;
export type NewApiKey = Sent<typeof newApiKey>;
export type CreatedApiKey = Parsed<typeof createdApiKey>;
export type ApiKey = Omit<CreatedApiKey, 'key'>;
export type { ForeignId, ForeignProduct, QueryAnswer, QueryRequest, Session, Shield, Site };
export type QueryResult = QueryAnswer | { error: { code: string; message: string } };

/** Every refusal that the desk gives, and the two that it cannot give itself: `unreachable` and `unreadable`. */
export class DeskError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  readonly reference: string | undefined;
  /** Work that lets the next try in. */
  readonly challenge: Challenge | undefined;

  constructor(status: number, error: ApiError['error']) {
    super(error.message);
    // A message of an Error is left out when it is spread into the properties of what shows it, unless it is said otherwise.
    Object.defineProperty(this, 'message', { value: error.message, enumerable: true });
    this.name = 'DeskError';
    this.status = status;
    this.code = error.code;
    this.field = error.field;
    this.reference = error.request_id;
    this.challenge = error.challenge;
  }
}

/** A refusal of the desk as it is; anything else is a fault of the page, which is said as one. */
export function asDeskError(
  error: unknown,
  message = 'This page met a fault of its own. Reload it and try again.',
): DeskError {
  return error instanceof DeskError ? error : new DeskError(0, { code: 'internal', message });
}

/** Called when a document waits to be accepted since the page was loaded, so that the page asks for it. */
let agreementDue: () => void = () => {};
export function onAgreementDue(listener: () => void): void {
  agreementDue = listener;
}

/**
 * Called when the desk says that something is not there, or not for this person now: a role may have been taken, an
 * organisation suspended or a site deleted since the page was loaded.
 */
let accessDoubted: () => void = () => {};
export function onAccessDoubt(listener: () => void): void {
  accessDoubted = listener;
}

/** Called when the session is over for good, so that the page can ask for a new one. */
let sessionEnded: () => void = () => {};
export function onSessionEnd(listener: () => void): void {
  sessionEnded = listener;
}

export const api = {
  session: () => call<Session>('GET', '/api/session', { quiet: true }),
  setUpState: () => call<SetUpState>('GET', '/api/set-up'),
  setUp: (body: SetUp) => call<Session>('POST', '/api/set-up', { body }),
  /** An answer that names second factors is no session yet: one of them is asked for next. */
  signIn: (body: SignIn) => call<SignInStep | undefined>('POST', '/api/sessions', { body, quiet: true }),
  signOut: () => call<undefined>('DELETE', '/api/sessions/current', { quiet: true }),
  createSite: (body: NewSite, organisation?: number) =>
    call<Site>('POST', `/api/sites${organisation === undefined ? '' : `?organisation_id=${organisation}`}`, { body }),
  site: (domain: string) => call<Site>('GET', site(domain)),
  changeSite: (domain: string, body: SiteChange) => call<Site>('PATCH', site(domain), { body }),
  checks: (domain: string, signal?: AbortSignal) => call<SiteChecks>('GET', `${site(domain)}/checks`, { signal }),
  now: (domain: string, signal?: AbortSignal) => call<SiteNow>('GET', `${site(domain)}/now`, { signal }),
  realtime: (path: string, since: string | undefined, signal?: AbortSignal) =>
    call<RealtimeAnswer>('GET', since === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}since=${since}`, {
      signal,
    }),
  quality: (domain: string, signal?: AbortSignal) =>
    call<{ signs: QualitySign[] }>('GET', `${site(domain)}/quality`, { signal }),
  missing: (domain: string, period: MissingPeriod, signal?: AbortSignal) =>
    call<MissingEvents>('GET', missingPath(domain, period), { signal }),
  shields: (domain: string) => call<ShieldList>('GET', shieldsPath(domain)),
  previewShield: (domain: string, rule: { kind: PreviewedKind; value: string }, signal?: AbortSignal) =>
    call<ShieldPreview>('GET', `${site(domain)}/shield-preview?${new URLSearchParams(rule)}`, { signal }),
  addShield: (domain: string, body: Sent<typeof newShield>) => call<Shield>('POST', shieldsPath(domain), { body }),
  removeShield: (domain: string, id: number, confirm?: string) =>
    call<Parsed<typeof removedShield>>(
      'DELETE',
      `${shieldsPath(domain)}/${id}${confirm === undefined ? '' : `?${new URLSearchParams({ confirm })}`}`,
    ),
  restoreShield: (domain: string, undo: string) =>
    call<Shield>('POST', `${site(domain)}/shield-undo`, { body: { undo } }),
  reports: (domain: string) => call<ReportSubscription>('GET', `${site(domain)}/report-subscription`),
  chooseReports: (domain: string, body: Sent<typeof reportChoice>) =>
    call<ReportSubscription>('PUT', `${site(domain)}/report-subscription`, { body }),
  sendReport: (domain: string, kind: ReportKind) =>
    call<unknown>('POST', `${site(domain)}/report-sendings`, { body: { kind } }),
  shares: (domain: string) => call<ShareList>('GET', `${site(domain)}/shares`),
  addShare: (domain: string, body: Sent<typeof newShare>) =>
    call<MadeShare>('POST', `${site(domain)}/shares`, { body }),
  changeShare: (domain: string, id: number, body: ShareChange) =>
    call<Share>('PATCH', `${site(domain)}/shares/${id}`, { body }),
  replaceShareLink: (domain: string, id: number) => call<MadeShare>('POST', `${site(domain)}/shares/${id}/links`),
  revokeShare: (domain: string, id: number) => call<undefined>('DELETE', `${site(domain)}/shares/${id}`),
  exports: (domain: string, signal?: AbortSignal) => call<SiteExports>('GET', exportsPath(domain), { signal }),
  startExport: (domain: string, format: ExportFormat) =>
    call<SiteExport>('POST', exportsPath(domain), { body: { format } }),
  removeExport: (domain: string, id: number) => call<undefined>('DELETE', `${exportsPath(domain)}/${id}`),
  exportAddress: (domain: string, id: number) => `${exportsPath(domain)}/${id}/file`,
  imports: (domain: string, signal?: AbortSignal) => call<SiteImports>('GET', importsPath(domain), { signal }),
  beginImport: (domain: string, body: NewImport) => call<SiteImport>('POST', importsPath(domain), { body }),
  sendImportPart: (domain: string, id: number, part: number, bytes: Blob) =>
    call<SiteImport>('PUT', `${importsPath(domain)}/${id}/parts/${part}`, { bytes }),
  checkImport: (domain: string, id: number) => call<SiteImport>('POST', `${importsPath(domain)}/${id}/check`),
  startImport: (domain: string, id: number) => call<SiteImport>('POST', `${importsPath(domain)}/${id}/start`),
  /** Undefined when its line is gone; otherwise it is being taken out. */
  removeImport: (domain: string, id: number) => call<SiteImport | undefined>('DELETE', `${importsPath(domain)}/${id}`),
  sendTestEvent: (domain: string) => call<unknown>('POST', `${site(domain)}/test-events`, { body: {} }),
  goals: (domain: string) => call<Listed<Goal>>('GET', `${site(domain)}/goals`).then(rows),
  annotations: (domain: string) => call<Listed<Annotation>>('GET', `${site(domain)}/annotations`).then(rows),
  addAnnotation: (domain: string, body: Sent<typeof newAnnotation>) =>
    call<Annotation>('POST', `${site(domain)}/annotations`, { body }),
  changeAnnotation: (domain: string, id: number, body: Sent<typeof newAnnotation>) =>
    call<Annotation>('PUT', `${site(domain)}/annotations/${id}`, { body }),
  removeAnnotation: (domain: string, id: number) => call<undefined>('DELETE', `${site(domain)}/annotations/${id}`),
  properties: (domain: string, event?: string) =>
    call<Listed<SeenProperty>>(
      'GET',
      `${site(domain)}/properties${event === undefined ? '' : `?event=${encodeURIComponent(event)}`}`,
    ).then(rows),
  createGoal: (domain: string, body: NewGoal & { undo?: string }) =>
    call<Goal>('POST', `${site(domain)}/goals`, { body }),
  changeGoal: (domain: string, id: number, body: NewGoal) => call<Goal>('PUT', `${site(domain)}/goals/${id}`, { body }),
  previewGoal: (domain: string, body: GoalRule, signal?: AbortSignal) =>
    call<GoalPreview>('POST', `${site(domain)}/goal-preview`, { body, signal }),
  deleteGoal: (domain: string, id: number) => call<{ undo: string }>('DELETE', `${site(domain)}/goals/${id}`),
  foreignIds: (domain: string) => call<Listed<ForeignId>>('GET', `${site(domain)}/foreign-ids`).then(rows),
  setForeignId: (domain: string, product: ForeignProduct, body: ForeignIdSetting) =>
    call<ForeignId>('PUT', `${site(domain)}/foreign-ids/${product}`, { body }),
  deleteForeignId: (domain: string, product: ForeignProduct) =>
    call<undefined>('DELETE', `${site(domain)}/foreign-ids/${product}`),
  keys: (organisationId: number) =>
    call<Listed<ApiKey>>('GET', `/api/keys?organisation_id=${organisationId}`).then(rows),
  createKey: (organisationId: number, body: NewApiKey) =>
    call<CreatedApiKey>('POST', `/api/keys?organisation_id=${organisationId}`, { body }),
  deleteKey: (organisationId: number, id: number) =>
    call<undefined>('DELETE', `/api/keys/${id}?organisation_id=${organisationId}`),
  audit: (trail: Trail, query: string, cursor?: number, signal?: AbortSignal) =>
    call<Parsed<typeof auditPage>>(
      'GET',
      `${auditPath(trail)}?${query}${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      { signal },
    ),
  auditChain: (trail: Trail, signal?: AbortSignal) =>
    call<Parsed<typeof auditChain>>('GET', `${auditPath(trail)}/chain`, { signal }),
  ask: (queries: QueryRequest[], signal?: AbortSignal) =>
    call<{ results: QueryResult[] }>('POST', '/api/v2/query/batch', { body: { queries }, signal }).then(
      ({ results }) => {
        if (results.some((one) => 'error' in one && one.error.code === 'not_found')) accessDoubted();
        return results;
      },
    ),
};

const site = (domain: string) => `/api/sites/${encodeURIComponent(domain)}`;
/** Of an organisation, or the desk's own. */
export type Trail = number | 'desk';
export const auditPath = (trail: Trail) => (trail === 'desk' ? '/api/audit' : `/api/organisations/${trail}/audit`);
/** @param filters as JSON; empty where there are none */
export const realtimePath = (domain: string, filters: string) =>
  `${site(domain)}/realtime${filters === '' ? '' : `?${new URLSearchParams({ filters })}`}`;
export const exportsPath = (domain: string) => `${site(domain)}/exports`;
export const importsPath = (domain: string) => `${site(domain)}/imports`;
export const shieldsPath = (domain: string) => `${site(domain)}/shields`;
export const missingPath = (domain: string, period: MissingPeriod) => `${site(domain)}/missing?period=${period}`;

/** Lists come bare, or as the only list of an object once they have pages. */
type Listed<T> = T[] | Record<string, T[] | unknown>;
function rows<T>(answer: Listed<T>): T[] {
  if (Array.isArray(answer)) return answer;
  return (Object.values(answer).find((value) => Array.isArray(value)) as T[] | undefined) ?? [];
}

interface CallOptions {
  body?: unknown;
  /** Sent as they are, instead of a body in JSON. */
  bytes?: Blob;
  signal?: AbortSignal | undefined;
  /** Ask without telling the page that the session is over: the caller expects that answer. */
  quiet?: boolean;
}

/** One call of the desk; pages with calls of their own list them in a file beside this one. */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  try {
    return await send<T>(method, path, options);
  } catch (error) {
    if (error instanceof DeskError && error.code === 'acceptance_needed') agreementDue();
    if (error instanceof DeskError && (error.status === 404 || error.status === 403) && options.quiet !== true)
      accessDoubted();
    if (!(error instanceof DeskError) || error.status !== 401) throw error;
    // An access token lives 15 minutes. The first call after that refreshes it once and is repeated; the person notices nothing.
    if (error.code === 'session_ended' && (await refresh())) return send<T>(method, path, options);
    if (options.quiet !== true) sessionEnded();
    throw error;
  }
}

let refreshing: Promise<boolean> | undefined;

/** One refresh at a time: a refresh token is single use, and two tabs or panels must not spend it twice (AUT-05). */
function refresh(): Promise<boolean> {
  refreshing ??= send('POST', '/api/sessions/refresh', {})
    .then(
      () => true,
      () => false,
    )
    .finally(() => {
      refreshing = undefined;
    });
  return refreshing;
}

/** Told when an answer says that there is something to read which this page does not know. */
let onNews = () => {};
export function whenNews(tell: () => void): void {
  onNews = tell;
}

async function send<T>(method: string, path: string, { body, bytes, signal }: CallOptions): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        ...(method === 'GET' ? {} : { 'x-fairlead-csrf': '1' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(bytes === undefined ? {} : { body: bytes }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new DeskError(0, {
      code: 'unreachable',
      message: 'This desk does not answer. Is its server running? The page asks again by itself.',
    });
  }
  // The count itself is what the page then asks for.
  if (response.headers.has('fairlead-news') && !path.startsWith('/api/notifications/')) onNews();
  if (response.ok && response.headers.get('content-type') === 'application/zip') return (await response.blob()) as T;
  const text = await response.text();
  let value: unknown;
  try {
    value = text === '' ? undefined : JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (response.ok) return value as T;
  const error = (value as Partial<ApiError> | undefined)?.error;
  throw new DeskError(
    response.status,
    error ?? {
      code: 'unreadable',
      message: `The desk answered ${response.status} without a reason. Try again; its log says more.`,
    },
  );
}

/** The size of the tracker as it travels, read from the desk itself; undefined where the desk does not say. */
export async function trackerBytes(): Promise<number | undefined> {
  try {
    const response = await fetch('/js/fairlead.js', { method: 'HEAD', credentials: 'omit' });
    const length = Number(response.headers.get('content-length'));
    return response.ok && length > 0 ? length : undefined;
  } catch {
    return undefined;
  }
}
