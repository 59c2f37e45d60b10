import type { Letter } from './draw.ts';

/** A message that went into the inbox of a development desk instead of the network. */
export interface InboxMessage {
  id: number;
  to: string;
  template: string;
  kind: string;
  atMs: number;
  letter: Letter;
  /** What its List-Unsubscribe header would say; undefined for service mail. */
  unsubscribe: string | undefined;
}

export interface Inbox {
  /** Newest first. */
  list(): readonly InboxMessage[];
  find(id: number): InboxMessage | undefined;
  take(message: Omit<InboxMessage, 'id'>): void;
}

/** How many are kept: what came before them is forgotten. */
const messagesMax = 200;

/** In memory alone: a message with its words never rests on a disk in clear, and these are for looking at now. */
export function openInbox(): Inbox {
  let messages: InboxMessage[] = [];
  let last = 0;
  return {
    list: () => messages,
    find: (id) => messages.find((message) => message.id === id),
    take(message) {
      messages = [{ ...message, id: ++last }, ...messages].slice(0, messagesMax);
    },
  };
}
