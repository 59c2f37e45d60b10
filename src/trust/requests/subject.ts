import { emailDigest } from '../../platform/email.ts';
import type {
  DataSubject,
  FoundRows,
  Identifier,
  IdentifierKind,
  PersonalDataHolder,
} from '../../platform/personal_data.ts';
import type { House } from '../../platform/subject.ts';

/** Somebody is known by that many things at most; whoever is known by more is gone through with the first ones. */
const identifiersMax = 500;
/** How often what was found leads to a further look. */
const roundsMax = 6;

export type Knowing = Pick<House, 'vault' | 'keys' | 'mail'>;

/** What is said, as everything that is stored is found by it. */
export async function identifierOf(
  { vault, keys, mail }: Knowing,
  organisationId: number,
  kind: IdentifierKind,
  value: string,
): Promise<Identifier> {
  const digest = await vault.subject(organisationId, kind, value);
  if (kind !== 'email') return { kind, digest, value };
  return { kind, digest, value, others: { account: emailDigest(keys, value), mail: mail.suppressions.digest(value) } };
}

export interface Held {
  holder: string;
  rows: FoundRows[];
}

/**
 * Asks every holder, and asks again while one of them knows the subject by something more: an erasure by any of it finds
 * all of it.
 */
export async function gather(
  house: Knowing,
  who: DataSubject,
  holders: readonly PersonalDataHolder[],
): Promise<{ who: DataSubject; held: Held[] }> {
  const all = new Map(who.identifiers.map((one) => [nameOf(one), one]));
  for (let round = 1; ; round += 1) {
    const now: DataSubject = { organisationId: who.organisationId, identifiers: [...all.values()] };
    const before = all.size;
    const held: Held[] = [];
    for (const holder of holders) {
      const { rows, known = [] } = await holder.find(now);
      held.push({ holder: holder.name, rows });
      for (const { kind, value } of known) {
        const one = await identifierOf(house, who.organisationId, kind, value);
        const name = nameOf(one);
        // One that is there as a digest alone is worth more with its value.
        if (all.has(name) ? all.get(name)?.value === undefined : all.size < identifiersMax) all.set(name, one);
      }
    }
    if (all.size === before || round === roundsMax) return { who: now, held };
  }
}

function nameOf({ kind, digest }: Identifier): string {
  return `${kind} ${digest.toString('hex')}`;
}

/** Each after those that it names. @throws TypeError when two wait for each other */
export function inOrder(holders: readonly PersonalDataHolder[]): PersonalDataHolder[] {
  const ordered: PersonalDataHolder[] = [];
  let left = [...holders];
  while (left.length > 0) {
    const free = left.filter(({ after = [] }) => after.every((name) => !left.some((one) => one.name === name)));
    if (free.length === 0)
      throw new TypeError(`These holders wait for each other: ${left.map(({ name }) => name).join(', ')}.`);
    ordered.push(...free);
    left = left.filter((one) => !free.includes(one));
  }
  return ordered;
}
