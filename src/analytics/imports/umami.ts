import { plainCell } from '../../../contract/cells.ts';
import type { Agent } from '../ingest/agent.ts';
import type { Place } from '../ingest/place.ts';
import type { SiteRecord } from '../sites.ts';
import { type Archive, shown } from './archive.ts';
import { dayIn, readRecords } from './csv.ts';
import type { ReadRow } from './events.ts';
import { countryCode, namedAgent } from './foreign_names.ts';
import { refused } from './refused.ts';
import { nameText } from './texts.ts';

/**
 * The tables of Umami as CSV: `website_event`, and from an installation of one's own `session` (who the event was of)
 * and `event_data` (its properties); the cloud's export has the columns of `session` on each event. Sessions become
 * visitors of a day as everywhere: their ids are hashed under a salt that nobody keeps.
 */
export interface UmamiTables {
  events: AsyncIterable<Buffer>;
  sessions?: AsyncIterable<Buffer>;
  data?: AsyncIterable<Buffer>;
}

const tables = { website_event: 'events', session: 'sessions', event_data: 'data' } as const;

/** The members of an archive by what they are called; others are named by `ignored`. */
export function umamiTablesIn(archive: Archive, ignored: (name: string) => void): UmamiTables {
  const found: Partial<Record<keyof UmamiTables, AsyncIterable<Buffer>>> = {};
  for (const member of archive.members) {
    const name = /^([a-z_]+)\.csv$/.exec(member.name.slice(member.name.lastIndexOf('/') + 1))?.[1] ?? '';
    const table = Object.hasOwn(tables, name) ? tables[name as keyof typeof tables] : undefined;
    if (member.name.endsWith('/')) continue;
    if (table === undefined || /(^|[/\\])(\.\.|__MACOSX)([/\\]|$)/.test(member.name)) ignored(shown(member.name));
    else if (found[table] !== undefined) throw refused(`The archive has ${name}.csv twice: leave one of them out.`);
    else found[table] = member.read();
  }
  if (found.events === undefined)
    throw refused('The archive has no website_event.csv: pack the tables of Umami as CSV, each under its name.');
  return found as UmamiTables;
}

/** Held in memory while events are read: about 300 bytes each. */
const sessionsMax = 2_000_000;
const propertiesMax = 2_000_000;

interface Session {
  agent: Agent;
  place: Place;
  screen: string;
}

/** Each event in the pipeline's words, in the order of the file. @throws RequestError when a table has other columns */
export async function* readUmamiEvents(tables_: UmamiTables, site: SiteRecord): AsyncGenerator<ReadRow> {
  const sessions = tables_.sessions === undefined ? undefined : await readSessions(tables_.sessions);
  const properties = tables_.data === undefined ? undefined : await readProperties(tables_.data);
  const known = site.foreignIds.find(({ product }) => product === 'umami')?.id;
  let website = known;
  let header: Header | undefined;
  for await (const { cells } of readRecords(tables_.events)) {
    if (header === undefined) {
      header = headerOf('website_event', cells ?? [], ['session_id', 'url_path', 'created_at']);
      continue;
    }
    if (cells === undefined) {
      yield { stopped: 'line_too_long' };
      continue;
    }
    if (cells.length !== header.width) {
      yield { stopped: 'wrong_columns' };
      continue;
    }
    const of = cellReader(header, cells);
    const own = of('website_id');
    website ??= own === '' ? undefined : own;
    if (own !== '' && own !== website) {
      if (known === undefined)
        throw refused(
          'The table holds several websites: set the Umami id of this site in its settings, so that its rows are known.',
        );
      yield { stopped: 'other_site' };
      continue;
    }
    yield eventOf(of, sessions, properties, site.domain);
  }
}

type CellOf = (name: string) => string;
interface Header {
  width: number;
  at: ReadonlyMap<string, number>;
}

function headerOf(table: string, cells: readonly string[], needed: readonly string[]): Header {
  const at = new Map(cells.map((cell, index) => [cell.trim().toLowerCase(), index]));
  const missing = needed.find((name) => !at.has(name));
  if (missing !== undefined)
    throw refused(`${table} has no column ${missing}: export the table with its line of headers.`);
  return { width: cells.length, at };
}

/** `NULL` and `\N` are how databases write nothing. */
function cellReader({ at }: Header, cells: readonly string[]): CellOf {
  return (name) => {
    const cell = cells[at.get(name) ?? -1] ?? '';
    return cell === 'NULL' || cell === '\\N' ? '' : plainCell(cell);
  };
}

async function readSessions(bytes: AsyncIterable<Buffer>): Promise<Map<string, Session>> {
  const sessions = new Map<string, Session>();
  let header: Header | undefined;
  for await (const { cells } of readRecords(bytes)) {
    if (header === undefined) {
      header = headerOf('session', cells ?? [], ['session_id']);
      continue;
    }
    if (cells === undefined) continue;
    if (sessions.size >= sessionsMax)
      throw refused(`The table of sessions has more than ${sessionsMax} rows: export a shorter time.`);
    const of = cellReader(header, cells);
    sessions.set(of('session_id'), sessionOf(of));
  }
  return sessions;
}

async function readProperties(bytes: AsyncIterable<Buffer>): Promise<Map<string, Record<string, string>>> {
  const properties = new Map<string, Record<string, string>>();
  let header: Header | undefined;
  let rows = 0;
  for await (const { cells } of readRecords(bytes)) {
    if (header === undefined) {
      header = headerOf('event_data', cells ?? [], ['data_key']);
      continue;
    }
    if (cells === undefined) continue;
    if (++rows > propertiesMax)
      throw refused(`The table of properties has more than ${propertiesMax} rows: export a shorter time.`);
    const of = cellReader(header, cells);
    const id = of('website_event_id') || of('event_id');
    const own = properties.get(id) ?? {};
    own[of('data_key')] = of('string_value') || of('number_value') || of('date_value');
    properties.set(id, own);
  }
  return properties;
}

function sessionOf(of: CellOf): Session {
  const device = namedAgent('device', of('device'));
  return {
    agent: {
      browser: browserOf(of('browser')),
      browser_version: '',
      ...systemOf(of('os')),
      device: device === 'Desktop' || device === 'Mobile' || device === 'Tablet' ? device : '',
    },
    place: {
      country: countryCode(of('country')),
      region: nameText(of('region') || of('subdivision1')),
      city: nameText(of('city')),
      latitude: 0,
      longitude: 0,
    },
    screen: of('screen'),
  };
}

/** Umami's own words for browsers; others are names that are known here. */
const browsers: { readonly [word: string]: string } = {
  'edge-chromium': 'Microsoft Edge',
  'edge-ios': 'Microsoft Edge',
  crios: 'Chrome',
  fxios: 'Firefox',
  ios: 'Safari',
  'ios-webview': 'iOS WebView',
  'chromium-webview': 'Android WebView',
  samsung: 'Samsung Internet',
  'opera-mini': 'Opera Mini',
};

function browserOf(word: string): string {
  const key = word.toLowerCase();
  return (Object.hasOwn(browsers, key) ? browsers[key] : undefined) ?? namedAgent('browser', word);
}

/** `Windows 10` is a system and its version, `Android OS` is Android. */
function systemOf(text: string): { os: string; os_version: string } {
  const [, name = '', version = ''] =
    /^(.*?)(?: ([\d.]+|XP|Vista))?$/.exec(
      text.replace(/ OS$/, (os) => (text === 'Mac OS' || text === 'Chrome OS' ? os : '')),
    ) ?? [];
  return { os: namedAgent('os', name), os_version: version };
}

function eventOf(
  of: CellOf,
  sessions: ReadonlyMap<string, Session> | undefined,
  properties: ReadonlyMap<string, Record<string, string>> | undefined,
  domain: string,
): ReadRow {
  const type = of('event_type');
  // 1 is a page view, 2 an event of the site's own; the others are speeds and errors.
  if (type !== '' && type !== '1' && type !== '2') return { stopped: 'unsupported' };
  const time = timeIn(of('created_at'));
  if (time === undefined) return { stopped: 'no_day' };
  const query = of('url_query');
  const referrer = of('referrer_domain');
  const session = sessions?.get(of('session_id')) ?? sessionOf(of);
  const name = of('event_name');
  return {
    event: {
      name: name === '' ? 'pageview' : name,
      url: `https://${of('hostname') || domain}${of('url_path') || '/'}${query === '' ? '' : `?${query.replace(/^\?/, '')}`}`,
      hashMode: true,
      referrer: referrer === '' ? '' : `https://${referrer}${of('referrer_path')}`,
      title: of('page_title'),
      screen: session.screen,
      props: properties?.get(of('event_id')) ?? {},
      time,
    },
    known: { visitor: of('session_id'), agent: session.agent, place: session.place },
  };
}

/** As PostgreSQL, MySQL and ClickHouse write it; without a zone it is UTC. */
function timeIn(cell: string): number | undefined {
  const [, day = '', clock = '', zone = ''] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/.exec(cell.trim()) ??
    [];
  if (dayIn(day) === undefined) return undefined;
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  const ms = Date.parse(`${day}T${clock.slice(0, 12)}${sign}${hours}:${minutes}`);
  return Number.isNaN(ms) ? undefined : ms;
}
