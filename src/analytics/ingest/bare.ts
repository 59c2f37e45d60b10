/**
 * What is kept of an address, wherever one may stand: no user name, query, fragment, path parameter or e-mail address
 * (COL-19). Everything here looks at text from left to right a bounded number of times, because strangers write it.
 */

/** Stands where an e-mail address was: one page for all, and nobody's. */
export const emailMark = '(email)';

/** A parameter in a path, also where its signs came encoded: `;jsessionid=…`, `&token=…`, `%3Ftoken%3D…`. */
const pathParameter = /(?:[;&]|%(?:25)?(?:3f|26|3b))[^/;&=]{0,64}(?:=|%(?:25)?3d)[^/]*/gi;

/** A path without its parameters and without e-mail addresses. */
export function barePath(path: string): string {
  return withoutEmails(withoutParameters(path));
}

export function withoutParameters(path: string): string {
  const mayHoldOne = path.includes('%') || path.includes(';') || path.includes('&');
  return mayHoldOne ? path.replace(pathParameter, '') : path;
}

/** Every absolute address in the text without user name, query and fragment; other text stays as it is. */
export function bareText(text: string): string {
  let mark = text.indexOf('://');
  if (mark < 0) return text;
  let kept = '';
  let from = 0;
  while (mark >= 0) {
    let end = mark + 3;
    while (end < text.length && !isAddressEnd(text.charCodeAt(end))) end++;
    kept += text.slice(from, mark + 3) + bareRest(text.slice(mark + 3, end));
    from = end;
    mark = text.indexOf('://', end);
  }
  return kept + text.slice(from);
}

/** Spaces, quotes and angle brackets end an address in running text. */
function isAddressEnd(code: number): boolean {
  return code <= 32 || code === 34 || code === 39 || code === 60 || code === 62;
}

/** What follows `://`. */
function bareRest(rest: string): string {
  let end = 0;
  let slash = -1;
  for (; end < rest.length; end++) {
    const code = rest.charCodeAt(end);
    if (code === 63 || code === 35) break;
    if (slash < 0 && (code === 47 || code === 92)) slash = end;
  }
  const authority = rest.slice(0, slash < 0 ? end : slash);
  return authority.slice(authority.lastIndexOf('@') + 1) + (slash < 0 ? '' : barePath(rest.slice(slash, end)));
}

/** A path as a property may hold it (`/search?q=…`): up to its query or fragment. */
export function bareRelative(text: string): string {
  const end = text.search(/[?#]/);
  return barePath(end < 0 ? text : text.slice(0, end));
}

const at = /@|%(?:25){0,2}40/g;
/** `@2x.png` is a picture for dense screens, and a version (`@1.2.3`) ends in no letters. */
const mailHost = /^(?!\d+x\.)(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/u;
const mailHostCharsMax = 254;
/** A mailbox name has 64 characters, each of them perhaps encoded twice. */
const mailNameCharsMax = 320;
const beforeName = /[\s/\\?#&=;,:|<>"'()[\]{}@]/;

/** Text in which each e-mail address, also an encoded one, is replaced by a mark. */
export function withoutEmails(text: string): string {
  if (!text.includes('@') && !text.includes('40')) return text;
  let kept = '';
  let from = 0;
  for (const sign of text.matchAll(at)) {
    const after = sign.index + sign[0].length;
    const host = mailHost.exec(text.slice(after, after + mailHostCharsMax));
    if (host === null) continue;
    let name = sign.index;
    const first = Math.max(from, name - mailNameCharsMax);
    while (name > first && !beforeName.test(text[name - 1] as string)) name--;
    if (name === sign.index) continue;
    kept += text.slice(from, name) + emailMark;
    from = after + host[0].length;
  }
  return from === 0 ? text : kept + text.slice(from);
}
