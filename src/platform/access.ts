import type { actOf } from './audit.ts';
import type { Permission } from './http/route.ts';
import type { Sql } from './postgres/index.ts';

/** Something that lets somebody in, as the quarterly review of access lists it. */
export interface Access {
  /** Its number among those of its kind. */
  id: number;
  /** What who reviews knows it by: the address of a person, the name of a key. */
  label: string;
  /**
   * What it gives, in words. This is what is confirmed: once the words are others, it has to be looked at again. No name
   * and no address stands in it.
   */
  gives: string;
  /** A UTC day. */
  since: string;
  /** The UTC day of its last use; null for never, undefined where nothing is used. */
  last_used?: string | null;
}

export const accessKinds = ['member', 'invitation', 'role', 'key', 'share', 'source', 'connection'] as const;
export type AccessName = (typeof accessKinds)[number];

/** Each subject brings what lets somebody into its part, and the way in which that ends anyhow. */
export interface AccessKind {
  kind: AccessName;
  /** What somebody has to be allowed who takes one away. */
  permission: Permission;
  /** Is its label a person's? It is then kept nowhere but with that person. */
  isOfPerson: boolean;
  /** All of the organisation in force. */
  list(sql: Sql, organisationId: number): Promise<Access[]>;
  /**
   * Takes it away at once, with its act, as the page does that it is managed on.
   * @throws RequestError where that page would refuse, too
   */
  remove(
    sql: Sql,
    organisationId: number,
    id: number,
    request: Parameters<typeof actOf>[0],
    before: unknown,
  ): Promise<void>;
  /** What has to be done outside before, such as a call to a platform; what it gives is handed to `remove`. */
  before?(organisationId: number, id: number): Promise<unknown>;
  /** Once the removal is written: what is kept in memory of it looks again, what hung on it ends. */
  after?(organisationId: number): Promise<void>;
}
