/**
 * Globs for shields. A pattern is a person's text, so it never becomes a regular expression of V8: a hostile one could
 * stop the event loop. This matcher walks text and pattern side by side and costs at most their product.
 *
 * `*` stands for any run of characters within one segment, `**` for any run at all. A hostname has no segments
 * (`/` never occurs in one), so there both mean the same.
 *
 * @example matchesGlob('/blog/**', '/blog/2026/june') // true
 * @example matchesGlob('/blog/*', '/blog/2026/june') // false
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where to take up again when a later part does not fit: the last `*` gives way first, then the last `**`.
  // Earlier stars need no second try, because whatever they could swallow the later one can swallow too.
  let star = -1;
  let starText = 0;
  let deepStar = -1;
  let deepStarText = 0;
  while (t < text.length || p < pattern.length) {
    if (pattern[p] === '*') {
      if (pattern[p + 1] === '*') {
        while (pattern[p] === '*') p++;
        deepStar = p;
        deepStarText = t;
        star = -1;
      } else {
        p++;
        star = p;
        starText = t;
      }
      continue;
    }
    if (t < text.length && p < pattern.length && pattern[p] === text[t]) {
      p++;
      t++;
      continue;
    }
    if (star >= 0 && starText < text.length && text[starText] !== '/') {
      starText++;
      p = star;
      t = starText;
      continue;
    }
    if (deepStar >= 0 && deepStarText < text.length) {
      deepStarText++;
      p = deepStar;
      t = deepStarText;
      star = -1;
      continue;
    }
    return false;
  }
  return true;
}
