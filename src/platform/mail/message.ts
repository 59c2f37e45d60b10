import type { Sql } from '../postgres/index.ts';
import type { Letter } from './draw.ts';
import type { Inbox } from './inbox.ts';
import type { MailServers } from './server.ts';
import type { Suppressions } from './suppression.ts';

/** A part of a message; each is drawn as HTML and as text. */
export type MailBlock =
  | { kind: 'text'; text: string }
  | { kind: 'button'; label: string; href: string }
  | { kind: 'code'; text: string }
  | { kind: 'facts'; rows: readonly (readonly [string, string])[] }
  | { kind: 'table'; heads: readonly string[]; rows: readonly (readonly string[])[] }
  /** `words` say what it shows; they stand below it, and in its place. */
  | { kind: 'picture'; png: Buffer; words: string; width: number; height: number }
  /** `link` stands behind the words. Addresses in the words themselves are not made links: people may have written them. */
  | { kind: 'note'; text: string; link?: { label: string; href: string } };

export type MailKind = 'service' | 'alert' | 'report';

/** What a kind of message says; the values are what the caller knows at the moment of the act. */
export interface MailTemplate<Values> {
  /** Lower case with underscores: `new_device`. People see it in their list of sent mail, by its words in the pages. */
  name: string;
  /**
   * `service` is about the person's own access and cannot be turned off (MAI-01); `alert` and `report` can be, each by
   * one click; nothing here is marketing.
   */
  kind: MailKind;
  /** The law requires it (a breach, a material change of terms): goes to suppressed addresses as well (MAI-04). */
  isRequired?: true;
  /** @param locale how its reader writes days, times and numbers; where it is not said, as the desk does */
  write(values: Values, locale?: string): { subject: string; blocks: MailBlock[] };
}

export interface Message<Values> {
  template: MailTemplate<Values>;
  to: string;
  values: Values;
  /** The locale of the reader's account. */
  locale?: string | null;
  /** Whom it is to, when it is somebody who has an account: they see it in their list of sent mail. */
  personId?: number;
  /** On whose behalf, if any. */
  organisationId?: number;
}

/** What may be known of a message when its moment comes: nothing of its words. */
export interface DueMessage {
  template: string;
  kind: MailKind;
  personId: number | undefined;
  organisationId: number | undefined;
}

/** What whoever knows the reader says about a message that is due: now, later, or not at all. */
export type Advice = 'send' | { waitUntilMs: number } | { unwanted: string };

export interface Mail {
  /** Puts a message into the outbox in the caller's transaction: it goes out when that commits, and not without. */
  send<Values>(sql: Sql, message: Message<Values>): Promise<void>;
  /** What `send` would send, and sends nothing: for a look at a message in the app. */
  letter<Values>(
    sql: Sql,
    message: Pick<Message<Values>, 'template' | 'to' | 'values' | 'organisationId' | 'locale'>,
  ): Promise<Letter>;
  /** Is there a server to send through? Pages say so where there is none, and show links to copy. */
  isOn(): Promise<boolean>;
  /** The address of a page of this desk, by FAIRLEAD_PUBLIC_URL and never by what a request says. */
  link(path: string): string;
  /** Who is asked before an alert or a report leaves. One adviser; a second takes the place of the first. */
  consult(adviser: (message: DueMessage) => Promise<Advice>): void;
  /** The server that it goes through, and what is in the way. */
  servers: MailServers;
  /** Whom not to write to, and the links that say so. */
  suppressions: Suppressions;
  /** What would have been sent, on a desk for development or a demo; undefined everywhere else. */
  inbox: Inbox | undefined;
  /** How messages of the last days ended, and how many wait. */
  counts(): Promise<MailCounts>;
  /** Sends after all what was not sent while mail was off, as far as its words are kept. @returns how many messages */
  release(): Promise<number>;
  /**
   * Reads a delivery report that came back to the sender. A mailbox that is not there gets nothing more, if the report
   * quotes a message that was sent to it; otherwise anybody could end somebody's mail with a report of their own.
   * @returns how many readers it names, how many are suppressed now, and how many it does not show to be ours
   */
  bounced(report: string): Promise<{ readers: number; suppressed: number; unknown: number }>;
  /** Opens the address of a message that the asker may see. @returns undefined when its key is gone */
  address(message: { name: string; address: Buffer }): Promise<string | undefined>;
}

export const mailStates = [
  'waiting',
  'sent',
  'failed',
  'suppressed',
  'unwanted',
  'not_sent_mail_off',
  'inbox',
] as const;
export type MailState = (typeof mailStates)[number];

/** Messages by what became of them, of the last seven days. */
export interface MailCounts {
  states: Record<MailState, number>;
  /** How many of those that were not sent because mail is off still have their words. */
  kept: number;
}
