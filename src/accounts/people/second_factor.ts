import { encode } from 'uqr';
import { peopleLimits } from '../../../contract/limits.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { base32, otpauth, stepOf } from './totp.ts';

/**
 * The authenticator of a person and their recovery codes. The secret is sealed by the vault for this person; recovery
 * codes are keyed digests whose rows go when they are used. Both work once.
 */
export interface SecondFactor {
  /** A fresh secret that is no way in until a code proves it. @throws RequestError conflict where there is one already */
  begin(person: { id: number; email: string }): Promise<{ secret: string; uri: string; squares: string[] }>;
  /** Is this a code of now, not used before? Takes it. `isConfirmed` says which of both authenticators is meant. */
  takeCode(personId: number, code: string, isConfirmed: boolean): Promise<boolean>;
  /** Takes a recovery code, if it is one of the person's. */
  takeRecoveryCode(personId: number, code: string): Promise<boolean>;
  /** Switches it on, inside the caller's transaction. @returns the recovery codes, for the only time */
  confirm(sql: Sql, personId: number): Promise<string[]>;
  renewRecoveryCodes(sql: Sql, personId: number): Promise<string[]>;
  /** Takes authenticator and recovery codes away. @returns was there one? */
  remove(sql: Sql, personId: number): Promise<boolean>;
}

const secretBytes = 20;
const deskName = 'Fairlead';
/** No 0, O, 1, I, L: these are read from paper. */
const letters = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const codeLetters = 12;

export function openSecondFactor(house: Omit<House, 'authenticate'>): SecondFactor {
  const { postgres, clock, random, keys, vault } = house;

  async function placeOf(personId: number): Promise<Place & { class: 'D8' }> {
    return {
      organisationId: 'desk',
      table: 'authenticators',
      column: 'secret',
      row: personId,
      class: 'D8',
      subject: await vault.subject('desk', 'person', String(personId)),
    };
  }

  function newCode(): string {
    let code = '';
    // Bytes past the last whole multiple of the alphabet are drawn again, so that every letter is as likely.
    const most = 256 - (256 % letters.length);
    while (code.length < codeLetters)
      for (const byte of random.bytes(codeLetters))
        if (byte < most && code.length < codeLetters) code += letters[byte % letters.length];
    return code;
  }

  const digestOf = (personId: number, code: string) => keys.digest('recovery-code', `${personId}\n${plain(code)}`);

  async function renewRecoveryCodes(sql: Sql, personId: number): Promise<string[]> {
    const codes = Array.from({ length: peopleLimits.recoveryCodes }, newCode);
    await sql.run('DELETE FROM recovery_codes WHERE person_id = $1', [personId]);
    await sql.run('INSERT INTO recovery_codes (person_id, digest, created_at) SELECT $1, unnest($2::bytea[]), $3', [
      personId,
      codes.map((code) => digestOf(personId, code)),
      new Date(clock.now()),
    ]);
    return codes.map((code) => code.replace(/(.{4})(?=.)/g, '$1-'));
  }

  return {
    renewRecoveryCodes,
    async begin(person) {
      const secret = random.bytes(secretBytes);
      const sealed = await vault.seal(await placeOf(person.id), secret);
      await postgres.person(person.id, async (sql) => {
        const made = await sql.run(
          `INSERT INTO authenticators (person_id, secret, created_at) VALUES ($1, $2, $3)
           ON CONFLICT (person_id) DO UPDATE SET secret = $2, created_at = $3, last_step = 0
           WHERE authenticators.confirmed_at IS NULL`,
          [person.id, sealed, new Date(clock.now())],
        );
        if (made === 0)
          throw new RequestError('conflict', 'You have an authenticator already. Remove it before you set up another.');
      });
      const uri = otpauth(secret, person.email, deskName);
      const { data } = encode(uri, { ecc: 'M', border: 0 });
      return {
        secret: base32(secret),
        uri,
        squares: data.map((row) => row.map((dark) => (dark ? '1' : '0')).join('')),
      };
    },
    async takeCode(personId, code, isConfirmed) {
      const row = await postgres.person(personId, (sql) =>
        sql.maybe<{ secret: Buffer }>(
          'SELECT secret FROM authenticators WHERE person_id = $1 AND (confirmed_at IS NOT NULL) = $2',
          [personId, isConfirmed],
        ),
      );
      if (row === undefined) return false;
      const secret = await vault.open(await placeOf(personId), row.secret);
      const step = stepOf(secret, code.replace(/\s/g, ''), clock.now());
      if (step === undefined) return false;
      // Two sign-ins with the same code: the row lets one of them through.
      return postgres.person(
        personId,
        async (sql) =>
          (await sql.run('UPDATE authenticators SET last_step = $2 WHERE person_id = $1 AND last_step < $2', [
            personId,
            step,
          ])) === 1,
      );
    },
    takeRecoveryCode: (personId, code) =>
      postgres.person(
        personId,
        async (sql) =>
          (await sql.run('DELETE FROM recovery_codes WHERE person_id = $1 AND digest = $2', [
            personId,
            digestOf(personId, code),
          ])) === 1,
      ),
    async confirm(sql, personId) {
      await sql.run('UPDATE authenticators SET confirmed_at = $2 WHERE person_id = $1 AND confirmed_at IS NULL', [
        personId,
        new Date(clock.now()),
      ]);
      return renewRecoveryCodes(sql, personId);
    },
    async remove(sql, personId) {
      await sql.run('DELETE FROM recovery_codes WHERE person_id = $1', [personId]);
      return (await sql.run('DELETE FROM authenticators WHERE person_id = $1', [personId])) === 1;
    },
  };
}

/** A recovery code as it was made: written small, or with spaces or dashes, it is the same. */
function plain(code: string): string {
  return code.toUpperCase().replace(/[^A-Z0-9]/g, '');
}
