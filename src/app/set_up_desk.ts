import { z } from 'zod';
import { keyScopes } from '../../contract/api.ts';
import { retentionMonthsMax } from '../../contract/limits.ts';
import {
  addSite,
  checkPassword,
  createOrganisation,
  findPerson,
  findSite,
  noteFirstOwner,
  readNewSite,
  sitesChanged,
} from '../accounts/index.ts';
import { addGoal, listGoals } from '../analytics/index.ts';
import { RequestError } from '../platform/http/route.ts';
import { wordsOfShape } from '../platform/shape.ts';
import type { Desk } from './desk.ts';

/** What `fairlead setup` takes. Only the first run needs a password. */
export const setUpDeskInput = z.object({
  email: z.email(),
  organisation: z.string().trim().min(1).max(120),
  sites: z.array(z.string()).min(1).max(1_000),
  timezone: z.string().default('UTC'),
  currency: z.string().default('EUR'),
  retention_months: z.number().int().min(1).max(retentionMonthsMax).default(retentionMonthsMax),
  /** `/blog**` is a page, `Signup` an event, `purchase:EUR` an event that earns revenue. Each is added to each site. */
  goals: z.array(z.string().min(1)).default([]),
  password: z.string().optional(),
  new_key: z.boolean().default(false),
});

/** Members whose option is called otherwise. */
const optionOf: Record<string, string> = {
  sites: 'site',
  goals: 'goal',
  retention_months: 'retention-months',
  new_key: 'new-key',
};

const operator = { type: 'operator' } as const;

export interface SetUpDeskResult {
  organisation_id: number;
  /** Only when it was made by this run: a key is shown once and stored as a digest. */
  api_key: string | null;
  sites: { id: number; domain: string }[];
}

/**
 * Makes the owner, the organisation and its sites, or finds them: running it again changes nothing that is there
 * and adds what is missing. Whoever can run it can read the data directory, so no set-up code is asked for.
 * @throws RequestError with the option at fault
 */
export async function setUpDesk(desk: Desk, given: unknown): Promise<SetUpDeskResult> {
  const parsed = setUpDeskInput.safeParse(given, { error: wordsOfShape });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? '');
    throw new RequestError('invalid_field', `--${optionOf[name] ?? name}: ${issue?.message}.`, { field: name });
  }
  const input = parsed.data;
  const { postgres, clock, audit } = desk.house;
  const sites = input.sites.map((domain) =>
    readNewSite({
      domain,
      timezone: input.timezone,
      currency: input.currency,
      retention_months: input.retention_months,
    }),
  );
  const { organisationId, isNew } = await findOrCreateOrganisation(desk, input, sites[0]?.domain ?? '');
  const made: SetUpDeskResult['sites'] = [];
  for (const site of sites) {
    const found = await findSite(postgres, site.domain);
    if (found !== undefined && found.organisation_id !== organisationId)
      throw new RequestError('conflict', `The domain ${site.domain} belongs to another organisation of this desk.`);
    const stored =
      found ??
      (await postgres.tenant(organisationId, async (sql) => {
        const added = await addSite(sql, clock, organisationId, site);
        await audit.record(sql, organisationId, {
          action: 'site.created',
          actor: operator,
          targets: [{ type: 'site', id: added.id, label: added.domain }],
        });
        return added;
      }));
    await postgres.tenant(organisationId, async (sql) => {
      const have = await listGoals(sql, stored.id);
      for (const goal of input.goals.map(readGoal))
        if (
          !have.some(
            (other) =>
              other.kind === goal.kind &&
              other.match === goal.match &&
              other.property === null &&
              other.currency === (goal.currency ?? null),
          )
        ) {
          const added = await addGoal(sql, clock, stored, goal);
          have.push(added);
          await audit.record(sql, organisationId, {
            action: 'goal.added',
            actor: operator,
            targets: [
              { type: 'goal', id: added.id, label: added.name },
              { type: 'site', id: stored.id, label: stored.domain },
            ],
          });
        }
    });
    made.push({ id: stored.id, domain: stored.domain });
  }
  await sitesChanged();
  const key =
    isNew || input.new_key
      ? await postgres.tenant(organisationId, async (sql) => {
          const made = await desk.accounts.apiKeys.create(
            sql,
            organisationId,
            { name: 'Command line', scopes: [...keyScopes] },
            undefined,
          );
          await audit.record(sql, organisationId, {
            action: 'key.created',
            actor: { type: 'operator' },
            targets: [{ type: 'key', id: made.id, label: made.name }],
            details: { scopes: made.scopes.join(' '), sites: 'all' },
          });
          return made;
        })
      : undefined;
  return { organisation_id: organisationId, api_key: key?.key ?? null, sites: made };
}

async function findOrCreateOrganisation(
  desk: Desk,
  input: z.infer<typeof setUpDeskInput>,
  domain: string,
): Promise<{ organisationId: number; isNew: boolean }> {
  const { postgres } = desk.house;
  const personId = await findPerson(desk.house, input.email);
  if (personId === undefined) {
    if (!(await desk.accounts.setUp.waiting()))
      throw new RequestError(
        'already_set_up',
        `This desk has an owner, and ${input.email} is nobody here. Name the owner's address.`,
      );
    if (input.password === undefined || input.password.length < 12)
      throw new RequestError(
        'invalid_field',
        "The first run needs the owner's password, at least 12 characters, on standard input.",
        { field: 'password' },
      );
    checkPassword(input.password, [input.email, input.organisation, domain]);
    const hash = await desk.accounts.passwords.hash(input.password);
    const { organisationId } = await postgres.system(async (sql) => {
      const made = await createOrganisation(sql, desk.house, {
        email: input.email,
        organisation: input.organisation,
        hash,
        site: { timezone: input.timezone, currency: input.currency },
      });
      // As in the first run in a browser: somebody has to run the desk.
      await sql.run('UPDATE people SET is_operator = true WHERE id = $1', [made.personId]);
      await noteFirstOwner(sql, desk.house.audit, { ...made, organisation: input.organisation, actor: operator });
      return made;
    });
    return { organisationId, isNew: true };
  }
  const found = await postgres.person(personId, (sql) =>
    sql.query<{ id: number; name: string }>(
      "SELECT o.id, o.name FROM memberships m JOIN organisations o ON o.id = m.organisation_id WHERE m.person_id = $1 AND m.role IN ('owner', 'admin') ORDER BY o.id",
      [personId],
    ),
  );
  const organisation = found.find((one) => one.name === input.organisation);
  if (organisation === undefined)
    throw new RequestError(
      'not_found',
      `${input.email} owns no organisation called "${input.organisation}". It owns: ${found.map((one) => one.name).join(', ') || 'none'}.`,
    );
  return { organisationId: organisation.id, isNew: false };
}

function readGoal(text: string): { kind: 'page' | 'event'; match: string; currency?: string } {
  if (text.startsWith('/') || text.startsWith('*')) return { kind: 'page', match: text };
  const revenue = /^(.+):([A-Z]{3})$/.exec(text);
  return revenue === null
    ? { kind: 'event', match: text }
    : { kind: 'event', match: revenue[1] as string, currency: revenue[2] as string };
}
