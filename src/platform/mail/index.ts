export { mailExecutor } from './ageing.ts';
export { bounceBytesMax } from './bounce.ts';
export { drawLetter, type Letter } from './draw.ts';
export { mailHolder } from './holder.ts';
export type { Inbox, InboxMessage } from './inbox.ts';
export type { Advice, DueMessage, Mail, MailBlock, MailKind, MailState, MailTemplate, Message } from './message.ts';
export { type MailOffice, openMail } from './open.ts';
export { letterPage, letterPageHeaders } from './page.ts';
export type { MailServer, SavedServer, ServerChange } from './server.ts';
export { registeredTransport } from './transport.ts';

export const mailMigrations = new URL('./migrations/', import.meta.url);
