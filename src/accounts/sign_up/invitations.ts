import { type SignUpInvitation, signUpLimits } from '../../../contract/sign_up.ts';
import { type Act, actOf } from '../../platform/audit.ts';
import { RequestError, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { signUpInvitationMail } from './mails.ts';

type Asked = Pick<RouteRequest<unknown, unknown, unknown>, 'principal' | 'address' | 'requestId'>;

/** Whom the operator invites to make an organisation of their own: a link of 256 bits for one address, for seven days. */
export interface SignUpInvitations {
  /** Open ones and those that ended lately, the newest first. */
  list(): Promise<SignUpInvitation[]>;
  /** Mails the link. @throws RequestError conflict, when mail is off or there are too many */
  send(email: string, request: Asked): Promise<SignUpInvitation>;
  revoke(id: number, request: Asked): Promise<void>;
  digestOf(token: string): Buffer;
  /** The address that a living invitation was sent to. */
  addressOf(digest: Buffer): Promise<string | undefined>;
  /** It was followed: the row goes, in the caller's transaction. */
  use(sql: Sql, digest: Buffer): Promise<void>;
}

interface Row {
  id: number;
  digest: Buffer;
  address: Buffer;
  sent_at: Date;
  expires_at: Date;
}

export function openSignUpInvitations(
  house: Pick<House, 'postgres' | 'clock' | 'random' | 'keys' | 'vault' | 'audit' | 'mail' | 'config'>,
): SignUpInvitations {
  const { postgres, clock, random, keys, vault, audit, mail, config } = house;
  const digestOf = (token: string) => keys.digest('one-time-token', `sign-up-invitation ${token}`);
  const place = (digest: Buffer) =>
    ({
      organisationId: 'desk',
      table: 'sign_up_invitations',
      column: 'address',
      row: digest.toString('hex'),
      class: 'D7',
    }) as const;
  const addressIn = async ({ digest, address }: Pick<Row, 'digest' | 'address'>) =>
    (await vault.open(place(digest), address)).toString('utf8');
  /** For lists: an address whose key is gone must not keep its invitation from being taken back. */
  const readable = (row: Pick<Row, 'digest' | 'address'>) => addressIn(row).catch(() => '');
  const shown = async (row: Row): Promise<SignUpInvitation> => ({
    id: row.id,
    email: await readable(row),
    sent_at: row.sent_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    expired: row.expires_at.getTime() <= clock.now(),
  });
  const act = (action: string, request: Asked, id: number, email: string): Act => ({
    action,
    ...actOf(request),
    targets: [{ type: 'invitation', id, label: email }],
  });

  return {
    digestOf,
    async list() {
      const rows = await postgres.system((sql) =>
        sql.query<Row>(
          'SELECT id, digest, address, sent_at, expires_at FROM sign_up_invitations ORDER BY id DESC LIMIT $1',
          [signUpLimits.invitationsMax],
        ),
      );
      return Promise.all(rows.map(shown));
    },
    async send(email, request) {
      if (!(await mail.isOn()))
        throw new RequestError(
          'conflict',
          'This desk sends no mail, so nobody can confirm an address. Set it up first.',
        );
      const token = random.bytes(32).toString('base64url');
      const digest = digestOf(token);
      const address = await vault.seal(place(digest), email);
      const now = clock.now();
      return postgres.system(async (sql) => {
        const { count } = await sql.one<{ count: number }>('SELECT count(*) AS count FROM sign_up_invitations');
        if (count >= signUpLimits.invitationsMax)
          throw new RequestError(
            'conflict',
            `${signUpLimits.invitationsMax} invitations are as many as can be. Take one back first.`,
          );
        const row = await sql.one<Row>(
          `INSERT INTO sign_up_invitations (digest, address, invited_by, sent_at, expires_at) VALUES ($1, $2, $3, $4, $5)
           RETURNING id, digest, address, sent_at, expires_at`,
          [
            digest,
            address,
            request.principal?.id ?? null,
            new Date(now),
            new Date(now + signUpLimits.invitationDays * 86_400_000),
          ],
        );
        await mail.send(sql, {
          template: signUpInvitationMail,
          to: email,
          values: { desk: new URL(config.publicUrl).host, link: mail.link(`/sign-up#token=${token}`) },
        });
        await audit.record(sql, 'desk', act('sign_up.invited', request, row.id, email));
        return { ...(await shown(row)), email };
      });
    },
    async revoke(id, request) {
      await postgres.system(async (sql) => {
        const row = await sql.maybe<Pick<Row, 'digest' | 'address'>>(
          'DELETE FROM sign_up_invitations WHERE id = $1 RETURNING digest, address',
          [id],
        );
        if (row === undefined)
          throw new RequestError('not_found', 'There is no open invitation with this number here.');
        await audit.record(sql, 'desk', act('sign_up.revoked', request, id, await readable(row)));
      });
    },
    async addressOf(digest) {
      const row = await postgres.system((sql) =>
        sql.maybe<Pick<Row, 'digest' | 'address'>>(
          'SELECT digest, address FROM sign_up_invitations WHERE digest = $1 AND expires_at > $2',
          [digest, new Date(clock.now())],
        ),
      );
      return row === undefined ? undefined : addressIn(row);
    },
    async use(sql, digest) {
      await sql.run('DELETE FROM sign_up_invitations WHERE digest = $1', [digest]);
    },
  };
}
