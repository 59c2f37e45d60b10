import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { z } from 'zod';
import { type newPasskey, type Passkey, type passkeyAnswer, passkeysMax } from '../../../contract/identities.ts';
import type { Config } from '../../platform/config.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { KeyRing } from '../../platform/subject.ts';
import type { Refused } from './provider.ts';
import { stepLimits } from './steps.ts';

/** Loaded when the first passkey is asked for: it takes 165 to 240 ms, which every start would wait for. */
const webauthn = () => import('@simplewebauthn/server');

/**
 * Passkeys by WebAuthn level 3. A passkey proves two things at once, that one has it and that one may use it (a finger,
 * a face, a PIN): user verification is required at registration and at each use, so no second factor has to follow.
 */
export interface Passkeys {
  /** Are they possible at the address of this desk? Browsers want HTTPS, or localhost; never an IP address. */
  isPossible(): boolean;
  list(sql: Sql, personId: number): Promise<Passkey[]>;
  creationOptions(person: { id: number; email: string; name: string }, challenge: string, sql: Sql): Promise<object>;
  add(
    sql: Sql,
    personId: number,
    input: z.infer<typeof newPasskey>,
    challenge: string,
    now: Date,
  ): Promise<Passkey | Refused>;
  /** For anybody's passkey, or for those of one person when it is their second factor. */
  requestOptions(challenge: string, only?: { sql: Sql; personId: number }): Promise<object>;
  /** Whose passkey is it, if it proves that? */
  prove(answer: z.infer<typeof passkeyAnswer>['credential'], challenge: string, now: Date): Promise<Proved | Refused>;
  rename(sql: Sql, personId: number, id: number, name: string): Promise<Passkey | undefined>;
  remove(sql: Sql, personId: number, id: number): Promise<string | undefined>;
  has(sql: Sql, personId: number): Promise<boolean>;
}
export type Proved =
  | { kind: 'proved'; personId: number; id: number }
  /** Its signature is right and its counter is not: there is a copy of it. */
  | { kind: 'copied'; personId: number; id: number; name: string };

interface Row {
  id: number;
  name: string;
  is_synced: boolean;
  created_at: Date;
  last_used_day: string | null;
}
const columns = 'id, name, is_synced, created_at, last_used_day';

export function openPasskeys(house: {
  config: Pick<Config, 'publicUrl'>;
  postgres: Postgres;
  keys: KeyRing;
}): Passkeys {
  const { config, postgres, keys } = house;
  const origin = () => new URL(config.publicUrl).origin;
  const rpId = () => new URL(config.publicUrl).hostname;
  /** What authenticators know a person by: it says nothing, and is the same for all their passkeys. */
  const handle = (personId: number) => keys.digest('passkey-person', String(personId));

  const known = (sql: Sql, personId: number) =>
    sql.query<{ credential_id: Buffer; transports: string[] }>(
      'SELECT credential_id, transports FROM passkeys WHERE person_id = $1 ORDER BY id',
      [personId],
    );
  const descriptors = (rows: { credential_id: Buffer; transports: string[] }[]) =>
    rows.map((row) => ({ id: row.credential_id.toString('base64url'), transports: row.transports }));

  return {
    isPossible() {
      const { protocol, hostname } = new URL(config.publicUrl);
      if (hostname === 'localhost') return true;
      return protocol === 'https:' && !/^[\d.]+$|^\[/.test(hostname);
    },

    async list(sql, personId) {
      const rows = await sql.query<Row>(
        `SELECT ${columns} FROM passkeys WHERE person_id = $1 ORDER BY created_at, id`,
        [personId],
      );
      return rows.map(shown);
    },

    async creationOptions(person, challenge, sql) {
      const rows = await known(sql, person.id);
      if (rows.length >= passkeysMax)
        throw new RequestError(
          'conflict',
          `You have ${passkeysMax} passkeys, which is as many as can be. Remove one first.`,
        );
      return (await webauthn()).generateRegistrationOptions({
        rpName: 'Fairlead',
        rpID: rpId(),
        userName: person.email,
        userDisplayName: person.name || person.email,
        userID: new Uint8Array(handle(person.id)),
        challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
        timeout: stepLimits.passkeyMs,
        attestationType: 'none',
        excludeCredentials: descriptors(rows),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        supportedAlgorithmIDs,
      });
    },

    async add(sql, personId, { name, credential }, challenge, now) {
      const { verifyRegistrationResponse } = await webauthn();
      const info = await verified(() =>
        verifyRegistrationResponse({
          response: { clientExtensionResults: {}, ...credential } as RegistrationResponseJSON,
          expectedChallenge: challenge,
          expectedOrigin: origin(),
          expectedRPID: rpId(),
          requireUserVerification: true,
          supportedAlgorithmIDs,
        }),
      );
      const made = info?.verified === true ? info.registrationInfo : undefined;
      if (made === undefined) return { refused: 'passkey_invalid' };
      // Row security hides whose it is; the unique key does not, and the same authenticator's key is nobody else's.
      const rows = await sql.query<Row>(
        `INSERT INTO passkeys (person_id, credential_id, public_key, counter, transports, is_synced, name, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (credential_id) DO NOTHING RETURNING ${columns}`,
        [
          personId,
          Buffer.from(made.credential.id, 'base64url'),
          Buffer.from(made.credential.publicKey),
          made.credential.counter,
          (credential.response.transports ?? []).filter((one) => /^[a-z-]{2,20}$/.test(one)),
          made.credentialDeviceType === 'multiDevice',
          name,
          now,
        ],
      );
      if (rows[0] === undefined)
        throw new RequestError('conflict', 'This passkey is known here already. Use another authenticator.');
      return shown(rows[0]);
    },

    async requestOptions(challenge, only) {
      return (await webauthn()).generateAuthenticationOptions({
        rpID: rpId(),
        challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
        timeout: stepLimits.passkeyMs,
        userVerification: 'required',
        ...(only === undefined ? {} : { allowCredentials: descriptors(await known(only.sql, only.personId)) }),
      });
    },

    async prove(answer, challenge, now) {
      const credentialId = Buffer.from(answer.id, 'base64url');
      const found = await postgres.system((sql) =>
        sql.maybe<{ passkey_id: number; person_id: number }>('SELECT * FROM lookup.passkey_by_credential($1)', [
          credentialId,
        ]),
      );
      if (found === undefined) return { refused: 'passkey_unknown' };
      const { passkey_id: id, person_id: personId } = found;
      const { userHandle } = answer.response;
      if (typeof userHandle === 'string' && !Buffer.from(userHandle, 'base64url').equals(handle(personId)))
        return { refused: 'passkey_invalid' };
      const { verifyAuthenticationResponse } = await webauthn();
      return postgres.person(personId, async (sql) => {
        // Held until the counter is written, so that one answer of a copy cannot pass beside the other.
        const row = await sql.maybe<{ public_key: Buffer; counter: number; name: string }>(
          'SELECT public_key, counter, name FROM passkeys WHERE id = $1 FOR UPDATE',
          [id],
        );
        if (row === undefined) return { refused: 'passkey_unknown' };
        const result = await verified(() =>
          verifyAuthenticationResponse({
            response: { clientExtensionResults: {}, ...answer } as AuthenticationResponseJSON,
            expectedChallenge: challenge,
            expectedOrigin: origin(),
            expectedRPID: rpId(),
            // The counter is looked at below, once the signature is known to be right: a forged one proves no copy.
            credential: { id: answer.id, publicKey: new Uint8Array(row.public_key), counter: 0 },
            requireUserVerification: true,
          }),
        );
        if (result?.verified !== true) return { refused: 'passkey_invalid' };
        const { newCounter, credentialDeviceType } = result.authenticationInfo;
        // Authenticators that do not count always say 0 (WebAuthn §6.1.1).
        if ((newCounter > 0 || row.counter > 0) && newCounter <= row.counter)
          return { kind: 'copied', personId, id, name: row.name };
        await sql.run('UPDATE passkeys SET counter = $2, is_synced = $3, last_used_day = $4 WHERE id = $1', [
          id,
          newCounter,
          credentialDeviceType === 'multiDevice',
          now.toISOString().slice(0, 10),
        ]);
        return { kind: 'proved', personId, id };
      });
    },

    async rename(sql, personId, id, name) {
      const row = await sql.maybe<Row>(
        `UPDATE passkeys SET name = $3 WHERE id = $1 AND person_id = $2 RETURNING ${columns}`,
        [id, personId, name],
      );
      return row === undefined ? undefined : shown(row);
    },
    async remove(sql, personId, id) {
      const row = await sql.maybe<{ name: string }>(
        'DELETE FROM passkeys WHERE id = $1 AND person_id = $2 RETURNING name',
        [id, personId],
      );
      return row?.name;
    },
    has: async (sql, personId) => (await known(sql, personId)).length > 0,
  };
}

/** Ed25519, ES256, RS256: what authenticators have. */
const supportedAlgorithmIDs = [-8, -7, -257];

/** The verifier throws at whatever it cannot read; to its caller that is one more answer that proves nothing. */
async function verified<T>(verify: () => Promise<T>): Promise<T | undefined> {
  try {
    return await verify();
  } catch {
    return undefined;
  }
}

function shown(row: Row): Passkey {
  return {
    id: row.id,
    name: row.name,
    synced: row.is_synced,
    created_at: row.created_at.toISOString(),
    last_used_day: row.last_used_day,
  };
}
