/** One error of a `GoogleAdsFailure`; `at` is the path to the field, such as `['conversions', 3, 'gclid']`. */
export interface AdsError {
  family: string;
  code: string;
  message: string;
  at?: (string | number)[];
  details?: object;
}

export const httpStatuses = {
  ...{ INVALID_ARGUMENT: 400, UNAUTHENTICATED: 401, PERMISSION_DENIED: 403, NOT_FOUND: 404, RESOURCE_EXHAUSTED: 429 },
  INTERNAL: 500,
} as const;
export type AdsStatus = keyof typeof httpStatuses;

/** Refuses the whole request. */
export class AdsRefusal extends Error {
  readonly status: AdsStatus;
  readonly errors: AdsError[];
  /** In place of a failure of Google Ads, where what is before it refused. */
  readonly details: object[] | undefined;
  constructor(status: AdsStatus, errors: AdsError[], message = 'The request was refused.', details?: object[]) {
    super(message);
    this.status = status;
    this.errors = errors;
    this.details = details;
  }
}

/** `conversionUploadError` and `TOO_RECENT_EVENT` as one refusal of everything. */
export function refusal(status: AdsStatus, family: string, code: string, message = `${code}.`): AdsRefusal {
  return new AdsRefusal(status, [{ family, code, message }]);
}

/** `google.rpc.Status`'s details: all errors of one answer in one failure, as Google Ads words them. */
export function failureOf(errors: readonly AdsError[], version: string, requestId: string): object {
  return {
    '@type': `type.googleapis.com/google.ads.googleads.${version}.errors.GoogleAdsFailure`,
    errors: errors.map(({ family, code, message, at, details }) => ({
      errorCode: { [family]: code },
      message,
      ...(at !== undefined && { location: { fieldPathElements: pathElements(at) } }),
      ...(details !== undefined && { details }),
    })),
    requestId,
  };
}

/** A number belongs to the name before it. */
function pathElements(at: readonly (string | number)[]): object[] {
  const elements: { fieldName: string; index?: number }[] = [];
  for (const each of at) {
    const last = elements.at(-1);
    if (typeof each === 'string') elements.push({ fieldName: each });
    else if (last !== undefined) last.index = each;
  }
  return elements;
}
