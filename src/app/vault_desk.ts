import { ControlError } from '../platform/control.ts';
import { everyOrganisation } from '../platform/postgres/index.ts';
import type { Owner } from '../platform/vault.ts';
import { holdOn } from '../trust/windows/index.ts';
import type { Desk } from './desk.ts';

/** What `fairlead vault` does on an open desk. Each change is an act of the operator in the trail it concerns. */
export async function changeKeys(desk: Desk, args: URLSearchParams, say: (line: unknown) => void): Promise<object> {
  const { keeper } = desk;
  switch (args.get('what')) {
    case 'status':
      return { roots: await keeper.roots() };
    case 'prepare-root': {
      const root = await keeper.prepareRoot();
      await note(desk, 'desk', { what: 'root prepared', root });
      return {
        root,
        notes: [
          'The root is in the key file and used for nothing yet. Copy the key file to every machine of this desk and to where its copies are kept, then run fairlead vault rotate --root.',
        ],
      };
    }
    case 'rotate-root': {
      const { root, keys } = await keeper.rotateRoot((count) => say(`${count} keys wrapped anew`));
      await note(desk, 'desk', { what: 'root', root, keys });
      const idle = (await keeper.roots()).filter(({ uses, owners }) => uses.length === 0 && owners === 0);
      return {
        root,
        keys,
        notes: [
          'Copy the key file to where its copies are kept: an older copy opens nothing that is sealed from now on.',
          ...idle.map(
            ({ id }) =>
              `The root ${id} wraps nothing any more, except in backups from before today. When those have gone: fairlead vault forget-root ${id}.`,
          ),
        ],
      };
    }
    case 'forget-root': {
      const root = args.get('id') ?? '';
      await keeper.forgetRoot(root);
      await note(desk, 'desk', { what: 'root forgotten', root });
      return { root };
    }
    case 'destroy':
      return destroyAll(desk, args.get('organisation') ?? '');
    default:
      return rotateData(desk, args.get('organisation') ?? undefined, say);
  }
}

async function rotateData(desk: Desk, slug: string | undefined, say: (line: unknown) => void): Promise<object> {
  let organisations = 0;
  let subjects = 0;
  async function rotate(owner: Owner): Promise<void> {
    const wrapped = await desk.keeper.rotateData(owner);
    if (wrapped === undefined) return;
    organisations += 1;
    subjects += wrapped;
    await note(desk, owner, { what: 'data key', subjects: wrapped });
    say(`${organisations} organisations have a new key`);
  }
  let found = false;
  if (slug === undefined) await rotate('desk');
  const { postgres } = desk.house;
  for (const organisation of await everyOrganisation(postgres)) {
    const own = await postgres.tenant(organisation, (sql) =>
      sql.one<{ slug: string }>('SELECT slug FROM organisations'),
    );
    if (slug !== undefined && own.slug !== slug) continue;
    found = true;
    await rotate(organisation);
  }
  if (slug !== undefined && !found) throw new ControlError(`There is no organisation "${slug}" on this desk.`);
  return { organisations, subjects };
}

/**
 * Only for an organisation that is closed: it cannot be undone, and an organisation that works would stop in the middle
 * of everything that it seals. Written down before it is done, in its trail and in that of the desk; run once more, it
 * finds nothing left.
 */
async function destroyAll({ house }: Desk, slug: string): Promise<object> {
  const { postgres, audit, vault } = house;
  const found = await postgres.system((sql) =>
    sql.maybe<{ organisation_id: number | null }>('SELECT organisation_id FROM lookup.organisation_by_slug($1)', [
      slug,
    ]),
  );
  const id = found?.organisation_id ?? undefined;
  if (id === undefined) throw new ControlError(`There is no organisation "${slug}" on this desk.`);
  const keys = await postgres.tenant(id, async (sql) => {
    const own = await sql.one<{ name: string; status: string }>('SELECT name, status FROM organisations FOR UPDATE');
    if (own.status !== 'closed')
      throw new ControlError(
        `The organisation "${slug}" is ${own.status}. Its keys can be destroyed when it is closed: close it first. Nothing was changed.`,
      );
    const hold = await holdOn(sql, id);
    if (hold !== undefined)
      throw new ControlError(
        `The legal hold ${hold.id} keeps ${hold.label} of "${slug}". Its keys can be destroyed once that is released. Nothing was changed.`,
      );
    const act = {
      action: 'organisation.shredded',
      actor: { type: 'operator' },
      targets: [{ type: 'organisation', id, label: own.name }],
    } as const;
    await audit.record(sql, id, act);
    return vault.shredAll(id);
  });
  await postgres.system((sql) =>
    audit.record(sql, 'desk', {
      action: 'organisation.shredded',
      actor: { type: 'operator' },
      targets: [{ type: 'organisation', id }],
      details: { keys },
    }),
  );
  return {
    organisation: slug,
    keys,
    notes: [
      'What was sealed for it is unreadable now, in other processes within five minutes, and in every copy of the data without the schema vault. Delete the copies of that schema from before: until then they can still be put back.',
    ],
  };
}

function note(desk: Desk, owner: Owner, details: Record<string, string | number>): Promise<void> {
  const { postgres, audit } = desk.house;
  const act = { action: 'vault.rotated', actor: { type: 'operator' }, details } as const;
  return owner === 'desk'
    ? postgres.system((sql) => audit.record(sql, 'desk', act))
    : postgres.tenant(owner, (sql) => audit.record(sql, owner, act));
}
