import type { Sql } from '../postgres/index.ts';

/** A part of a message; each is drawn as HTML and as text. */
export type MailBlock =
  | { kind: 'text'; text: string }
  | { kind: 'button'; label: string; href: string }
  | { kind: 'code'; text: string }
  | { kind: 'facts'; rows: readonly (readonly [string, string])[] }
  | { kind: 'table'; heads: readonly string[]; rows: readonly (readonly string[])[] }
  | { kind: 'picture'; png: Buffer; alt: string; width: number; height: number }
  | { kind: 'note'; text: string };

/** What a kind of message says; the values are what the caller knows at the moment of the act. */
export interface MailTemplate<Values> {
  name: string;
  /**
   * `service` is about the person's own access and cannot be turned off (MAI-01); `alert` and `report` can be, each by
   * one click; nothing here is marketing.
   */
  kind: 'service' | 'alert' | 'report';
  write(values: Values): { subject: string; blocks: MailBlock[] };
}

export interface Message<Values> {
  template: MailTemplate<Values>;
  to: string;
  values: Values;
  /** Whom it is to, when it is somebody who has an account: they see it in their list of sent mail. */
  personId?: number;
  /** On whose behalf, if any. */
  organisationId?: number;
}

export interface Mail {
  /** Puts a message into the outbox in the caller's transaction: it goes out when that commits, and not without. */
  send<Values>(sql: Sql, message: Message<Values>): Promise<void>;
  /** Is there a server to send through? Pages say so where there is none, and show links to copy. */
  isOn(): Promise<boolean>;
  /** The address of a page of this desk, by FAIRLEAD_PUBLIC_URL and never by what a request says. */
  link(path: string): string;
}
