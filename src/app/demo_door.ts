import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { Desk } from './desk.ts';

/** Whoever has the code of this start is the demo's owner. It is 128 bits long and dies with the process. */
export function signInRoute(desk: Desk, { code, email }: { code: string; email: string }): Route {
  return defineRoute({
    method: 'GET',
    path: '/demo',
    access: 'public',
    summary: 'Signs in to the demo with the code of its printed address.',
    query: z.object({ code: z.string().max(64) }),
    async handle(request) {
      const given = Buffer.from(request.query.code);
      const isRight = given.length === code.length && timingSafeEqual(given, Buffer.from(code));
      const cookies = isRight ? await desk.accounts.startSession(email, request) : undefined;
      if (cookies === undefined)
        throw new RequestError('forbidden', 'This address is of another run of the demo. Use the one it printed last.');
      return { status: 303, headers: { location: '/', 'set-cookie': cookies } };
    },
  });
}
