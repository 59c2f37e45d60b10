import { createHash } from 'node:crypto';

/** Words as HTML and SVG show them, between tags and in quoted attributes. */
export function escapedWords(words: string): string {
  return words.replaceAll(
    /[&<>"']/g,
    (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[sign] as string,
  );
}

export interface PlainPages {
  /** What every answer with such a page carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** @param body markup of our own, with every word of others escaped */
  page(title: string, body: string): string;
}

/**
 * Pages for anybody: no script, no cookie, nothing from elsewhere; what is written is words and never markup.
 * @param style of all of them, the only one that a browser takes
 * @param forms where a form of theirs may go: to this desk, or nowhere
 */
export function plainPages(style: string, forms: 'self' | 'none'): PlainPages {
  const styleHash = createHash('sha256').update(style).digest('base64');
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action '${forms}'; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
    },
    page: (title, body) =>
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapedWords(title)}</title><style>${style}</style></head><body><main>${body}</main></body></html>`,
  };
}
