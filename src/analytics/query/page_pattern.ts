/**
 * Page patterns of goals and of `matches_wildcard`: `*` stands for anything within a segment, `**` for anything at
 * all, nothing included; everything else is itself. They become a comparison, a prefix or an RE2 pattern, whichever
 * the engine answers fastest; the text is always bound, and V8's own regular expressions are never built from it.
 */
export type PagePattern = { kind: 'exact' | 'prefix' | 'pattern'; text: string };

/**
 * @example
 * pagePattern('/pricing')     // exactly this page
 * pagePattern('/blog**')      // /blog, /blog/, /blog/2026/hello
 * pagePattern('/shop/*' + '/buy') // /shop/tea/buy, not /shop/tea/green/buy
 */
export function pagePattern(glob: string): PagePattern {
  if (!glob.includes('*')) return { kind: 'exact', text: glob };
  const stem = glob.slice(0, -2);
  if (glob.endsWith('**') && !stem.includes('*')) return { kind: 'prefix', text: stem };
  const parts = glob.split(/(\*\*+|\*)/);
  const text = parts.map((part) => (part === '*' ? '[^/]*' : part.startsWith('**') ? '.*' : escapeRe2(part))).join('');
  // (?s): a path may hold an encoded line break, and "anything" means that too.
  return { kind: 'pattern', text: `(?s)^${text}$` };
}

/** RE2 takes a backslash before any punctuation as that character. */
function escapeRe2(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
}
