import type { z } from 'zod';
import type {
  IdentityAnswer,
  OperatorIdentity,
  operatorIdentity,
  organisationIdentity,
} from '../../../contract/documents.ts';
import { escapedWords } from '../../platform/http/plain_page.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Party } from './facts.ts';

const columns = 'legal_name, address, jurisdiction, registration, contact, officer, representative, authority';
const names = columns.split(', ') as readonly (keyof z.infer<typeof operatorIdentity>)[];

type OrganisationIdentity = IdentityAnswer['organisation'];
type Stored<Identity> = Omit<Identity, 'changed_at'> & { changed_at: Date };

const empty = { ...(Object.fromEntries(names.map((name) => [name, null])) as Record<(typeof names)[number], null>) };

/** Who runs this desk, as entered last; nothing where nobody has entered it. Any door may read it. */
export async function readOperator(sql: Sql): Promise<OperatorIdentity> {
  const row = await sql.maybe<Stored<OperatorIdentity>>(
    `SELECT ${columns}, version, changed_at FROM operator_identities ORDER BY version DESC LIMIT 1`,
  );
  return row === undefined
    ? { ...empty, version: 0, changed_at: null }
    : { ...row, changed_at: row.changed_at.toISOString() };
}

/** Who the organisation is: for documents, replies and pages that name it. */
export async function readIdentity(sql: Sql, organisationId: number): Promise<OrganisationIdentity> {
  const row = await sql.maybe<Stored<OrganisationIdentity>>(
    `SELECT ${columns}, measuring_basis, version, changed_at FROM organisation_identities WHERE organisation_id = $1
     ORDER BY version DESC LIMIT 1`,
    [organisationId],
  );
  return row === undefined
    ? { ...empty, measuring_basis: null, version: 0, changed_at: null }
    : { ...row, changed_at: row.changed_at.toISOString() };
}

interface By {
  personId: number;
  nowMs: number;
}

/** Makes a further version; what was entered before stays. Two at once follow each other. */
export async function writeOperator(
  sql: Sql,
  said: z.infer<typeof operatorIdentity>,
  by: By,
): Promise<OperatorIdentity> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtext('operator identity'))");
  await sql.run(
    `INSERT INTO operator_identities (${columns}, version, changed_at, changed_by)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce(max(version), 0) + 1, $9, $10 FROM operator_identities`,
    [...names.map((name) => said[name]), new Date(by.nowMs), by.personId],
  );
  return readOperator(sql);
}

export async function writeIdentity(
  sql: Sql,
  organisationId: number,
  said: z.infer<typeof organisationIdentity>,
  by: By,
): Promise<OrganisationIdentity> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('identity ' || $1, 0))", [String(organisationId)]);
  await sql.run(
    `INSERT INTO organisation_identities (organisation_id, ${columns}, measuring_basis, version, changed_at, changed_by)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce(max(version), 0) + 1, $11, $12
     FROM organisation_identities WHERE organisation_id = $1`,
    [organisationId, ...names.map((name) => said[name]), said.measuring_basis, new Date(by.nowMs), by.personId],
  );
  return readIdentity(sql, organisationId);
}

export function partyOf(identity: Omit<OperatorIdentity, 'version' | 'changed_at'>): Party {
  return {
    ...{ legalName: identity.legal_name, address: identity.address, jurisdiction: identity.jurisdiction },
    ...{ registration: identity.registration, contact: identity.contact, officer: identity.officer },
    ...{ representative: identity.representative, authority: identity.authority },
  };
}

/**
 * What of somebody's identity was entered, in the order in which pages, replies and mails name it.
 * @example namedIn({ ...nobody, legalName: 'Shop Ltd' }) // [['', 'Shop Ltd']]
 */
function namedIn(party: Party): [label: string, words: string][] {
  const all: [string, string | null][] = [
    ['', party.legalName],
    ['', party.address],
    ['Law', party.jurisdiction],
    ['Register', party.registration],
    ['Questions about data', party.contact],
    ['Data protection officer', party.officer],
    ['Representative', party.representative],
    ['Supervisory authority', party.authority],
  ];
  return all.flatMap(([label, words]): [string, string][] => (words === null ? [] : [[label, words]]));
}

function lineOf(who: string, party: Party): string {
  const parts = namedIn(party).map(([label, words]) => (label === '' ? words : `${label}: ${words}`));
  return [who, ...parts].map((one) => one.replaceAll('\n', ', ')).join(' · ');
}

/**
 * Who answers, for the foot of every page and mail, a line each: the organisation, once it has said who it is, and the operator
 * of the desk. To be asked in a transaction of that organisation; any other one names the operator alone.
 */
export async function readFoot(sql: Sql, organisationId?: number): Promise<string[]> {
  const lines: string[] = [];
  const organisation =
    organisationId === undefined
      ? undefined
      : await sql.maybe<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [organisationId]);
  if (organisationId !== undefined && organisation !== undefined) {
    const identity = await readIdentity(sql, organisationId);
    if (identity.version > 0) lines.push(lineOf(organisation.name, partyOf(identity)));
  }
  const operator = await readOperator(sql);
  if (operator.version > 0) lines.push(lineOf('Operator of this desk', partyOf(operator)));
  return lines;
}

/**
 * The same as markup: a foot for a page, or nothing while nobody has said who they are.
 * @param links markup that comes first; with it there is a foot in any case
 */
export async function readFootMarkup(sql: Sql, organisationId?: number, links = ''): Promise<string> {
  const lines = (await readFoot(sql, organisationId)).map((line) => `<p>${escapedWords(line)}</p>`);
  const inside = `${links}${lines.join('')}`;
  return inside === '' ? '' : `<footer class="q">${inside}</footer>`;
}
