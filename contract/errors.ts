import { z } from 'zod';

/**
 * Work for a browser that was slowed down: find an `answer` so that SHA-256 of `token.answer` begins with `bits` zero bits,
 * wait until `wait_seconds` have passed, and send both with the next try. Each challenge is good for one try.
 */
export const challenge = z.object({ token: z.string(), bits: z.number().int(), wait_seconds: z.number().int() });
export type Challenge = z.infer<typeof challenge>;

/**
 * Every error that leaves the server over HTTP has this shape. `code` is stable and has a line in
 * docs/guides/errors.md; `message` names the fact and the next step; `field` the input at fault, where there is one.
 */
export const apiError = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    field: z.string().optional(),
    challenge: challenge.optional(),
    request_id: z.string().optional(),
  }),
});
export type ApiError = z.infer<typeof apiError>;

/** code → HTTP status. Adding a code means adding its line to docs/guides/errors.md (a test compares the two). */
export const errorStatus = {
  bad_request: 400,
  invalid_json: 400,
  invalid_field: 400,
  unknown_metric: 400,
  unknown_dimension: 400,
  unsupported: 400,
  invalid_filter: 400,
  invalid_date_range: 400,
  query_too_large: 400,
  unauthenticated: 401,
  wrong_credentials: 401,
  session_ended: 401,
  sign_in_expired: 401,
  wrong_setup_code: 403,
  sign_in_refused: 403,
  identity_not_linked: 403,
  forbidden: 403,
  cross_site: 403,
  other_address: 403,
  suspended: 403,
  https_required: 403,
  second_factor_needed: 403,
  sign_in_again: 403,
  acceptance_needed: 403,
  sign_up_closed: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  already_set_up: 409,
  last_owner: 409,
  wrong_status: 409,
  provider_refused: 409,
  link_expired: 410,
  too_large: 413,
  unsupported_media_type: 415,
  misdirected: 421,
  rate_limited: 429,
  query_over_ceiling: 503,
  warehouse_unavailable: 503,
  store_unavailable: 503,
  spool_full: 503,
  provider_unavailable: 503,
  internal: 500,
} as const;
export type ErrorCode = keyof typeof errorStatus;
