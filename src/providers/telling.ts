import type { ConnectionReason } from '../../contract/connections.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { Remind, Reminded, TellRoles } from '../platform/reminder.ts';
import { providerOf } from './list.ts';
import type { ConnectionRow } from './records.ts';

/** Who hears of a connection: those who can authorise it again. */
export const told = ['owner', 'admin'] as const;

type NoticeName = 'connection_ended' | 'connection_paused' | 'connection_ending';

/** What the accounts bring of notices. */
export interface Teller {
  tellRoles: TellRoles<NoticeName>;
  remind: Remind<NoticeName>;
}

const why: Readonly<Record<ConnectionReason, string>> = {
  revoked: 'the platform does not take its token any more: it was revoked, or what it rests on was changed there',
  expired: 'the time for which it was authorised is over',
  base_url_changed: 'whoever runs this desk changed the address of the platform',
  by_hand: 'somebody disconnected it',
};

/** The page of connections; under the first site, since pages of the relay stand under one. */
export async function pageOf(sql: Sql, organisationId: number): Promise<string> {
  const site = await sql.maybe<{ domain: string }>(
    'SELECT domain FROM sites WHERE organisation_id = $1 ORDER BY id LIMIT 1',
    [organisationId],
  );
  return site === undefined ? '/sites/new' : `/s/${encodeURIComponent(site.domain)}/relay/connections`;
}

/** Tells owners and admins, in the transaction of what happened. */
export async function tellOf(
  sql: Sql,
  notices: Pick<Teller, 'tellRoles'>,
  row: Pick<ConnectionRow, 'organisation_id' | 'provider' | 'label'>,
  reason: ConnectionReason,
): Promise<void> {
  const { organisation_id: organisationId } = row;
  const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [organisationId]);
  await notices.tellRoles(sql, organisationId, told, [
    {
      name: reason === 'base_url_changed' ? 'connection_paused' : 'connection_ended',
      facts: { ...factsOf(row, name), why: why[reason] },
      link: await pageOf(sql, organisationId),
    },
  ]);
}

export function factsOf(
  { provider, label }: Pick<ConnectionRow, 'provider' | 'label'>,
  organisation: string,
): Reminded<NoticeName>['facts'] {
  return { connection: label, platform: providerOf(provider).label, organisation };
}
