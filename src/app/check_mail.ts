import type { CheckFinding, CheckRun } from '../../contract/proof.ts';
import { emailIn, type Notices } from '../accounts/index.ts';
import type { LiveCheck } from '../platform/checks.ts';
import type { MailTemplate } from '../platform/mail/index.ts';
import { everyOperator, everyOrganisation, type Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { openDraft } from '../trust/incidents/index.ts';

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
        text: `You get this once, because you ${organisation === null ? 'run this desk' : `are owner or privacy officer of ${organisation}`}. The next comes when a check has been well and turns red again.`,
      },
    ],
  }),
};

/** Checks whose red may be a breach: each opens a draft in the register of incidents, for somebody to judge (OPS-01). */
const drafted: Readonly<Record<string, { kind: string; what: string }>> = {
  canaries: {
    kind: 'canary_found',
    what: 'A live check found bytes in the files of this desk that it must never write: an address, a User-Agent or a key of its own test. What came from visitors meanwhile may have been kept in the same way.',
  },
};

interface Telling {
  house: Pick<House, 'postgres' | 'mail' | 'vault' | 'log' | 'audit'>;
  notices: Pick<Notices, 'tell'>;
  checks: readonly LiveCheck[];
}
type Found = readonly Pick<CheckFinding, 'what' | 'fact' | 'todo'>[];

/** Tells a person of a run, once, in the desk and by mail. */
function teller({ mail, vault }: Telling['house'], notices: Telling['notices'], run: CheckRun) {
  return async function tell(
    sql: Sql,
    personId: number,
    about: Found,
    link: string,
    of?: { id: number; name: string },
  ) {
    const told = await sql.query(
      "SELECT 1 FROM notifications WHERE person_id = $1 AND notice = 'check_red' AND facts->>'run' = $2",
      [personId, String(run.id)],
    );
    const email = told.length > 0 ? undefined : await emailIn({ vault }, sql, personId);
    if (email === undefined) return;
    const inOrganisation = of === undefined ? {} : { organisationId: of.id };
    const found = about.map(({ what, fact, todo }) => ({ what, fact, todo: todo ?? '' }));
    const what = about.map((one) => `${one.what}: ${one.fact}. ${one.todo ?? ''}`.trim()).join(' ');
    await notices.tell(sql, personId, { name: 'check_red', facts: { what, run: run.id }, link, ...inOrganisation });
    const values = { checks: found, organisation: of?.name ?? null, link: mail.link(link) };
    await mail.send(sql, { template: checkRedMail, to: email, values, personId, ...inOrganisation });
  };
}

/** Owners and privacy officers, each with what the organisation is called. */
function answeringIn(sql: Sql, organisation: number) {
  return sql.query<{ id: number; name: string; slug: string }>(
    `SELECT p.id, o.name, o.slug FROM memberships m
     JOIN people p ON p.id = m.person_id JOIN organisations o ON o.id = m.organisation_id
     WHERE m.organisation_id = $1 AND m.role IN ('owner', 'privacy-officer') ORDER BY p.id`,
    [organisation],
  );
}

/**
 * A check that is red already does not turn red when a further organisation goes wrong: its own people are told all the same,
 * once for as long as the check is red. Who runs the desk has heard of the check.
 * @param sinceOf from when on a check is red
 */
export async function tellFurther(
  { house, notices, checks }: Telling,
  run: CheckRun,
  sinceOf: (check: string) => Date,
): Promise<void> {
  const { postgres } = house;
  const still = checks.filter(
    ({ id, what, tellsOwn }) =>
      tellsOwn === true &&
      !run.turned_red.includes(what) &&
      run.findings.some(({ check, state }) => check === id && state === 'wrong'),
  );
  if (still.length === 0) return;
  const tell = teller(house, notices, run);
  const running = new Set(await everyOperator(postgres, async () => {}));
  for (const id of await everyOrganisation(postgres))
    for (const check of still) {
      const result = await check.own?.(id);
      if (result?.state !== 'wrong') continue;
      const people = await postgres.tenant(id, (sql) => answeringIn(sql, id));
      for (const { id: personId, name, slug } of people.filter((one) => !running.has(one.id)))
        await postgres.within({ organisationId: id, personId }, async (sql) => {
          const heard = await sql.query(
            `SELECT 1 FROM notifications WHERE person_id = $1 AND organisation_id = $2 AND notice = 'check_red'
               AND strpos(facts->>'what', $3) > 0 AND created_at >= $4`,
            [personId, id, `${check.what}: `, sinceOf(check.id)],
          );
          if (heard.length > 0) return;
          await tell(sql, personId, [{ what: check.what, ...result }], `/o/${slug}/trust/proof`, { id, name });
        });
    }
}

/**
 * Tells of every check that was not red in the last run and is in this one: who runs the desk, with everything, and owners
 * and privacy officers of organisations, of the checks that are about more than the machine. Once each, however often it is
 * called for a run.
 */
export async function tellOfRed({ house, notices, checks }: Telling, run: CheckRun): Promise<void> {
  const { postgres, log, audit } = house;
  const tell = teller(house, notices, run);
  const isForAll = (id: string) =>
    checks.some((check) => check.id === id && check.audience === 'everyone' && check.own === undefined);
  const red = run.findings.filter(({ what, state }) => state === 'wrong' && run.turned_red.includes(what));
  log.warn('proof.turned_red', { checks: red.map(({ check }) => check).join(' ') });

  async function draft(sql: Sql, organisation: number): Promise<void> {
    for (const { check } of red) {
      const one = drafted[check];
      if (one === undefined) continue;
      const at = new Date(run.made_at);
      const there = await sql.query(
        `SELECT 1 FROM incident_drafts WHERE organisation_id = $1 AND kind = $2 AND raised_at = $3
         UNION ALL SELECT 1 FROM organisations WHERE id = $1 AND status IN ('closing', 'closed')`,
        [organisation, one.kind, at],
      );
      if (there.length > 0) continue;
      await openDraft(sql, organisation, { ...one, at });
      await audit.record(sql, organisation, {
        ...{ action: 'alert.raised', actor: { type: 'system' } },
        targets: [{ type: 'alert', id: one.kind, label: one.kind.replaceAll('_', ' ') }],
      });
    }
  }

  const heard = new Set(await everyOperator(postgres, (sql, id) => tell(sql, id, red, '/desk/checks')));
  const ofAll = red.filter(({ check }) => isForAll(check));
  const ofSome = checks.filter((one) => one.tellsOwn && red.some(({ check }) => check === one.id));
  if (ofAll.length + ofSome.length === 0) return;

  /** What an organisation hears: what is about everybody, and what is wrong of itself, in its own numbers. */
  async function aboutOf(organisation: number): Promise<typeof red> {
    const own: typeof red = [];
    for (const check of ofSome) {
      const result = await check.own?.(organisation);
      if (result?.state === 'wrong') own.push({ check: check.id, what: check.what, ...result });
    }
    return [...ofAll, ...own];
  }
  for (const id of await everyOrganisation(postgres)) {
    const about = await aboutOf(id);
    if (about.length === 0) continue;
    const people = await postgres.tenant(id, async (sql) => {
      await draft(sql, id);
      return answeringIn(sql, id);
    });
    // Whoever runs the desk, or answers for several organisations, has heard it already.
    for (const { id: personId, name, slug } of people.filter((one) => !heard.has(one.id))) {
      heard.add(personId);
      // As the person too: an organisation cannot read what somebody was told, and nobody is told twice.
      await postgres.within({ organisationId: id, personId }, (sql) =>
        tell(sql, personId, about, `/o/${slug}/trust/proof`, { id, name }),
      );
    }
  }
}
