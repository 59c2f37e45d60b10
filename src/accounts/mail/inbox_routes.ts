import { z } from 'zod';
import { inboxLetter, inboxList } from '../../../contract/mail.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import { type Inbox, type InboxMessage, letterPage, letterPageHeaders } from '../../platform/mail/index.ts';

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
        return { headers: letterPageHeaders, body: letterPage(find(request.params.id).letter) };
      },
    }),
  ];
}
