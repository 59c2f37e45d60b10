import type { LeftOutReason } from '../../../../contract/drops.ts';
import { readForeignId } from '../../foreign_ids.ts';
import { foreignName } from '../../sites.ts';
import { bareRelative } from '../bare.ts';
import type { ReadEvent } from '../ingest.ts';
import type { Refusal } from '../payload.ts';
import {
  asObject,
  flatProps,
  isGiven,
  pageAddress,
  readOurWords,
  referrerOf,
  refuse,
  refuseLong,
  textOf,
} from './words.ts';

/** What Rybbit allows, in characters. */
const charsMax = {
  site_id: 64,
  hostname: 253,
  pathname: 2048,
  querystring: 2048,
  language: 35,
  page_title: 512,
  referrer: 2048,
  event_name: 256,
  user_id: 255,
  anonymous_id: 255,
  tag: 256,
  ip_address: 64,
  user_agent: 512,
  app_version: 64,
  device_model: 128,
};
const propertiesCharsMax = 2048;
const errorCharsMax = 4096;

/** Rybbit refuses members it does not know, so nothing that it takes has any. */
const members = new Set([
  ...Object.keys(charsMax),
  'type',
  'screenWidth',
  'screenHeight',
  'properties',
  'feature_flags',
  '_bs',
  '_bsm',
]);
const speeds = new Set(['lcp', 'cls', 'inp', 'fcp', 'ttfb']);

type Kind = {
  /** What it is called here; '' = by its `event_name`. */
  readonly name: string;
  /** Properties that must be there, with their types. */
  readonly needs: Readonly<Record<string, 'string' | 'number'>>;
  /** Properties that hold what somebody read, copied or ran into, which is never kept. */
  readonly leaves: readonly string[];
  readonly interactive: boolean;
};

const kinds: Readonly<Record<string, Kind>> = {
  pageview: { name: 'pageview', needs: {}, leaves: [], interactive: true },
  custom_event: { name: '', needs: {}, leaves: [], interactive: true },
  outbound: { name: 'Outbound Link: Click', needs: { url: 'string' }, leaves: ['text'], interactive: true },
  error: { name: 'Error', needs: { message: 'string' }, leaves: ['stack'], interactive: false },
  button_click: { name: 'Button: Click', needs: {}, leaves: ['text'], interactive: true },
  copy: { name: 'Copy', needs: { sourceElement: 'string' }, leaves: ['text'], interactive: true },
  form_submit: {
    name: 'Form: Submission',
    needs: { formId: 'string', formName: 'string', formAction: 'string', method: 'string', fieldCount: 'number' },
    leaves: [],
    interactive: true,
  },
  input_change: {
    name: 'Input: Change',
    needs: { element: 'string', inputName: 'string' },
    leaves: [],
    interactive: true,
  },
};

const theirNames = { name: 'event_name', url: 'pathname', props: 'properties', ip: 'ip_address' };

/**
 * One flat object of Rybbit's script and packages. `user_id` and `anonymous_id` are left out; `ip_address` and
 * `user_agent` count with an API key alone. Automatic events get the names that our own tracker uses, where it has one.
 */
export const readRybbit: ReadEvent = (raw) => {
  const sent = asObject(raw);
  if (sent === undefined) return refuse('event', 'An event is a JSON object.');
  const { type } = sent;
  const isSpeed = type === 'performance';
  const stranger = Object.keys(sent).find((key) => !members.has(key) && !(isSpeed && speeds.has(key)));
  if (stranger !== undefined) return refuse(stranger.slice(0, 64), 'No event of Rybbit has this member.');
  const siteId = siteIdOf(sent.site_id);
  if (siteId === undefined) return refuse('site_id', 'The "site_id" is the id of a site.');
  const domain = foreignName('rybbit', siteId);
  if (isSpeed) return { unkept: 'unsupported', domains: domain };
  const kind = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined)
    return refuse('type', `The "type" is performance or one of ${Object.keys(kinds).join(', ')}.`);
  const long = refuseLong({ ...sent, site_id: siteId }, charsMax);
  if (long !== undefined) return long;
  if (kind.name === '' && !isGiven(sent.event_name)) return refuse('event_name', 'A custom event needs its name.');
  const properties = readProperties(sent.properties, type === 'error' ? errorCharsMax : propertiesCharsMax, kind);
  if ('refused' in properties) return properties;
  const leftOut: LeftOutReason[] = [];
  if (isGiven(sent.user_id) || isGiven(sent.anonymous_id)) leftOut.push('identity_off');
  if (properties.hasText) leftOut.push('text_off');
  const hostname = textOf(sent.hostname);
  return readOurWords(
    {
      name: kind.name || textOf(sent.event_name),
      url: pageAddress(
        hostname === '' ? '' : `https://${hostname}`,
        withQuery(textOf(sent.pathname), textOf(sent.querystring)),
      ),
      domain,
      // Its scripts send the fragment as the end of the path.
      hashMode: true,
      referrer: referrerOf(sent.referrer),
      title: sent.page_title,
      screen: isWhole(sent.screenWidth) && isWhole(sent.screenHeight) ? `${sent.screenWidth}x${sent.screenHeight}` : '',
      props: {
        ...properties.props,
        ...(kind.name !== '' && isGiven(sent.event_name) ? { event_name: sent.event_name } : {}),
        ...(isGiven(sent.tag) ? { tag: sent.tag } : {}),
        ...(isGiven(sent.app_version) ? { app_version: sent.app_version } : {}),
        ...flatProps(isGiven(sent.feature_flags) ? { flag: sent.feature_flags } : {}),
      },
      interactive: kind.interactive,
      ip: sent.ip_address,
      user_agent: sent.user_agent,
    },
    leftOut,
    theirNames,
  );
};

/** `/api/identify`: a site and a person, of which only the site is read. */
export const readRybbitIdentity: ReadEvent = (raw) => {
  const siteId = siteIdOf(asObject(raw)?.site_id);
  return siteId === undefined
    ? refuse('site_id', 'The "site_id" is the id of a site.')
    : { unkept: 'identity', domains: foreignName('rybbit', siteId) };
};

/** Older scripts send a number. */
function siteIdOf(value: unknown): string | undefined {
  return readForeignId('rybbit', typeof value === 'number' ? String(value) : value);
}

/** Puts the query where an address has it: before the fragment. */
function withQuery(pathname: string, querystring: string): string {
  if (querystring === '') return pathname;
  const mark = pathname.indexOf('#');
  const path = mark < 0 ? pathname : pathname.slice(0, mark);
  const query = querystring.startsWith('?') ? querystring : `?${querystring}`;
  return path + query + (mark < 0 ? '' : pathname.slice(mark));
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

type Properties = { readonly props: Record<string, unknown>; readonly hasText: boolean };

/** The properties are JSON text of an object. */
function readProperties(text: unknown, charsMax: number, kind: Kind): Properties | Refusal {
  const needed = Object.keys(kind.needs);
  if (!isGiven(text))
    return needed.length === 0
      ? { props: {}, hasText: false }
      : refuse('properties', `This event needs ${needed.join(', ')}.`);
  if (typeof text !== 'string') return refuse('properties', 'The "properties" are the JSON text of an object.');
  if (text.length > charsMax)
    return {
      refused: true,
      reason: 'too_large',
      field: 'properties',
      message: `The "properties" have at most ${charsMax} characters.`,
    };
  let said: Record<string, unknown> | undefined;
  try {
    said = asObject(JSON.parse(text));
  } catch {}
  if (said === undefined) return refuse('properties', 'The "properties" are the JSON text of an object.');
  const missing = needed.find((key) => typeof said[key] !== kind.needs[key]);
  if (missing !== undefined) return refuse('properties', `The property "${missing}" is a ${kind.needs[missing]}.`);
  const { leaves } = kind;
  const kept = Object.fromEntries(Object.entries(said).filter(([key]) => !leaves.includes(key)));
  if (typeof kept.formAction === 'string' && !kept.formAction.includes('://'))
    kept.formAction = bareRelative(kept.formAction);
  return {
    props: flatProps(kept),
    hasText: leaves.some((key) => isGiven(said[key])),
  };
}
