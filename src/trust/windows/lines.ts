import type { ClassId } from '../classes/index.ts';

/** How long something is kept, in the unit in which it is promised. */
export type Span = { months: number } | { days: number };

/**
 * What ends a line's rows.
 * `night`: the nightly run deletes, with a receipt. `clock`: a timer of its own deletes more often than nightly, and the
 * night looks whether anything is left. `life`: no age; goes with the site, the person or the organisation that it belongs
 * to, or when somebody removes it. `size`: bounded by bytes. `never`: there is no person in it, or the ledger keeps it.
 */
export type Ends = 'night' | 'clock' | 'life' | 'size' | 'never';

export interface Line {
  name: string;
  class: ClassId;
  /** What it holds, in plain words, for the page. */
  holds: string;
  ends: Ends;
  /** Who does it: named in docs/guides/retention.md, so that nothing is ended by two and nothing by nobody. */
  executor: string;
  /** The ledger's window; absent where the end is no age. */
  kept?: Span;
  /** In words, where it is no age. */
  until?: string;
  /** Who may make it shorter: nobody may make it longer. */
  shortenedBy: 'site and policy' | 'policy' | 'nobody';
  /** What an erasure does with it. */
  erasure: string;
  /** Tables of both databases (`warehouse events`, `postgres sessions`) and files (`file access/*.ndjson`). */
  stored: readonly string[];
  /** A copy of everything that an organisation has: whatever a hold keeps is in it, so each hold keeps it. */
  isCopyOfAll?: true;
  /** Belongs to the desk itself and to no organisation. */
  ofDesk?: true;
}

const deleted = 'deleted';
const withPerson = 'deleted with the account';
const withSite = 'deleted with the site';

/**
 * The one table of windows (RET-20): every stored table and file stands in exactly one line. `stored.ts` compares it with
 * the live catalogue of both databases and the declared files, and fails on what is in no line or in two.
 */
export const lines: readonly Line[] = [
  {
    name: 'visitor-events',
    class: 'D3',
    holds:
      'Events and visits of visitors: page, source, device, coarse place, the id of a day or of storage mode, sealed contact clicks and profiles',
    ...{ ends: 'night', executor: 'analytics/life/ageing.ts', kept: { months: 25 }, shortenedBy: 'site and policy' },
    erasure: deleted,
    stored: [
      ...['warehouse events', 'warehouse visits', 'warehouse arrivals'],
      ...['postgres profiles', 'postgres profile_digests', 'postgres profile_visitors', 'postgres profile_corrections'],
    ],
  },
  {
    name: 'robots',
    class: 'D3',
    holds: 'What detected robots asked for; nothing of who they were',
    ...{ ends: 'night', executor: 'analytics/life/ageing.ts', kept: { days: 90 }, shortenedBy: 'policy' },
    erasure: 'there is no person in it',
    stored: ['warehouse bot_events'],
  },
  {
    name: 'drops',
    class: 'D16',
    holds: 'How many events were not stored, by minute and reason',
    ...{ ends: 'night', executor: 'analytics/life/ageing.ts', kept: { months: 12 }, shortenedBy: 'policy' },
    erasure: 'there is no person in it',
    stored: ['warehouse drops'],
  },
  {
    name: 'day-counts',
    class: 'D22',
    holds: 'Counts of closed days. Once the events are gone, counts of fewer than ten visitors are gone too',
    ...{ ends: 'life', executor: 'analytics/life/runner.ts', until: 'the site is emptied or deleted' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it' },
    stored: ['warehouse daily', 'warehouse frozen_days', 'warehouse imported_days'],
  },
  {
    name: 'mail',
    class: 'D16',
    holds: 'The list of sent mail: kind, time, outcome, the address sealed. Its words go when it is sent',
    ...{ ends: 'night', executor: 'platform/mail/ageing.ts', kept: { months: 12 }, shortenedBy: 'policy' },
    erasure: withPerson,
    stored: ['postgres mail.messages'],
  },
  {
    name: 'notifications',
    class: 'D16',
    holds: 'What people of the organisation were told, with the names and numbers in it',
    ...{ ends: 'night', executor: 'accounts/mail/ageing.ts', kept: { months: 12 }, shortenedBy: 'policy' },
    erasure: withPerson,
    stored: ['postgres notifications'],
  },
  {
    name: 'alert-posts',
    class: 'D16',
    holds: 'Alerts that were posted to the address of the organisation: numbers, days and names of settings',
    ...{ ends: 'night', executor: 'accounts/alerts/ageing.ts', kept: { days: 30 }, shortenedBy: 'nobody' },
    erasure: 'there is no person in it',
    stored: ['postgres alert_posts'],
  },
  {
    name: 'audit',
    class: 'D17',
    holds: 'Who did what: names sealed, the network as /24 or /48 dropped after 90 days',
    ...{ ends: 'night', executor: 'trust/audit/ageing.ts', kept: { months: 24 }, shortenedBy: 'nobody' },
    erasure: 'pseudonymised: the key of the person is destroyed',
    stored: ['postgres audit.entries'],
  },
  {
    name: 'access-log',
    class: 'D15',
    holds: 'Who asked the account plane for what: time, address, route, status',
    ...{ ends: 'clock', executor: 'platform/http/access_log.ts', kept: { days: 90 }, shortenedBy: 'nobody' },
    ...{ erasure: 'ages out', ofDesk: true },
    stored: ['file access/*.ndjson'],
  },
  {
    name: 'operations',
    class: 'D16',
    holds: 'What was done in the product, by pseudonym; runs of jobs; calls to others that failed',
    ...{ ends: 'night', executor: 'trust/operations/ageing.ts', kept: { months: 12 }, shortenedBy: 'policy' },
    erasure: 'pseudonymised: the log names nobody, and the name behind a pseudonym goes with the account',
    stored: ['postgres operations'],
  },
  {
    name: 'operation-networks',
    class: 'D15',
    holds: 'The network that an action came from, as /24 or /48',
    ...{ ends: 'night', executor: 'trust/operations/ageing.ts', kept: { days: 90 }, shortenedBy: 'nobody' },
    erasure: 'ages out',
    stored: ['postgres operation_networks'],
  },
  {
    name: 'throttles',
    class: 'D15',
    holds: 'Keyed digests of failed sign-ins',
    ...{ ends: 'clock', executor: 'accounts/throttle.ts', kept: { days: 1 }, shortenedBy: 'nobody' },
    ...{ erasure: 'ages out', ofDesk: true },
    stored: ['postgres throttles'],
  },
  {
    name: 'sessions',
    class: 'D8',
    holds: 'Sign-ins: digests of tokens, device in two words',
    ...{ ends: 'clock', executor: 'accounts/people/retention.ts', until: 'a day after the session has ended' },
    ...{ shortenedBy: 'nobody', erasure: 'deleted at once', ofDesk: true },
    stored: ['postgres sessions'],
  },
  {
    name: 'links',
    class: 'D8',
    holds: 'Links of mails and sign-ups that wait: keyed digests, an hour at most',
    ...{ ends: 'clock', executor: 'accounts/people/retention.ts', until: 'it is used, or an hour is over' },
    ...{ shortenedBy: 'nobody', erasure: 'deleted at once', ofDesk: true },
    stored: ['postgres one_time_tokens', 'postgres sign_ups'],
  },
  {
    name: 'sign-in-steps',
    class: 'D8',
    holds: 'Two digests between a click on a provider and its answer',
    ...{ ends: 'clock', executor: 'accounts/identities/steps.ts', until: 'twenty minutes are over' },
    ...{ shortenedBy: 'nobody', erasure: 'deleted at once', ofDesk: true },
    stored: ['postgres sign_in_steps'],
  },
  {
    name: 'visitor-links',
    class: 'D2',
    holds: 'Which links from one host of a site to another were followed: digests that name nobody',
    ...{ ends: 'clock', executor: 'analytics/ingest/links.ts', until: 'five minutes are over' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it', ofDesk: true },
    stored: ['postgres taken_links'],
  },
  {
    name: 'devices',
    class: 'D8',
    holds: 'Browser and system of past sign-ins, in two words',
    ...{ ends: 'clock', executor: 'accounts/people/retention.ts', kept: { months: 12 }, shortenedBy: 'nobody' },
    ...{ erasure: withPerson, ofDesk: true },
    stored: ['postgres seen_devices'],
  },
  {
    name: 'sign-up-invitations',
    class: 'D7',
    holds: 'Invitations to sign up: a sealed address',
    ...{ ends: 'clock', executor: 'accounts/people/retention.ts', until: '30 days after its end' },
    ...{ shortenedBy: 'nobody', erasure: deleted, ofDesk: true },
    stored: ['postgres sign_up_invitations'],
  },
  {
    name: 'self-audits',
    class: 'D16',
    holds: 'What the daily look at the guards of this desk found',
    ...{ ends: 'night', executor: 'trust/proof/ageing.ts', kept: { months: 12 }, shortenedBy: 'nobody' },
    ...{ erasure: 'there is no person in it', ofDesk: true },
    stored: ['postgres self_audits'],
  },
  {
    name: 'spool',
    class: 'D3',
    holds: 'Acknowledged events on their way into the database',
    ...{ ends: 'clock', executor: 'platform/spool/loader.ts', until: 'both databases have them, about a second' },
    ...{ shortenedBy: 'nobody', erasure: deleted, ofDesk: true },
    stored: ['file spool/*/*.open', 'file spool/*/*.closed', 'file spool/*/*.progress'],
  },
  {
    name: 'quarantine',
    class: 'D3',
    holds: 'Rows that a database refused, with the reason',
    ...{ ends: 'clock', executor: 'platform/spool/quarantine.ts', kept: { days: 7 }, shortenedBy: 'nobody' },
    ...{ erasure: deleted, ofDesk: true },
    stored: ['file quarantine/*/*.ndjson'],
  },
  {
    name: 'exports',
    class: 'D3',
    holds: 'Files that somebody of the organisation takes away, and the list of them',
    ...{ ends: 'clock', executor: 'analytics/exports/runner.ts', kept: { days: 7 }, shortenedBy: 'nobody' },
    erasure: 'deleted where the site knows the person',
    stored: ['postgres exports', 'file exports/*', 'file exports/*.asked', 'file exports/*.part/*'],
  },
  {
    name: 'organisation-archives',
    class: 'D7',
    holds: 'Archives of the whole organisation that an owner asked for, sealed, and the list of them',
    ...{ ends: 'clock', executor: 'analytics/archive/index.ts', kept: { days: 7 }, shortenedBy: 'nobody' },
    isCopyOfAll: true,
    erasure: 'deleted where a site knows the person',
    stored: [
      ...['postgres organisation_archives', 'file archives/*', 'file archives/*.asked'],
      'file archives/*.part/**',
    ],
  },
  {
    name: 'uploads',
    class: 'D3',
    holds: 'Files that wait to be imported, each part sealed',
    ...{ ends: 'clock', executor: 'analytics/imports/uploads.ts', kept: { days: 7 }, shortenedBy: 'nobody' },
    erasure: withSite,
    stored: ['file imports/*'],
  },
  {
    name: 'packed-days',
    class: 'D3',
    holds: 'Closed days of large sites once more, without any id, for filtered questions',
    ...{ ends: 'life', executor: 'analytics/packed/index.ts', until: 'its day is changed, emptied or over' },
    ...{ shortenedBy: 'nobody', erasure: deleted },
    stored: ['file packed/*/*', 'file packed/*/*.rows'],
  },
  {
    name: 'server-output',
    class: 'D16',
    holds: 'Starts, stops and refused logins of the built-in database; no statement and no value',
    ...{ ends: 'size', executor: 'platform/postgres/cluster.ts', until: 'there are 2 MB of newer lines' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it', ofDesk: true },
    stored: ['file postgres/server.log*'],
  },
  {
    name: 'people',
    class: 'D7',
    holds: 'Accounts: address sealed, name, picture, choices, agreed documents',
    ...{
      ends: 'life',
      executor: 'accounts/closing/close.ts',
      until: 'the account is closed, 30 days after it was asked',
    },
    ...{ shortenedBy: 'nobody', erasure: 'deleted, the key of the person destroyed', ofDesk: true },
    stored: [
      ...['people', 'avatars', 'acceptances', 'notification_choices', 'quiet_hours'].map((one) => `postgres ${one}`),
    ],
  },
  {
    name: 'ways-in',
    class: 'D8',
    holds: 'Password hashes, second factors, passkeys, linked accounts',
    ...{ ends: 'life', executor: 'accounts/closing/close.ts', until: 'it is removed, or the account is closed' },
    ...{ shortenedBy: 'nobody', erasure: 'deleted at once', ofDesk: true },
    stored: [
      ...['passwords', 'authenticators', 'recovery_codes', 'passkeys', 'identities'].map((one) => `postgres ${one}`),
    ],
  },
  {
    name: 'membership',
    class: 'D7',
    holds: 'Who belongs to the organisation, teams, roles, invitations, reports by mail',
    ...{ ends: 'life', executor: 'accounts/organisations/members.ts', until: 'the member leaves, or it is taken back' },
    ...{ shortenedBy: 'nobody', erasure: withPerson },
    stored: [
      ...['memberships', 'team_members', 'invitations', 'invitation_days', 'ownership_offers'],
      ...['report_subscriptions', 'report_sendings', 'custom_roles', 'teams', 'team_sites'],
    ].map((one) => `postgres ${one}`),
  },
  {
    name: 'keys-of-the-api',
    class: 'D8',
    holds: 'API keys: a digest, a name, the day of the last use',
    ...{
      ends: 'life',
      executor: 'accounts/api_keys.ts',
      until: 'the key is revoked; its row stays with the organisation',
    },
    ...{ shortenedBy: 'nobody', erasure: 'revoked at once' },
    stored: ['postgres api_keys'],
  },
  {
    name: 'consents',
    class: 'D23',
    holds: 'Who agreed to what, when, how and to which words, as pseudonyms, and who took it back',
    ...{ ends: 'night', executor: 'trust/consent/ageing.ts', kept: { months: 36 }, shortenedBy: 'nobody' },
    erasure: 'pseudonyms already: the digest is of one organisation',
    stored: ['postgres consent_records'],
  },
  {
    name: 'organisation',
    class: 'D7',
    holds: 'The organisation and its settings, its policy, holds, disclosures, incidents and reviews of access',
    ...{ ends: 'life', executor: 'accounts/organisations/ending.ts', until: 'the organisation is closed' },
    ...{ shortenedBy: 'nobody', erasure: 'deleted on the day on which it is closed, every key destroyed' },
    stored: [
      ...['organisations', 'organisation_logos', 'former_slugs', 'retention_policies', 'legal_holds', 'lawful_bases'],
      'alert_hooks',
      ...[
        'incidents',
        'incident_entries',
        'incident_drafts',
        'disclosures',
        'disclosure_entries',
        'controller_transfers',
        'access_reviews',
        'access_decisions',
      ],
      ...['site_removals', 'site_moves'],
    ].map((one) => `postgres ${one}`),
  },
  {
    name: 'sites',
    class: 'D7',
    holds: 'Sites and what is set on them: goals, shields, notes, shares, imports',
    ...{ ends: 'life', executor: 'analytics/life/runner.ts', until: 'the site is deleted' },
    ...{ shortenedBy: 'nobody', erasure: withSite },
    stored: [
      ...['sites', 'goals', 'shields', 'annotations', 'foreign_ids', 'former_domains', 'site_days', 'shares'],
      ...['share_views', 'imports', 'contact_keys'],
    ].map((one) => `postgres ${one}`),
  },
  {
    name: 'relay-settings',
    class: 'D7',
    holds: 'Sources, mappings, destinations and routes of the conversion relay; secrets sealed',
    ...{
      ends: 'life',
      executor: 'accounts/organisations/ending.ts',
      until: 'somebody deletes it, or the organisation is closed',
    },
    ...{ shortenedBy: 'nobody', erasure: 'deleted with the organisation' },
    stored: ['relay_sources', 'relay_mappings', 'relay_destinations', 'relay_routes'].map((one) => `postgres ${one}`),
  },
  {
    name: 'conversions',
    class: 'D6',
    holds: 'Conversions and what became of each: event, value, click ids, which identifiers were present',
    ...{
      ends: 'life',
      executor: 'relay/life/deletion.ts',
      until: 'somebody deletes it, or the organisation is closed',
    },
    ...{ shortenedBy: 'nobody', erasure: deleted },
    stored: [
      ...[
        'relay_conversions',
        'relay_identities',
        'relay_deliveries',
        'relay_alerts',
        'relay_sums',
        'relay_sum_changes',
      ],
    ].map((one) => `postgres ${one}`),
  },
  {
    name: 'conversion-identifiers',
    class: 'D5',
    holds: 'Identifiers of a conversion, sealed: raw ones, and hashes as each platform wants them',
    ...{ ends: 'clock', executor: 'relay/life/ageing.ts', shortenedBy: 'nobody' },
    until:
      'raw ones have been there for seven days after the last delivery (or as many as the source says), hashes until the conversion is deleted',
    erasure: 'the key is destroyed, and the row deleted',
    stored: ['postgres relay_tellings', 'postgres relay_subjects'],
  },
  {
    name: 'credit-ledger',
    class: 'D19',
    holds: 'Credits that were added, used, given back or ran out, by day and destination; nothing of a conversion',
    ...{ ends: 'night', executor: 'billing/credits/ageing.ts', kept: { months: 120 }, shortenedBy: 'nobody' },
    erasure: 'there is no person in it',
    stored: ['credit_accounts', 'credit_transfers', 'credit_entries', 'credit_lots'].map((one) => `postgres ${one}`),
  },
  {
    name: 'credit-charges',
    class: 'D19',
    holds: 'Which deliveries a line of the ledger was for, by number',
    ...{ ends: 'night', executor: 'billing/credits/ageing.ts', kept: { months: 24 }, shortenedBy: 'nobody' },
    erasure: 'the numbers lead nowhere once the conversion is deleted',
    stored: ['postgres credit_charges'],
  },
  {
    name: 'credit-reservations',
    class: 'D19',
    holds: 'Credits that are held for deliveries while they are sent',
    ...{ ends: 'life', executor: 'billing/credits/upkeep.ts' },
    until: 'the platform has answered, or fifteen minutes are over',
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it' },
    stored: ['postgres credit_reservations'],
  },
  {
    name: 'relay-attempts',
    class: 'D16',
    holds: 'Requests to ad platforms: when, how long, the redacted answer, and nothing of what was in them',
    ...{ ends: 'night', executor: 'relay/life/ageing.ts', kept: { days: 90 }, shortenedBy: 'policy' },
    erasure: 'there is no person in it',
    stored: ['postgres relay_attempts'],
  },
  {
    name: 'relay-pixel-calls',
    class: 'D6',
    holds:
      'Which events the pixels on a site were called with, where its relay counts them: the event, when, keyed digests of ids',
    ...{ ends: 'clock', executor: 'relay/life/pixels.ts', kept: { days: 2 }, shortenedBy: 'nobody' },
    erasure: 'gone with its window; nobody is named in it',
    stored: ['postgres relay_pixel_calls'],
  },
  {
    name: 'relay-pixel-days',
    class: 'D22',
    holds: 'How many calls of pixels no conversion belonged to, by day and event',
    ...{ ends: 'night', executor: 'relay/life/ageing.ts', kept: { days: 90 }, shortenedBy: 'policy' },
    erasure: 'there is no person in it',
    stored: ['postgres relay_pixel_days'],
  },
  {
    name: 'relay-intake',
    class: 'D16',
    holds:
      'Requests to sources of the relay: when, what was answered and why, the shape of the body without its values',
    ...{ ends: 'night', executor: 'relay/life/intake.ts', kept: { days: 90 }, shortenedBy: 'policy' },
    erasure: 'there is no person in it',
    stored: ['warehouse relay_intake'],
  },
  {
    name: 'relay-captures',
    class: 'D16',
    holds: 'The last requests to a source, and those that did not map, each sealed',
    ...{ ends: 'clock', executor: 'relay/life/ageing.ts', kept: { days: 7 }, shortenedBy: 'nobody' },
    erasure: 'the key is destroyed, and the row deleted',
    stored: ['postgres relay_captures'],
  },
  {
    name: 'relay-uploads',
    class: 'D5',
    holds:
      'Files of offline conversions until they are taken, each part sealed; what came of them, without a value of a row',
    ...{ ends: 'clock', executor: 'relay/uploads/runner.ts', kept: { days: 7 }, shortenedBy: 'nobody' },
    erasure: 'gone with its window; a file that names somebody is named by the erasure until then',
    stored: ['postgres relay_uploads', 'postgres relay_upload_problems', 'file relay_uploads/*'],
  },
  {
    name: 'secrets',
    class: 'D9',
    holds: 'Password and signing key of the mail server, sealed',
    ...{ ends: 'life', executor: 'platform/mail/server.ts', until: 'they are replaced or taken out' },
    ...{ shortenedBy: 'nobody', erasure: 'destroyed at once', ofDesk: true },
    stored: ['postgres mail.server'],
  },
  {
    name: 'connection-secrets',
    class: 'D9',
    holds: 'Tokens and secrets of connected platforms, sealed',
    ...{ ends: 'life', executor: 'providers/disconnect.ts', until: 'it is disconnected, or revoked at the platform' },
    ...{ shortenedBy: 'nobody', erasure: 'destroyed at once' },
    stored: ['postgres connection_tokens'],
  },
  {
    name: 'connections',
    class: 'D10',
    holds: 'Which accounts of which platforms were connected, until 30 days after they were disconnected',
    ...{ ends: 'night', executor: 'providers/ageing.ts', kept: { days: 30 }, shortenedBy: 'nobody' },
    erasure: 'there is no person in it but the number of the member who connected',
    stored: ['postgres connections'],
  },
  {
    name: 'connection-steps',
    class: 'D8',
    holds: 'Digests between a click on a platform and its answer',
    ...{ ends: 'clock', executor: 'providers/steps.ts', until: 'twenty-five minutes are over' },
    ...{ shortenedBy: 'nobody', erasure: 'deleted at once' },
    stored: ['postgres connection_steps'],
  },
  {
    name: 'openings',
    class: 'D16',
    holds: 'When a sealed secret was last opened, and what for',
    ...{ ends: 'life', executor: 'trust/vault/openings.ts', until: 'it is opened again, or the secret is gone' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it' },
    stored: ['postgres secret_openings'],
  },
  {
    name: 'vault',
    class: 'D8',
    holds: 'Keys under which everything sealed lies, each wrapped by the root key',
    ...{ ends: 'life', executor: 'trust/vault/key_store.ts', until: 'the person or the organisation is gone' },
    ...{ shortenedBy: 'nobody', erasure: 'the key is destroyed', ofDesk: true },
    stored: ['roots', 'owner_keys', 'subject_keys', 'destroyed_owners'].map((one) => `postgres vault.${one}`),
  },
  {
    name: 'suppressions',
    class: 'D25',
    holds: 'Keyed digests of addresses that get no mail, and why',
    ...{ ends: 'never', executor: 'platform/mail/suppression.ts', until: 'its owner allows mail again' },
    ...{
      shortenedBy: 'nobody',
      erasure: 'the digest stays: without it the objection could not be honoured',
      ofDesk: true,
    },
    stored: ['postgres mail.suppressions'],
  },
  {
    name: 'requests',
    class: 'D24',
    holds: 'Requests of data subjects, their clock and steps. Who asks is sealed, and gone once a request is closed',
    ...{ ends: 'night', executor: 'trust/requests/ageing.ts', kept: { months: 36 }, shortenedBy: 'nobody' },
    erasure: 'the subject is a keyed digest only',
    stored: [
      ...['subject_requests', 'erasure_runs', 'erasure_subjects', 'erasure_steps', 'erasure_receipts'],
      ...['restrictions', 'request_receipts', 'opendsr_callbacks'],
    ].map((one) => `postgres ${one}`),
  },
  {
    name: 'restricted',
    class: 'D25',
    holds: 'Keyed digests of people whose data is kept and not used, and of their browsers',
    ...{ ends: 'never', executor: 'trust/requests/measures.ts', until: 'the restriction or the objection ends' },
    ...{ shortenedBy: 'nobody', erasure: 'the digest stays: without it the objection could not be honoured' },
    stored: ['postgres restricted_identifiers', 'postgres restricted_visitors'],
  },
  {
    name: 'request-forms',
    class: 'D4',
    holds: 'Archives for who asked for their data, sealed, and forms that wait for the click in a mail (a day)',
    ...{ ends: 'clock', executor: 'trust/requests/archives.ts', kept: { days: 14 }, shortenedBy: 'nobody' },
    erasure: 'ages out',
    stored: ['postgres request_archives', 'postgres request_asks'],
  },
  {
    name: 'backups',
    class: 'D16',
    holds: 'When backups were made and how they went, and where they are put; the copies themselves lie elsewhere',
    ...{ ends: 'night', executor: 'trust/backup/ageing.ts', kept: { months: 12 } },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it', ofDesk: true },
    stored: ['postgres backups', 'postgres backup_settings'],
  },
  {
    name: 'receivers',
    class: 'D16',
    holds: 'What was stated of the companies that this desk calls: name, country, contract, basis',
    ...{ ends: 'never', executor: 'trust/register/statements.ts', until: 'there is no person in it' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it', ofDesk: true },
    stored: ['postgres receiver_statements', 'postgres receiver_lists'],
  },
  {
    name: 'documents',
    class: 'D7',
    holds: 'Who the organisation is, its documents with reviews, who was told of them, and who accepted the agreement',
    ...{ ends: 'life', executor: 'accounts/organisations/status_changes.ts', until: 'the organisation is closed' },
    ...{ shortenedBy: 'nobody', erasure: 'what is public stays; a person is a number in it' },
    stored: [
      ...['organisation_identities', 'document_reviews', 'document_versions', 'document_receipts'],
      ...['agreement_acceptances', 'operator_identities'],
    ].map((one) => `postgres ${one}`),
  },
  {
    name: 'receipts',
    class: 'D22',
    holds: 'Receipts of the nightly run: counts and digests, no row and no key',
    ...{ ends: 'never', executor: 'trust/windows/receipts.ts', until: 'there is no person in it' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it' },
    stored: ['retention_receipts', 'retention_nights', 'retention_removals', 'relay_deletions'].map(
      (one) => `postgres ${one}`,
    ),
  },
  {
    name: 'product-usage',
    class: 'D22',
    holds: 'How often a page was opened or a feature used, by day and organisation, of who agreed to be counted',
    ...{ ends: 'night', executor: 'trust/usage/ageing.ts', kept: { months: 12 }, shortenedBy: 'nobody' },
    erasure: 'there is no person in it',
    stored: ['postgres product_usage'],
  },
  {
    name: 'desk',
    class: 'D22',
    holds: 'What this installation is: version of its tables, name of its key, its documents, trouble with mail',
    ...{ ends: 'never', executor: 'app/desk.ts', until: 'the desk is taken down' },
    ...{ shortenedBy: 'nobody', erasure: 'there is no person in it', ofDesk: true },
    stored: [
      ...['schema_migrations', 'installation', 'set_up', 'upkeep', 'sign_up_settings', 'legal_documents'],
      ...['product_usage_settings', 'legal_withdrawals', 'mail.trouble', 'audit.chains'],
    ]
      .map((one) => `postgres ${one}`)
      .concat([
        ...['warehouse warehouse_migrations', 'file audit/checkpoints.ndjson', 'file postgres/credentials.json'],
        ...['file postgres/server', 'file postgres/belongs-to', 'file postgres/cluster/**', 'file postgres/socket/**'],
        ...['file postgres/runtime/**', 'file acme/*/account.pem*', 'file acme/*/*.certificate.pem*'],
        'file acme/*/state.json*',
      ]),
  },
];

export function lineOf(name: string): Line {
  const found = lines.find((line) => line.name === name);
  if (found === undefined) throw new TypeError(`There is no line ${name} in the table of windows: add it to lines.ts.`);
  return found;
}

/** The moment so long before another one. Months are those of the calendar: 31 May less three is the last of February. */
export function earlier(ms: number, span: Span): number {
  if ('days' in span) return ms - span.days * 86_400_000;
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - span.months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

export function spanWords(span: Span): string {
  if ('days' in span) return span.days === 1 ? '1 day' : `${span.days} days`;
  return span.months === 1 ? '1 month' : `${span.months} months`;
}

/** How many of its unit; spans of one line have the same unit. */
export function sizeOf(span: Span): number {
  return 'days' in span ? span.days : span.months;
}
