import type { PersonalDataHolder } from '../../platform/personal_data.ts';
import { type Column, classes, readClass } from '../classes/index.ts';

/** Classes of which an erasure has to do something: of the others the ledger says that nobody is in them, or that they stay. */
const personal = new Set<string>(
  classes
    .filter(({ id, neverAtRest, onErasure }) => neverAtRest !== true && id !== 'D25' && !/no person/.test(onErasure))
    .map(({ id }) => id),
);

const account =
  'belongs to an account, which is its person’s own and no organisation’s: closing the account erases it (accounts/closing)';
const desk = 'belongs to whoever runs the desk, and to no organisation that could be asked';
const settings = 'what the organisation has set; who did is a number, which names nobody once that account is closed';
const nobody = 'a pseudonym of one day at most: nobody, we included, finds a person’s rows in it';
const soon = 'gone by itself before an answer is due';
const words =
  'words of the organisation about itself; whoever answers looks through them, since no digest finds a name in a text';
const keys = 'keys, which open nothing once those of the person are destroyed (holder audit-names)';

/** Tables with personal classes that no holder brings, and why a request of a data subject does not go there. */
export const unheld: Readonly<Record<string, string>> = {
  ...of(account, [
    ...['people', 'passwords', 'avatars', 'authenticators', 'recovery_codes', 'seen_devices', 'identities', 'passkeys'],
    ...['acceptances', 'notification_choices', 'quiet_hours', 'sessions', 'one_time_tokens', 'sign_in_steps'],
  ]),
  ...of(desk, [
    ...['set_up', 'installation', 'sign_up_settings', 'sign_up_invitations', 'legal_documents', 'legal_withdrawals'],
    ...[
      'mail.server',
      'mail.trouble',
      'backup_settings',
      'backups',
      'receiver_statements',
      'receiver_lists',
      'operator_identities',
      'self_audits',
      'upkeep',
    ],
    ...['throttles', 'audit.chains'],
  ]),
  ...of(soon, ['taken_links', 'sign_ups', 'imports', 'site_moves', 'connection_steps']),
  ...of(soon, ['relay_uploads', 'relay_upload_problems']),
  ...of(settings, [
    ...[
      'organisations',
      'organisation_logos',
      'former_slugs',
      'custom_roles',
      'teams',
      'team_sites',
      'invitation_days',
    ],
    ...['sites', 'former_domains', 'goals', 'shields', 'foreign_ids', 'shares', 'api_keys', 'retention_policies'],
    ...['site_removals', 'secret_openings', 'organisation_identities', 'document_reviews', 'document_versions'],
    ...['document_receipts', 'agreement_acceptances'],
    'lawful_bases',
    ...['access_reviews', 'access_decisions'],
    ...['connections', 'connection_tokens'],
  ]),
  ...of(words, ['annotations', 'incidents', 'incident_entries']),
  ...of(words, ['disclosures', 'disclosure_entries', 'controller_transfers']),
  ...of(settings, ['relay_sources', 'relay_mappings', 'relay_destinations', 'relay_routes']),
  ...of('movements of a balance, in numbers; nobody is in them', [
    ...['credit_accounts', 'credit_transfers', 'credit_entries', 'credit_lots', 'credit_reservations'],
  ]),
  credit_charges:
    'which deliveries cost something, by their numbers and the random ids of their conversions, which lead nowhere once these are erased (class D19: pseudonymised)',
  relay_sums: 'counts; nobody is in them',
  relay_sum_changes: 'what came to those counts; nobody is in it',
  relay_alerts: 'what is not as usual, in numbers; nobody is in it',
  relay_pixel_calls:
    'which events pixels were called with, and keyed digests of ids that pages made, for two days; nobody is named in it',
  relay_pixel_days: 'counts of days; nobody is in them',
  alert_hooks: 'where alerts of the organisation are posted to',
  alert_posts: 'alerts in numbers and days; nobody is in them',
  relay_attempts: 'requests to ad platforms without what was in them; nobody is in them',
  operations: 'who did what under the pseudonym of the audit log, which names nobody once that key is destroyed',
  operation_networks: 'networks as /24 or /48 of these lines, gone after 90 days',
  opendsr_callbacks: 'where a system of the organisation is told of a request that it handed in; nobody is named',
  legal_holds: 'what is kept beyond its window and why, until a hold is released (rule R9)',
  contact_keys: keys,
  'vault.roots': keys,
  'vault.owner_keys': keys,
  'vault.subject_keys': keys,
  'vault.destroyed_owners': keys,
  'warehouse visits': nobody,
  'warehouse arrivals': nobody,
  'warehouse bot_events': 'detected robots, nothing of who they were',
  'warehouse daily': 'counts of days; nobody is in them',
  'warehouse imported_days': 'counts of days; nobody is in them',
  'warehouse frozen_days': 'which days are counted',
  'warehouse drops': 'how many events were not stored',
  'warehouse relay_intake': 'when requests came and how long their values were; no value of one',
  'warehouse warehouse_migrations': 'versions of the tables',
};

function of(why: string, tables: readonly string[]): Record<string, string> {
  return Object.fromEntries(tables.map((table) => [table, why]));
}

/**
 * Holds the holders against the catalogue of both databases.
 * @returns a sentence for every table with a personal class that has neither a holder nor a reason, that has both or two
 *   holders, and for every holder and reason of something that nothing stores
 */
export function findUnheld(
  columns: readonly Column[],
  holders: readonly Pick<PersonalDataHolder, 'name' | 'tables' | 'after'>[],
  reasons: Readonly<Record<string, string>> = unheld,
): string[] {
  const stored = new Set(columns.map(({ store, table }) => `${store} ${table}`));
  const isPersonal = new Set(
    columns
      .filter(({ comment }) => personal.has(readClass(comment)?.id ?? ''))
      .map(({ store, table }) => `${store} ${table}`),
  );
  const reasonOf = new Map(
    Object.entries(reasons).map(([name, why]) => [name.startsWith('warehouse ') ? name : `postgres ${name}`, why]),
  );
  const wrong: string[] = [];
  for (const table of stored) {
    const by = holders.filter(({ tables }) => table in tables).map(({ name }) => name);
    if (by.length > 1) wrong.push(`${table} has the holders ${by.join(' and ')}: leave it to one.`);
    if (by.length === 1 && reasonOf.has(table))
      wrong.push(`${table} has the holder ${by[0]} and a reason to have none: take the reason out of unheld.ts.`);
    if (by.length === 0 && isPersonal.has(table) && !reasonOf.has(table))
      wrong.push(
        `${table} has a personal class and no holder: bring one, or give a reason in trust/requests/unheld.ts.`,
      );
  }
  for (const { name, tables, after = [] } of holders) {
    for (const table of Object.keys(tables))
      if (!stored.has(table)) wrong.push(`The holder ${name} names ${table}, which nothing stores.`);
    for (const other of after)
      if (!holders.some((one) => one.name === other))
        wrong.push(`The holder ${name} comes after ${other}, which is none.`);
  }
  for (const table of reasonOf.keys())
    if (!stored.has(table)) wrong.push(`unheld.ts names ${table}, which nothing stores: take it out.`);
  return wrong;
}
