/**
 * Every function that sees across organisations, with what it gives back: numbers, or a yes or no, and nothing else.
 * A test compares this list with pg_proc, so a further one is a decision that shows in a diff.
 */
export const lookups = [
  'lookup.acceptances_of_version(wanted_kind text, wanted_version text) -> bigint',
  'lookup.api_key_by_digest(wanted bytea) -> (api_key_id bigint, organisation_id bigint)',
  'lookup.deliveries_queued(at_platform text) -> bigint',
  'lookup.delivery_overdue_ms(at_platform text, moment timestamp with time zone) -> bigint',
  'lookup.destinations_to_send_to(until timestamp with time zone) -> (organisation_id bigint, destination_id bigint)',
  'lookup.every_operator() -> (person_id bigint)',
  'lookup.every_organisation() -> (organisation_id bigint)',
  'lookup.identity_by_digest(wanted bytea) -> (identity_id bigint, person_id bigint)',
  'lookup.invitation_by_digest(wanted bytea) -> (invitation_id bigint, organisation_id bigint)',
  'lookup.is_mail_restricted(organisation bigint, wanted bytea) -> boolean',
  'lookup.one_time_token_by_digest(wanted bytea) -> (token_id bigint, person_id bigint)',
  'lookup.organisation_by_slug(wanted text) -> (organisation_id bigint)',
  'lookup.organisations_of_person(wanted bigint) -> (organisation_id bigint)',
  'lookup.owners_of_root(wanted text) -> (organisation_id bigint)',
  'lookup.passkey_by_credential(wanted bytea) -> (passkey_id bigint, person_id bigint)',
  'lookup.people_to_close(moment timestamp with time zone, unverified_before timestamp with time zone) -> (person_id bigint)',
  'lookup.people_with_second_factor(wanted bigint[]) -> (person_id bigint)',
  'lookup.person_by_email(wanted bytea) -> (person_id bigint)',
  'lookup.person_by_username(wanted text) -> (person_id bigint)',
  'lookup.relay_sums_to_add() -> (organisation_id bigint)',
  'lookup.results_to_ask(until timestamp with time zone) -> (organisation_id bigint, attempt_id bigint)',
  'lookup.session_by_digest(wanted bytea) -> (session_id bigint, person_id bigint)',
  'lookup.share_by_digest(wanted bytea) -> (share_id bigint, organisation_id bigint)',
  'lookup.site_by_domain(wanted text) -> (site_id bigint, organisation_id bigint)',
  'lookup.site_by_id(wanted bigint) -> (site_id bigint, organisation_id bigint)',
  'lookup.stale_contact_keys() -> (organisation_id bigint, site_id bigint)',
] as const;

/** Every function that deletes, and those that count what it would; each answers with numbers of rows, a time, a digest. */
export const deletions = [
  'retention.delete_audit_entries(chain bigint, through bigint, signed_hash bytea, moment timestamp with time zone, rows_max bigint) -> bigint',
  'retention.delete_ended_consents(organisation bigint, moment timestamp with time zone) -> (rows bigint, digest bytea)',
  'retention.delete_ended_organisation(organisation bigint) -> bigint',
  'retention.delete_ended_sessions(moment timestamp with time zone) -> bigint',
  'retention.delete_expired_tokens(moment timestamp with time zone) -> bigint',
  'retention.delete_old_credits(organisation bigint, moment timestamp with time zone) -> (rows bigint, digest bytea)',
  'retention.delete_old_mail(organisation bigint, moment timestamp with time zone, held bigint[]) -> (rows bigint, digest bytea)',
  'retention.delete_old_notifications(organisation bigint, moment timestamp with time zone, held bigint[]) -> (rows bigint, digest bytea)',
  'retention.delete_old_self_audits(moment timestamp with time zone) -> bigint',
  'retention.delete_old_sign_up_invitations(moment timestamp with time zone) -> bigint',
  'retention.delete_old_throttles(moment timestamp with time zone, rows_max bigint) -> bigint',
  'retention.drop_audit_addresses(chain bigint, after bigint, through bigint, moment timestamp with time zone) -> bigint',
  'retention.ended_consents(organisation bigint, moment timestamp with time zone) -> (rows bigint, oldest timestamp with time zone)',
  'retention.note_removed(whose bigint, of_line text, of_table text, many bigint, since timestamp with time zone, digests bigint, moment timestamp with time zone) -> bigint',
  'retention.old_mail(organisation bigint, moment timestamp with time zone) -> (person_id bigint, rows bigint, oldest timestamp with time zone)',
  'retention.old_notifications(organisation bigint, moment timestamp with time zone) -> (person_id bigint, rows bigint, oldest timestamp with time zone)',
  'retention.past_due(moment timestamp with time zone, line text) -> (rows bigint, oldest timestamp with time zone)',
] as const;

/** What is done to the trail of acts beyond reading it: writing at its end, and reading where every chain stands. */
export const chaining = [
  'audit.append(of_person bigint, chain bigint, digests bytea[], acts json) -> bigint',
  'audit.append_one(of_person bigint, chain bigint, digest bytea, entry uuid, at timestamp with time zone, action text, class text, outcome text, reason text, actor_type text, actor text, actor_name bytea, actor_commitment bytea, targets jsonb, details bytea, details_commitment bytea, request_id text, address text, address_salt bytea, address_commitment bytea) -> bigint',
  'audit.every_head() -> (organisation_id bigint, seq bigint, hash bytea)',
] as const;

/** What changes whose something is: by a row that both sides have written, each through its own door. */
export const movings = ['moving.hand_over_site(accepted_move bigint) -> bigint'] as const;
