import type { Sql } from './postgres/index.ts';

/** One thing that people are told: its words are in the list of notices. */
export interface Reminded<Name extends string> {
  name: Name;
  facts: Readonly<Record<string, string | number>>;
  /** A path of this desk. */
  link: string;
}

/** What a subject has told by the clock, in each organisation. */
export interface Reminder<Name extends string> {
  /** Who hears of it: built-in roles only, since a custom role may look and have nothing to do with it. */
  roles: readonly string[];
  /**
   * Finds what is due and marks it as told. What is told stands in the same transaction, so that neither a kill nor a second
   * process makes two of it.
   */
  due(sql: Sql, organisation: { id: number; name: string; slug: string }): Promise<readonly Reminded<Name>[]>;
  /** Called for an organisation that could not be looked at; the others are all the same. */
  onFailed(organisationId: number, error: unknown): void;
}

/** How people are told; the accounts bring it. */
export type Remind<Name extends string> = (reminder: Reminder<Name>) => Promise<void>;

/**
 * Tells whoever has one of these built-in roles, and the address for alerts that the organisation has set, in the transaction of what
 * happened; the accounts bring it.
 */
export type TellRoles<Name extends string> = (
  sql: Sql,
  organisationId: number,
  roles: readonly string[],
  notices: readonly Reminded<Name>[],
) => Promise<void>;

/** Tells one person, in the transaction of what happened; the accounts bring it. */
export type Tell<Name extends string> = (
  sql: Sql,
  personId: number,
  notice: Reminded<Name> & { organisationId: number },
) => Promise<void>;
