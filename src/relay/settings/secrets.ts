import type { Sql } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';

type Column = 'secret_sealed' | 'former_secret_sealed';

const placeOf = (organisationId: number, sourceId: number, column: Column) =>
  ({ organisationId, table: 'relay_sources', column, row: sourceId, class: 'D9' }) as const;

/** What a source's sender signs with, sealed for its row. */
export function sealSourceSecret(
  vault: Vault,
  organisationId: number,
  sourceId: number,
  secret: string,
  column: Column = 'secret_sealed',
): Promise<Buffer> {
  return vault.seal(placeOf(organisationId, sourceId, column), secret);
}

export interface SealedSecrets {
  readonly id: number;
  readonly organisation_id: number;
  readonly secret_sealed: Buffer | null;
  readonly former_secret_sealed: Buffer | null;
  readonly former_secret_until: Date | null;
}

/**
 * What a sender may have signed with: the secret, and the one before for as long as it is taken.
 * @param purpose what they are opened for, as the trail has it
 */
export async function openSourceSecrets(
  vault: Vault,
  row: SealedSecrets,
  now: number,
  { purpose, sql }: { purpose: string; sql?: Sql },
): Promise<string[]> {
  const open = async (column: Column) =>
    String(
      await vault.open(placeOf(row.organisation_id, row.id, column), row[column] as Buffer, {
        purpose,
        ...(sql && { sql }),
      }),
    );
  const secrets: string[] = [];
  if (row.secret_sealed !== null) secrets.push(await open('secret_sealed'));
  if (row.former_secret_sealed !== null && (row.former_secret_until?.getTime() ?? 0) > now)
    secrets.push(await open('former_secret_sealed'));
  return secrets;
}

/** A destination's own token or secret. */
export const destinationSecretPlace = (organisationId: number, destinationId: number) =>
  ({
    ...{ organisationId, table: 'relay_destinations', column: 'secret_sealed', row: destinationId },
    class: 'D9',
  }) as const;
