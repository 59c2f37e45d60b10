import { z } from 'zod';
import { requestKinds } from '../../../contract/requests.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { readFootMarkup } from '../documents/index.ts';
import {
  fieldsOf,
  movedAnswer,
  nobodyPage,
  organisationOf,
  pageAnswer as page,
  publicPage,
  unlessTooOften,
  wrongPage,
} from '../forms/index.ts';
import { type Archives, organisationIn } from './archives.ts';
import { daysAfter } from './clock.ts';
import { requestProofMail } from './mails.ts';
import { askWords, begunPage, confirmPage, formPage, goneLinkPage, sentPage } from './public_page.ts';
import { enterRequest } from './records.ts';

const bodyBytesMax = 2_000;
const asked = z.object({
  kind: z.enum([...requestKinds, 'minor']),
  email: z.email().max(254),
  about: z.string().trim().max(200).default(''),
  agent: z.string().trim().max(120).default(''),
});

export interface PublicLimits {
  /** Forms of one network. @throws RequestError rate_limited */
  ofNetwork(address: string): Promise<void>;
  /** Mails to one address of all forms of the desk: one a day. @throws RequestError rate_limited */
  ofAddress(email: string): Promise<void>;
}
type PublicHouse = Pick<House, 'postgres' | 'clock' | 'vault' | 'keys' | 'mail' | 'random' | 'audit'>;
type AskColumn = 'email_sealed' | 'about_sealed' | 'agent_sealed';

/** Pages for whoever is no customer of this desk: they ask the organisation, and its register has the request (DSR-08). */
export function publicRoutes(
  house: PublicHouse,
  archives: Pick<Archives, 'open'>,
  limits: PublicLimits,
  onCame: () => void,
): Route[] {
  const { postgres, clock, vault, keys, mail, random, audit } = house;
  const digestOf = (token: string) => keys.digest('one-time-token', `request-ask ${token}`);
  const placeOf = (organisationId: number, id: number, column: AskColumn): Place & { class: 'D4' } => ({
    ...{ organisationId, table: 'request_asks', column, row: id, class: 'D4' },
  });
  const ofOrganisation = z.object({ organisation: z.string() });
  const ofToken = ofOrganisation.extend({ token: z.string() });
  const named = (id: number) =>
    postgres.tenant(id, async (sql) => ({
      ...(await organisationIn(sql, id)),
      foot: await readFootMarkup(sql, id),
    }));

  /** What happens behind the answer, which is the same whatever happens. */
  async function ask(organisationId: number, { kind, email, about, agent }: z.infer<typeof asked>): Promise<void> {
    const { name, slug } = await named(organisationId);
    try {
      await limits.ofAddress(email.trim().toLowerCase());
    } catch (error) {
      if (error instanceof RequestError && error.code === 'rate_limited') return;
      throw error;
    }
    const token = random.bytes(32).toString('base64url');
    await postgres.tenant(organisationId, async (sql) => {
      const { id } = await sql.one<{ id: number }>("SELECT nextval('request_asks_id_seq') AS id");
      const sealed = (column: AskColumn, value: string) => vault.seal(placeOf(organisationId, id, column), value);
      await sql.run(
        `INSERT INTO request_asks (id, organisation_id, kind, email_digest, email_sealed, about_sealed, agent_sealed, token_digest, asked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          ...[id, organisationId, kind, await vault.subject(organisationId, 'email', email)],
          ...[await sealed('email_sealed', email), kind === 'minor' ? await sealed('about_sealed', about) : null],
          ...[agent === '' ? null : await sealed('agent_sealed', agent), digestOf(token), new Date(clock.now())],
        ],
      );
      await mail.send(sql, {
        template: requestProofMail,
        ...{ to: email, organisationId },
        values: {
          organisation: name,
          agent,
          ask: askWords.find(([one]) => one === kind)?.[1] ?? kind,
          link: mail.link(`/request/${slug}/confirm/${token}`),
        },
      });
    });
  }

  /** The form behind a link, for as long as it works. */
  async function waiting(sql: Sql, token: string, lock = '') {
    const row = await sql.maybe<{
      id: number;
      kind: z.infer<typeof asked>['kind'];
      email_sealed: Buffer;
      about_sealed: Buffer | null;
      agent_sealed: Buffer | null;
      asked_at: Date;
    }>(
      `SELECT id, kind, email_sealed, about_sealed, agent_sealed, asked_at FROM request_asks WHERE token_digest = $1 ${lock}`,
      [digestOf(token)],
    );
    return row === undefined || Math.abs(clock.now() - row.asked_at.getTime()) > dayMs ? undefined : row;
  }

  /** @returns the day by which it is answered; undefined when the link does not work any more */
  async function confirm(sql: Sql, organisationId: number, token: string): Promise<string | undefined> {
    // Deleted first: of two clicks at once one finds it.
    const row = await waiting(sql, token);
    if (row === undefined || (await sql.run('DELETE FROM request_asks WHERE id = $1', [row.id])) === 0)
      return undefined;
    const opened = async (column: AskColumn, sealed: Buffer) =>
      (await vault.open(placeOf(organisationId, row.id, column), sealed)).toString('utf8');
    const email = await opened('email_sealed', row.email_sealed);
    const about = row.about_sealed === null ? undefined : await opened('about_sealed', row.about_sealed);
    const agent = row.agent_sealed === null ? {} : { agent: await opened('agent_sealed', row.agent_sealed) };
    const received_on = utcDay(clock.now());
    const isMinor = row.kind === 'minor';
    const parts = { vault, organisationId, nowMs: clock.now(), personId: null };
    // A report about somebody else is no proof of who they are: whoever works on it checks that first.
    const whom = about === undefined ? { email } : about.includes('@') ? { email: about } : { external_id: about };
    const kind = row.kind === 'minor' ? 'erasure' : row.kind;
    const id = await enterRequest(sql, { kind, received_on, came_by: 'form', ...whom, ...agent }, parts);
    if (isMinor)
      // 72 hours (R7), in whole days that are never more.
      await sql.run('UPDATE subject_requests SET is_minor = true, due_on = $2, warn_on = $3 WHERE id = $1', [
        ...[id, daysAfter(received_on, 2), received_on],
      ]);
    else
      await sql.run(
        "UPDATE subject_requests SET state = 'checked', checked_at = $2, identity_check = 'mailbox' WHERE id = $1",
        [id, new Date(clock.now())],
      );
    await audit.record(sql, organisationId, {
      ...{ action: 'request.came', actor: { type: 'visitor' }, details: { kind: row.kind } },
      targets: [{ type: 'request', id, label: `request ${id}` }],
    });
    const { due_on } = await sql.one<{ due_on: string }>('SELECT due_on::text FROM subject_requests WHERE id = $1', [
      id,
    ]);
    return due_on;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/request/:organisation',
      access: 'public',
      summary: 'A page on which anybody asks an organisation about their data. Without scripts and cookies.',
      params: ofOrganisation,
      async handle(request) {
        const id = await organisationOf(postgres, request.params.organisation);
        if (id === undefined) return page(nobodyPage, 404);
        const of = await named(id);
        if (of.slug !== request.params.organisation) return movedAnswer(`/request/${of.slug}`);
        return (await mail.isOn())
          ? page(formPage(of))
          : page(
              publicPage(
                `Your data at ${of.name}`,
                '<p>This desk sends no mail at present, so the form is closed. Write to them.</p>',
                of.foot,
              ),
            );
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/request/:organisation',
      access: 'public',
      summary: 'Sends a link to the address that is named, once a day at most. The answer is the same whoever it is.',
      params: ofOrganisation,
      rawBodyBytesMax: bodyBytesMax,
      async handle(request) {
        const id = await organisationOf(postgres, request.params.organisation);
        if (id === undefined) return page(nobodyPage, 404);
        return unlessTooOften(async () => {
          await limits.ofNetwork(request.address);
          const read = asked.safeParse(fieldsOf(request.body));
          if (!read.success) return page(wrongPage('Choose what you ask for, and write an e-mail address.'), 400);
          if (read.data.kind === 'minor' && read.data.about === '')
            return page(wrongPage('Write the address or id by which the person under 18 is known.'), 400);
          if (await mail.isOn()) await ask(id, read.data);
          return page(sentPage(await named(id)));
        });
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/request/:organisation/confirm/:token',
      access: 'public',
      summary: 'A page with a button that begins the request of a mailed link. It changes nothing by itself.',
      params: ofToken,
      async handle(request) {
        const id = await organisationOf(postgres, request.params.organisation);
        if (id === undefined) return page(nobodyPage, 404);
        const row = await postgres.tenant(id, (sql) => waiting(sql, request.params.token));
        if (row === undefined) return page(goneLinkPage, 404);
        const agent =
          row.agent_sealed === null
            ? undefined
            : (await vault.open(placeOf(id, row.id, 'agent_sealed'), row.agent_sealed)).toString('utf8');
        return page(confirmPage(await named(id), row.kind, agent));
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/request/:organisation/confirm/:token',
      access: 'public',
      summary: 'Begins the request of a mailed link, once: the mailbox shows who asks.',
      params: ofToken,
      rawBodyBytesMax: bodyBytesMax,
      async handle(request) {
        const id = await organisationOf(postgres, request.params.organisation);
        if (id === undefined) return page(nobodyPage, 404);
        const due = await postgres.tenant(id, (sql) => confirm(sql, id, request.params.token));
        if (due === undefined) return page(goneLinkPage, 404);
        onCame();
        return page(begunPage(await named(id), due));
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/request/:organisation/archive/:token',
      access: 'public',
      summary: 'The archive of a mailed link, for 14 days.',
      params: ofToken,
      async handle(request) {
        const id = await organisationOf(postgres, request.params.organisation);
        if (id === undefined) return page(nobodyPage, 404);
        try {
          const zip = await postgres.tenant(id, async (sql) => {
            const opened = await archives.open(sql, id, { token: request.params.token });
            await audit.record(sql, id, { action: 'request.archive_fetched', actor: { type: 'visitor' } });
            return opened;
          });
          return { headers: zipHeaders, body: zip };
        } catch (error) {
          if (error instanceof RequestError && error.code === 'not_found') return page(goneLinkPage, 404);
          throw error;
        }
      },
    }),
  ];
}

export const zipHeaders = {
  'content-type': 'application/zip',
  'content-disposition': 'attachment; filename="your-data.zip"',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
} as const;
