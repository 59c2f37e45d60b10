import type { Letter } from './draw.ts';

/**
 * A letter as a page of its own, exactly as it is sent, its pictures inside. Links leave whatever frame it stands in.
 * To be answered with {@link letterPageHeaders}.
 */
export function letterPage({ html, pictures }: Letter): string {
  return pictures.reduce(
    (page, { cid, png }) => page.replaceAll(`cid:${cid}`, `data:image/png;base64,${png}`),
    html.replace('<head>', '<head><base target="_top">'),
  );
}

/** Without scripts, forms or an origin of its own: as little as a mail program lets a letter do. */
export const letterPageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  'x-frame-options': 'SAMEORIGIN',
};
