import { peopleLimits } from '../../contract/limits.ts';
import { refreshDaysAbsolute } from './tokens.ts';

/**
 * The browser session lives in these two cookies and nowhere else (rule R4, COK-01, COK-02). `__Host-` makes the
 * browser insist on Secure, Path=/ and no Domain; browsers accept Secure cookies on loopback without HTTPS.
 */
export const accessCookie = '__Host-fairlead_access';
export const refreshCookie = '__Host-fairlead_refresh';

/** Between the password and the second step; lets its holder take that step and nothing else. */
export const stepCookie = '__Host-fairlead_step';

const attributes = 'Path=/; HttpOnly; Secure; SameSite=Lax';

export function sessionCookies(tokens: { access: string; refresh: string }): string[] {
  return [
    // The access cookie outlives its token on purpose: an expired token is how the server tells "refresh" from "sign in".
    `${accessCookie}=${tokens.access}; Max-Age=${refreshDaysAbsolute * 86_400}; ${attributes}`,
    `${refreshCookie}=${tokens.refresh}; Max-Age=${refreshDaysAbsolute * 86_400}; ${attributes}`,
  ];
}

export function endedCookies(): string[] {
  return [accessCookie, refreshCookie].map(endedCookie);
}

export function stepCookieOf(token: string): string {
  return `${stepCookie}=${token}; Max-Age=${peopleLimits.secondStepMinutes * 60}; ${attributes}`;
}

export function endedCookie(name: string): string {
  return `${name}=; Max-Age=0; ${attributes}`;
}

/** The value of one cookie; the first wins, as browsers send the most specific first. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim() || undefined;
  }
  return undefined;
}
