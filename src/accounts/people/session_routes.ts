import { z } from 'zod';
import { accountSessions } from '../../../contract/people.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import { ownAct, type People, personOf } from './parts.ts';

/** Where a person is signed in, and ending that. */
export function sessionRoutes({ house, sessions }: People): Route[] {
  const { postgres, audit } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/account/sessions',
      access: 'signed-in',
      summary: 'The living sessions of the person who asks, the last used first.',
      answer: accountSessions,
      async handle(request) {
        const { id, session } = personOf(request);
        const rows = await postgres.person(id, (sql) => sessions.list(sql, id));
        return {
          body: {
            sessions: rows.map((row) => ({
              id: row.family,
              device: row.device,
              place: row.place,
              methods: row.methods.split(' ').filter((one) => one !== ''),
              started_at: row.started_at.toISOString(),
              last_used_at: row.last_used_at.toISOString(),
              is_current: row.family === session,
            })),
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/account/sessions/:id',
      access: 'signed-in',
      summary: 'Ends one session of the person who asks, from the next request on.',
      params: z.object({ id: z.uuid() }),
      async handle(request) {
        const { id } = personOf(request);
        await postgres.person(id, async (sql) => {
          if ((await sessions.endOf(sql, id, { family: request.params.id })) === 0)
            throw new RequestError('not_found', 'You have no living session with this number.');
          await audit.recordOfPerson(sql, id, ownAct(request, id, 'session.ended', { sessions_ended: 1 }));
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/account/sessions',
      access: 'signed-in',
      summary: 'Ends every session of the person who asks but this one.',
      answer: z.object({ sessions_ended: z.number().int() }),
      async handle(request) {
        const { id, session } = personOf(request);
        const ended = await postgres.person(id, async (sql) => {
          const count = await sessions.endOf(sql, id, { except: session });
          if (count > 0)
            await audit.recordOfPerson(sql, id, ownAct(request, id, 'session.all_ended', { sessions_ended: count }));
          return count;
        });
        return { body: { sessions_ended: ended } };
      },
    }),
  ];
}
