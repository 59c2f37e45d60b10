import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';

/** `List-Unsubscribe=One-Click`, or the form of the page, and a little room for what else a program may add. */
const bodyBytesMax = 2_000;

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.25rem;background:Canvas;color:CanvasText}h1{font-size:1.25rem}button{font:inherit;padding:.6rem 1.1rem;border-radius:.4rem;border:1px solid;cursor:pointer}`;
const styleHash = createHash('sha256').update(style).digest('base64');
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
};

/**
 * RFC 8058: mail programs POST without cookies, a person's click opens the page by GET. The GET changes nothing, since
 * filters follow every link of a mail before its reader does.
 */
export function unsubscribeRoutes(house: Pick<House, 'audit' | 'mail' | 'postgres'>): Route[] {
  const { audit, mail, postgres } = house;
  const params = z.object({ token: z.string() });

  function read(token: string) {
    const found = mail.suppressions.readToken(token);
    if (found === undefined)
      throw new RequestError(
        'not_found',
        'This link is not whole. Open it again from the mail, or choose what you get under Account, Notifications.',
      );
    return found;
  }
  const what = { alert: 'alerts', report: 'reports' } as const;

  return [
    defineRoute({
      method: 'GET',
      path: '/api/mail/unsubscribe/:token',
      access: 'public',
      summary: 'A page with a button that ends one kind of mail. It changes nothing by itself.',
      params,
      async handle(request) {
        const { kind } = read(request.params.token);
        return {
          headers,
          body: page(
            `Stop ${what[kind]} by mail?`,
            `<p>This desk will send no more ${what[kind]} of this organisation to your address. Mail about your own access still comes.</p>
<form method="post"><button>Stop ${what[kind]}</button></form>`,
          ),
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/mail/unsubscribe/:token',
      access: 'public',
      summary: 'Ends one kind of mail of one organisation to one address, at once.',
      params,
      rawBodyBytesMax: bodyBytesMax,
      async handle(request) {
        const unsubscription = read(request.params.token);
        const { organisationId, kind } = unsubscription;
        await postgres.within(organisationId === undefined ? {} : { organisationId }, async (sql) => {
          if (!(await mail.suppressions.unsubscribe(sql, unsubscription))) return;
          await audit.record(sql, organisationId ?? 'desk', {
            action: 'mail.suppressed',
            actor: { type: 'visitor' },
            details: { kind, reason: 'unsubscribed' },
          });
        });
        return {
          headers,
          body: page(
            'Done',
            `<p>No more ${what[unsubscription.kind]} of this organisation come to your address. You can let them through again under Account, Notifications.</p>`,
          ),
        };
      },
    }),
  ];
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>`;
}
