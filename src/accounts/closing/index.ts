import { closingBegun, closingLimits, closingPreview } from '../../../contract/account_closing.ts';
import { proofAgain } from '../../../contract/people.ts';
import { repeat } from '../../platform/clock.ts';
import type { ControlCommand } from '../../platform/control.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { readFoot } from '../../trust/documents/index.ts';
import { writeArchive } from '../../trust/requests/index.ts';
import type { PeopleSubject } from '../people/index.ts';
import { endAllElse, ownAct, personOf } from '../people/parts.ts';
import { findPerson, personIn } from '../people/person.ts';
import type { Sessions } from '../sessions.ts';
import { closeWhatIsDue } from './close.ts';
import { mailClosing } from './mails.ts';
import { ownRecords } from './own_archive.ts';
import { previewOf } from './preview.ts';

export interface ClosingParts {
  house: Omit<House, 'authenticate'>;
  sessions: Sessions;
  people: Pick<PeopleSubject, 'proveAgain'>;
}

/** How soon after its day an account is closed. Until then signing in takes it back. */
const lookMs = 10 * 60_000;

/** Closing one's own account: what it would do, beginning it, and the clock that ends it. */
export function openClosing(parts: ClosingParts): {
  routes: Route[];
  commands: Record<string, ControlCommand>;
  /** Closes every account whose day has come. @returns how many */
  closeDue(): Promise<number>;
  stop(): void;
} {
  const { house, people } = parts;
  const { postgres, clock, audit, log, config } = house;
  const closeDue = () => closeWhatIsDue(parts);
  const stop =
    config.role === 'all' || config.role === 'work'
      ? repeat(clock, lookMs, closeDue, {
          firstMs: 3_000,
          onError: (error) => log.error('people.closing_failed', {}, error),
        })
      : () => {};
  return {
    closeDue,
    stop,
    commands: {
      /** The state of one account: never its name or what it did. */
      async 'people-status'(args) {
        const id = await findPerson(house, args.get('email') ?? '');
        if (id === undefined) return { status: 'unknown' };
        return postgres.person(id, (sql) =>
          sql.one(
            'SELECT id AS person, status, status_reason AS reason, status_until AS until FROM people WHERE id = $1',
            [id],
          ),
        );
      },
    },
    routes: [
      defineRoute({
        method: 'GET',
        path: '/api/account/closing',
        access: 'signed-in',
        summary: 'What closing the account of the person who asks would end, and what stands in the way.',
        answer: closingPreview,
        async handle(request) {
          return { body: await previewOf(house, personOf(request).id) };
        },
      }),
      defineRoute({
        method: 'POST',
        path: '/api/account/archive',
        access: 'signed-in',
        summary:
          'Everything that is stored about the account of the person who asks, as one ZIP: for reading, for programs and for tables. Without secrets. Needs the password.',
        body: proofAgain,
        async handle(request) {
          const { id } = personOf(request);
          await people.proveAgain(request, request.body.password);
          const records = await ownRecords(house, id);
          await postgres.person(id, (sql) =>
            audit.recordOfPerson(sql, id, ownAct(request, id, 'person.archive_fetched', { records: records.length })),
          );
          const made_at = new Date(clock.now()).toISOString();
          return {
            headers: {
              'content-type': 'application/zip',
              'content-disposition': `attachment; filename="account-${made_at.slice(0, 10)}.zip"`,
              'cache-control': 'no-store',
            },
            body: writeArchive(
              {
                ...{ archive: 'fairlead subject data 1', organisation: 'this desk', request: null, made_at },
                answering: await postgres.system((sql) => readFoot(sql)),
              },
              records,
            ),
          };
        },
      }),
      defineRoute({
        method: 'POST',
        path: '/api/account/closing',
        access: 'signed-in',
        summary:
          'Sets the account to close in 30 days and ends every session; signing in until then takes it back. Needs the password.',
        body: proofAgain,
        answer: closingBegun,
        async handle(request) {
          const { id } = personOf(request);
          await people.proveAgain(request, request.body.password);
          const { blocked_by } = await previewOf(house, id);
          if (blocked_by.length > 0)
            throw new RequestError(
              'last_owner',
              `You are the only owner of ${blocked_by.map(({ name }) => name).join(', ')}. Hand it on or close it first, under its settings, then close your account.`,
            );
          const until = new Date(clock.now() + closingLimits.days * dayMs);
          await postgres.person(id, async (sql) => {
            const person = await personIn(house, sql, id);
            await sql.run(
              `UPDATE people SET status_before = status, status = 'closing', status_until = $2, status_since = $3
               WHERE id = $1 AND status IN ('active', 'unverified')`,
              [id, until, new Date(clock.now())],
            );
            const ended = await endAllElse(parts, sql, id, undefined);
            await audit.recordOfPerson(
              sql,
              id,
              ownAct(request, id, 'person.closing', { until: until.toISOString(), sessions_ended: ended }),
            );
            await mailClosing(house, sql, { ...person, until, reason: null });
          });
          return { body: { until: until.toISOString() } };
        },
      }),
    ],
  };
}
