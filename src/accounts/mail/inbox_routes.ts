import { z } from 'zod';
import { inboxLetter, inboxList } from '../../../contract/mail.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Inbox, InboxMessage } from '../../platform/mail/index.ts';

/** A frame without scripts, forms or an origin of its own; its links open in the whole window. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'",
  'x-frame-options': 'SAMEORIGIN',
};

/** What would have been sent: on a desk for development or a demo alone. Anywhere else these calls do not exist. */
export function inboxRoutes(inbox: Inbox): Route[] {
  const params = z.object({ id: z.coerce.number().int().positive() });
  const headOf = ({ id, to, template, kind, atMs, letter }: InboxMessage) => ({
    id,
    to,
    subject: letter.subject,
    template,
    kind,
    at: new Date(atMs).toISOString(),
  });
  function find(id: number): InboxMessage {
    const found = inbox.find(id);
    if (found === undefined) throw new RequestError('not_found', 'There is no such message in the inbox.');
    return found;
  }
  return [
    defineRoute({
      method: 'GET',
      path: '/api/dev/inbox',
      access: 'operator',
      summary: 'The messages that this desk would have sent, newest first.',
      answer: inboxList,
      handle: async () => ({ body: { messages: inbox.list().map(headOf) } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/dev/inbox/:id',
      access: 'operator',
      summary: 'One of them as text.',
      params,
      answer: inboxLetter,
      async handle(request) {
        const found = find(request.params.id);
        return { body: { ...headOf(found), text: found.letter.text, unsubscribe: found.unsubscribe ?? null } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/dev/inbox/:id/html',
      access: 'operator',
      summary: 'One of them as a mail program shows it.',
      params,
      async handle(request) {
        const { letter } = find(request.params.id);
        const whole = letter.pictures.reduce(
          (html, { cid, png }) => html.replaceAll(`cid:${cid}`, `data:image/png;base64,${png}`),
          letter.html.replace('<head>', '<head><base target="_top">'),
        );
        return { headers, body: whole };
      },
    }),
  ];
}
