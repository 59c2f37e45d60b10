import type { House } from '../platform/subject.ts';

type Column = 'access_token' | 'refresh_token';

/** Where a token lies: its ciphertext opens in this row and column alone (CRY-01, CRY-02). */
export function openSealedTokens({ vault }: Pick<House, 'vault'>) {
  const place = (organisationId: number, column: Column, row: number) =>
    ({ organisationId, table: 'connection_tokens', column, row, class: 'D9' }) as const;

  async function open(
    owner: { organisationId: number; id: number },
    column: Column,
    sealed: Buffer,
    purpose: string,
  ): Promise<string> {
    const plain = await vault.open(place(owner.organisationId, column, owner.id), sealed, { purpose });
    return plain.toString('utf8');
  }

  return {
    /** Both as they are stored. */
    async seal(
      { organisationId, id }: { organisationId: number; id: number },
      tokens: { accessToken: string; refreshToken?: string | undefined },
    ): Promise<{ access: Buffer; refresh: Buffer | null }> {
      const { accessToken, refreshToken } = tokens;
      return {
        access: await vault.seal(place(organisationId, 'access_token', id), accessToken),
        refresh:
          refreshToken === undefined
            ? null
            : await vault.seal(place(organisationId, 'refresh_token', id), refreshToken),
      };
    },
    /**
     * Opens what is sent with a call.
     * @param purpose a word for the trail: who opens it, and what for (CRY-09)
     */
    access: (owner: { organisationId: number; id: number }, sealed: Buffer, purpose: string) =>
      open(owner, 'access_token', sealed, purpose),
    refresh: (owner: { organisationId: number; id: number }, sealed: Buffer, purpose: string) =>
      open(owner, 'refresh_token', sealed, purpose),
  };
}
export type SealedTokens = ReturnType<typeof openSealedTokens>;
