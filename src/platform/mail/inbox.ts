import type { Letter } from './draw.ts';

/** A message that went into the inbox of a development desk instead of the network. */
export interface InboxMessage {
  /** Its number in the outbox: what was written first has the lower one, whichever sender was quicker. */
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
  /** The last written first. */
  list(): readonly InboxMessage[];
  find(id: number): InboxMessage | undefined;
  take(message: InboxMessage): void;
}

/** How many are kept: what came before them is forgotten. */
const messagesMax = 200;

/** In memory alone: a message with its words never rests on a disk in clear, and these are for looking at now. */
export function openInbox(): Inbox {
  let messages: InboxMessage[] = [];
  return {
    list: () => messages,
    find: (id) => messages.find((message) => message.id === id),
    take(message) {
      messages = [message, ...messages].sort((a, b) => b.id - a.id).slice(0, messagesMax);
    },
  };
}
