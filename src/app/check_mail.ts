import type { CheckRun } from '../../contract/proof.ts';
import { emailIn, type Notices } from '../accounts/index.ts';
import type { LiveCheck } from '../platform/checks.ts';
import type { MailTemplate } from '../platform/mail/index.ts';
import { everyOperator, type Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';

/** @property checks each that is red since the last run, with what was found and what to do */
export const checkRedMail: MailTemplate<{
  checks: readonly { what: string; fact: string; todo: string }[];
  organisation: string | null;
  link: string;
}> = {
  name: 'check_red',
  kind: 'alert',
  write: ({ checks, organisation, link }) => ({
    subject:
      checks.length === 1
        ? `A check of your desk turned red: ${checks[0]?.what}`
        : `${checks.length} checks of your desk turned red`,
    blocks: [
      { kind: 'text', text: 'The desk looked at itself and found something wrong that was not wrong before.' },
      ...checks.map(({ what, fact, todo }) => ({ kind: 'text' as const, text: `${what}: ${fact}. ${todo}`.trim() })),
      { kind: 'button', label: 'Open Proof', href: link },
      {
        kind: 'note',
        text: `You get this once, because you ${organisation === null ? 'run this desk' : `own ${organisation}`}. The next comes when a check has been well and turns red again.`,
      },
    ],
  }),
};

/**
 * Tells of every check that was not red in the last run and is in this one: who runs the desk, with everything, and the
 * owners of organisations, of the checks that are about more than the machine.
 */
export async function tellOfRed(
  {
    house,
    notices,
    checks,
  }: {
    house: Pick<House, 'postgres' | 'mail' | 'vault' | 'log'>;
    notices: Pick<Notices, 'tell'>;
    checks: readonly LiveCheck[];
  },
  run: CheckRun,
): Promise<void> {
  const { postgres, mail, log } = house;
  const isForOwners = (id: string) =>
    checks.some((check) => check.id === id && check.audience === 'everyone' && check.own === undefined);
  const red = run.findings.filter(({ what, state }) => state === 'wrong' && run.turned_red.includes(what));
  log.warn('proof.turned_red', { checks: red.map(({ check }) => check).join(' ') });

  async function tell(sql: Sql, personId: number, about: typeof red, link: string, of?: { id: number; name: string }) {
    const email = await emailIn(house, sql, personId);
    if (email === undefined) return;
    const inOrganisation = of === undefined ? {} : { organisationId: of.id };
    const told = about.map(({ what, fact, todo }) => ({ what, fact, todo: todo ?? '' }));
    const what = about.map((one) => `${one.what}: ${one.fact}. ${one.todo ?? ''}`.trim()).join(' ');
    await notices.tell(sql, personId, { name: 'check_red', facts: { what }, link, ...inOrganisation });
    const values = { checks: told, organisation: of?.name ?? null, link: mail.link(link) };
    await mail.send(sql, { template: checkRedMail, to: email, values, personId, ...inOrganisation });
  }

  const heard = new Set(await everyOperator(postgres, (sql, id) => tell(sql, id, red, '/desk/checks')));
  const ofOwners = red.filter(({ check }) => isForOwners(check));
  if (ofOwners.length === 0) return;
  const organisations = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  for (const { organisation_id: id } of organisations)
    await postgres.tenant(id, async (sql) => {
      const owners = await sql.query<{ id: number; name: string; slug: string }>(
        `SELECT p.id, o.name, o.slug FROM memberships m
         JOIN people p ON p.id = m.person_id JOIN organisations o ON o.id = m.organisation_id
         WHERE m.organisation_id = $1 AND m.role = 'owner' ORDER BY p.id`,
        [id],
      );
      // Whoever runs the desk, or owns several organisations, has heard it already.
      for (const owner of owners.filter((one) => !heard.has(one.id))) {
        heard.add(owner.id);
        await tell(sql, owner.id, ofOwners, `/o/${owner.slug}/trust/proof`, { id, name: owner.name });
      }
    });
}
