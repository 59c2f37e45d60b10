export type { Mail, MailBlock, MailTemplate, Message } from './message.ts';
export { openMail } from './open.ts';
