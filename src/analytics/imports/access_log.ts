import { isIP } from 'node:net';
import { importLimits } from './limits.ts';
import type { StopReason } from './report.ts';

/** A page view as the pipeline reads it, or why the line is none. */
export type LogReading =
  | { event: { name: string; url: string; referrer: string; ip: string; user_agent: string; time: number } }
  | { stopped: StopReason };

/**
 * Reads lines of the combined format, as Apache and nginx write it, with or without the host in front:
 *
 *     203.0.113.7 - - [10/Oct/2026:13:55:36 +0200] "GET /a?utm_source=x HTTP/1.1" 200 2326 "https://…" "Mozilla/5.0 …"
 *
 * Only answered requests for pages become page views. Whether one was is told by method, status and path, for a log
 * knows no more; robots are told by the pipeline.
 */
export function accessLogReader(domain: string): (line: string) => LogReading {
  const timeOf = timeReader();
  return (line) => {
    if (line.length >= importLimits.lineCharsMax) return { stopped: 'line_too_long' };
    const bracket = line.indexOf('[');
    const close = line.indexOf('] "', bracket);
    if (bracket < 0 || close < 0) return notALogLine;
    const time = timeOf(line.slice(bracket + 1, close));
    const requestAt = close + 3;
    const requestEnd = quoteAfter(line, requestAt);
    const referrerAt = line.indexOf('"', requestEnd + 1);
    if (time === undefined || requestEnd < 0 || referrerAt < 0) return notALogLine;
    const referrerEnd = quoteAfter(line, referrerAt + 1);
    const agentAt = line.indexOf('"', referrerEnd + 1);
    const agentEnd = quoteAfter(line, agentAt + 1);
    if (referrerEnd < 0 || agentAt < 0 || agentEnd < 0) return notALogLine;
    const sender = senderOf(line.slice(0, bracket), domain);
    if (sender === undefined) return notALogLine;
    const status = /^ (\d{3}) (?:\d+|-) /.exec(line.slice(requestEnd + 1, referrerAt))?.[1];
    if (status === undefined) return notALogLine;
    const target = pageOf(line.slice(requestAt, requestEnd), status);
    if (target === undefined) return notAPageView;
    const agent = fieldOf(line.slice(agentAt + 1, agentEnd));
    if (agent === '') return { stopped: 'no_agent' };
    return {
      event: {
        name: 'pageview',
        url: `https://${sender.host}${target}`,
        referrer: fieldOf(line.slice(referrerAt + 1, referrerEnd)),
        ip: sender.address,
        user_agent: agent,
        time,
      },
    };
  };
}

const notALogLine: LogReading = { stopped: 'not_a_log_line' };
const notAPageView: LogReading = { stopped: 'not_a_page_view' };

/** `address ident user` or `host:port address ident user`; a user may have blanks in his name. */
function senderOf(text: string, domain: string): { host: string; address: string } | undefined {
  const blank = text.indexOf(' ');
  const first = text.slice(0, blank);
  if (isIP(first) !== 0) return { host: domain, address: first };
  const address = text.slice(blank + 1, text.indexOf(' ', blank + 1));
  return isIP(address) === 0 ? undefined : { host: first.replace(/:\d+$/, ''), address };
}

/** The closing quote; -1 when there is none. Both servers put a backslash before a quote within the text. */
function quoteAfter(line: string, from: number): number {
  let at = line.indexOf('"', from);
  while (at > 0 && isEscaped(line, at, from)) at = line.indexOf('"', at + 1);
  return at;
}

function isEscaped(line: string, at: number, from: number): boolean {
  let backslashes = 0;
  for (let before = at - 1; before >= from && line[before] === '\\'; before--) backslashes++;
  return backslashes % 2 === 1;
}

/** `-` is nothing; `\"`, `\\` and `\xhh` are what they stand for. */
function fieldOf(text: string): string {
  if (text === '-') return '';
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex: string | undefined, sign: string) =>
    hex === undefined ? sign : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The target of a request that a page answered; undefined for everything else. */
function pageOf(request: string, status: string): string | undefined {
  // A page that a browser has already is answered 304.
  if (status[0] !== '2' && status !== '304') return undefined;
  if (!request.startsWith('GET /')) return undefined;
  const end = request.indexOf(' ', 4);
  const target = fieldOf(request.slice(4, end < 0 ? undefined : end));
  if (target.startsWith('//')) return undefined;
  const mark = target.search(/[?#]/);
  const path = (mark < 0 ? target : target.slice(0, mark)).toLowerCase();
  if (notPages.test(path)) return undefined;
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') && files.has(path.slice(dot + 1)) ? undefined : target;
}

/** What programs ask for on nearly every site: hidden files, sign-in and interfaces of content systems. */
const notPages = /^\/(?:\.|api\/|graphql$|cgi-bin\/|wp-(?:admin|json|login|cron|content|includes)|xmlrpc\.php)/;

const files = new Set(
  `css js mjs cjs map json jsonld xml txt ico png jpg jpeg gif webp avif svg bmp tif tiff heic woff woff2 ttf otf eot
  mp3 mp4 m4a m4v m3u8 ts webm ogg ogv wav flac mov avi mkv pdf epub zip gz tgz bz2 xz 7z rar tar exe msi dmg pkg deb
  rpm apk iso bin doc docx xls xlsx ppt pptx odt ods csv rss atom wasm webmanifest swf env sql bak log ini yml yaml`.split(
    /\s+/,
  ),
);

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `10/Oct/2026:13:55:36 +0200` in milliseconds. Lines that follow each other often have the same second. */
function timeReader(): (text: string) => number | undefined {
  let last = '';
  let lastMs: number | undefined;
  return (text) => {
    if (text !== last) {
      last = text;
      lastMs = readTime(text);
    }
    return lastMs;
  };
}

function readTime(text: string): number | undefined {
  const [, day, name, year, hour, minute, second, sign, zoneHours, zoneMinutes] =
    /^(\d{2})\/(\w{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/.exec(text) ?? [];
  const month = months.indexOf(name ?? '');
  if (month < 0) return undefined;
  const wall = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  // 31 February is read as a day of March.
  if (new Date(wall).getUTCDate() !== Number(day)) return undefined;
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return sign === '-' ? wall + offset : wall - offset;
}
