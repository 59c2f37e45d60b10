export const tokenSubcodes = { app_removed: 458, password_changed: 460, expired: 463, invalid: 467 } as const;
export type TokenState = 'valid' | keyof typeof tokenSubcodes;

/** An error as the Graph API words it. */
export class MetaRefusal extends Error {
  readonly error: object;
  readonly status: number;
  constructor(message: string, code: number, subcode?: number, more: object = {}) {
    super(message);
    const type = code === 100 && subcode === 33 ? 'GraphMethodException' : 'OAuthException';
    this.error = { message, type, code, ...(subcode !== undefined && { error_subcode: subcode }), ...more };
    this.status = code === 200 ? 403 : 400;
  }
}

/** @throws MetaRefusal unless it is valid */
export function refuseToken(state: TokenState): void {
  if (state !== 'valid')
    throw new MetaRefusal('Error validating access token', 190, tokenSubcodes[state], { is_transient: false });
}
