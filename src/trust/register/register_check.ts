import type { LiveCheck } from '../../platform/checks.ts';
import { everywhere } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { knownOf, missingIn, refusedBecause } from './judge.ts';
import { receiversOf } from './receivers.ts';
import { readStatements } from './statements.ts';

/** What a receiver may not be without: whoever reads the list has to know who it is, where, and under which contract. */
const needed = new Set([
  'the name of the company',
  'the country',
  'the processing contract',
  'what the transfer rests on',
]);
/** Policy and terms are read again within this time. */
const readDaysMax = 365;

/** Does the register say of everybody who receives data what it has to say (SHR-04), and does nobody receive against the pin? */
export function registerCheck({
  config,
  clock,
  postgres,
  mail,
}: Pick<House, 'config' | 'clock' | 'postgres' | 'mail'>): LiveCheck {
  return {
    id: 'register',
    what: 'register of subprocessors',
    proves: ['SHR-04', 'SHR-07'],
    every: 'day',
    audience: 'operator',
    async run() {
      const { server } = await mail.servers.current();
      const statements = await postgres.system(readStatements);
      const used = await usedByOrganisations(postgres);
      const all = receiversOf(config, server?.host)
        .filter(({ role }) => role !== 'own')
        // What an organisation chooses to send to receives nothing until one does.
        .filter(({ id, byOrganisation }) => byOrganisation !== true || used.has(id))
        .map((row) => knownOf(row, statements.get(row.id)));
      if (all.length === 0) return { state: 'ok', fact: 'nobody but this desk receives anything' };
      const refused = all.filter((one) => refusedBecause(one, config.regions) !== undefined);
      if (refused.length > 0)
        return {
          state: 'wrong',
          fact: refused.map((one) => refusedBecause(one, config.regions)).join('; '),
          todo: 'State under Trust, Subprocessors, where they process and what a transfer rests on, or take them out of the settings.',
        };
      const lacking = all.flatMap((one) => {
        const missing = missingIn(one, config.regions).filter((what) => needed.has(what));
        return missing.length === 0 ? [] : [`${one.row.label}: ${missing.join(', ')}`];
      });
      if (lacking.length > 0)
        return {
          state: 'wrong',
          fact: `of ${lacking.length} of ${all.length} receivers it is not stated what has to be (${lacking.join('; ')})`,
          todo: 'State it under Trust, Subprocessors.',
        };
      const since = utcDay(clock.now() - readDaysMax * dayMs);
      const old = all.filter(({ statement }) => (statement?.checked_on ?? '') < since).map(({ row }) => row.label);
      return old.length === 0
        ? { state: 'ok', fact: `name, country and basis of each of ${all.length} receivers are stated` }
        : {
            state: 'look',
            fact: `policy and terms were not read within a year: ${old.join(', ')}`,
            todo: 'Read them, and say so under Trust, Subprocessors.',
          };
    },
  };
}

/** Kinds of destinations that some organisation has set up. */
async function usedByOrganisations(postgres: Pick<House['postgres'], 'system' | 'tenant'>): Promise<Set<string>> {
  const rows = await everywhere(postgres, (sql) =>
    sql.query<{ kind: string }>('SELECT DISTINCT kind FROM relay_destinations'),
  );
  return new Set(rows.map(({ kind }) => kind));
}
