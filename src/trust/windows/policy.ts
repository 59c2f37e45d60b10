import type { PolicyProfile } from '../../../contract/windows.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { type Line, lines, type Span, sizeOf, spanWords } from './lines.ts';

/**
 * What each profile keeps for less long than the ledger does, by line (rule R20). `strict` is the ledger's own table; no
 * profile says more, which a test holds over all profiles and lines. They are a place to begin, and no legal advice.
 *
 * `eu` and `uk`: logs of operation for half a year, the shorter end of what supervisory authorities there have called
 * proportionate (six to twelve months).
 */
export const profileWindows: Readonly<Record<PolicyProfile, Readonly<Record<string, Span>>>> = {
  strict: {},
  eu: { drops: { months: 6 }, mail: { months: 6 }, notifications: { months: 6 } },
  uk: { drops: { months: 6 }, mail: { months: 6 }, notifications: { months: 6 } },
  us: {},
  sg: {},
};

export const profileWords: Readonly<Record<PolicyProfile, string>> = {
  strict: 'The windows of the ledger as they are.',
  eu: 'Lists of mail, notifications and events that were not stored for 6 months in place of 12.',
  uk: 'Lists of mail, notifications and events that were not stored for 6 months in place of 12.',
  us: 'The windows of the ledger as they are. The notice says what California asks for, and the link to opt out has a page.',
  sg: 'The windows of the ledger as they are.',
};

/** A version of an organisation's policy; version 0 is what holds before anybody has chosen. */
export interface Policy {
  version: number;
  profile: PolicyProfile;
  /** Lines that are shorter than the profile, in the line's unit. */
  windows: Readonly<Record<string, number>>;
  changedAt: Date | null;
}

export const firstPolicy: Policy = { version: 0, profile: 'strict', windows: {}, changedAt: null };

export async function readPolicy(sql: Sql, organisationId: number): Promise<Policy> {
  const row = await sql.maybe<{
    version: number;
    profile: PolicyProfile;
    windows: Record<string, number>;
    changed_at: Date;
  }>(
    `SELECT version, profile, windows, changed_at FROM retention_policies WHERE organisation_id = $1
     ORDER BY version DESC LIMIT 1`,
    [organisationId],
  );
  return row === undefined ? firstPolicy : { ...row, changedAt: row.changed_at };
}

/** The window of a line under a policy: the shortest of ledger, profile and what the organisation has set. */
export function windowOf(
  line: Line,
  policy: Policy,
): { kept: Span; from: 'ledger' | 'profile' | 'policy' } | undefined {
  const { kept } = line;
  if (kept === undefined) return undefined;
  if (line.shortenedBy === 'nobody') return { kept, from: 'ledger' };
  const own = policy.windows[line.name];
  const profile = profileWindows[policy.profile][line.name];
  const size = Math.min(sizeOf(kept), profile === undefined ? Infinity : sizeOf(profile), own ?? Infinity);
  if (size === own) return { kept: ofSize(line, size), from: 'policy' };
  return { kept: ofSize(line, size), from: size < sizeOf(kept) ? 'profile' : 'ledger' };
}

function ofSize(line: Line, size: number): Span {
  return line.kept !== undefined && 'days' in line.kept ? { days: size } : { months: size };
}

/**
 * A change may only shorten (rule R20).
 * @throws RequestError invalid_field that names the first line which would be kept longer, or that nobody may set
 */
export function refuseLoosening(before: Policy, after: Pick<Policy, 'profile' | 'windows'>): void {
  for (const name of Object.keys(after.windows)) {
    const line = lines.find((one) => one.name === name);
    if (line?.kept === undefined || line.shortenedBy === 'nobody')
      throw new RequestError(
        'invalid_field',
        `The window "${name}" cannot be set by an organisation. These can: ${shortenable.map((one) => one.name).join(', ')}.`,
        { field: `windows.${name}` },
      );
  }
  for (const line of shortenable) {
    const [old, next] = [windowOf(line, before), windowOf(line, { ...before, ...after })];
    const own = after.windows[line.name];
    const longest = old === undefined ? 0 : sizeOf(old.kept);
    const wanted = own ?? (next === undefined ? 0 : sizeOf(next.kept));
    if (wanted > longest)
      throw new RequestError(
        'invalid_field',
        `"${line.name}" would be kept for ${spanWords(ofSize(line, wanted))}. ${before.version === 0 ? 'The ledger' : `Version ${before.version} of the policy`} promises at most ${spanWords(ofSize(line, longest))}, and a window can only get shorter.`,
        { field: own === undefined ? 'profile' : `windows.${line.name}` },
      );
  }
}

/** Lines whose window an organisation may make shorter. */
export const shortenable: readonly Line[] = lines.filter(
  ({ kept, shortenedBy }) => kept !== undefined && shortenedBy !== 'nobody',
);
