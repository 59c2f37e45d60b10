/**
 * Every function that sees across organisations, with what it gives back: numbers, and nothing else.
 * A test compares this list with pg_proc, so a further one is a decision that shows in a diff.
 */
export const lookups = [
  'lookup.api_key_by_digest(wanted bytea) -> (api_key_id bigint, organisation_id bigint)',
  'lookup.every_organisation() -> (organisation_id bigint)',
  'lookup.invitation_by_digest(wanted bytea) -> (invitation_id bigint, organisation_id bigint)',
  'lookup.organisation_by_slug(wanted text) -> (organisation_id bigint)',
  'lookup.person_by_email(wanted text) -> (person_id bigint)',
  'lookup.session_by_digest(wanted bytea) -> (session_id bigint, person_id bigint)',
  'lookup.site_by_domain(wanted text) -> (site_id bigint, organisation_id bigint)',
  'lookup.site_by_id(wanted bigint) -> (site_id bigint, organisation_id bigint)',
] as const;

/** Every function that deletes; each answers with how many rows went. */
export const deletions = ['retention.delete_ended_sessions(moment timestamp with time zone) -> bigint'] as const;
