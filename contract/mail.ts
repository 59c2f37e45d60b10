import { z } from 'zod';

/** Mail and notifications as the API speaks of them. Times are ISO 8601 in UTC. */

export const mailLimits = {
  hostCharsMax: 253,
  userCharsMax: 320,
  passwordCharsMax: 500,
  fromCharsMax: 320,
  keyCharsMax: 10_000,
  /** Rows of one answer. */
  sentMax: 100,
  notificationsMax: 50,
} as const;

const plain = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'it has control characters or line breaks');

const tls = z.enum(['starttls', 'implicit']);
const dkimNames = { domain: plain(253), selector: plain(63) };

/** What the operator sets. A secret that is left out stays as it was; to the same account of the same server only. */
export const mailServerInput = z.strictObject({
  host: plain(mailLimits.hostCharsMax).regex(/^[A-Za-z0-9._:-]+$/, 'it is no host name'),
  port: z.number().int().min(1).max(65535),
  tls,
  user: plain(mailLimits.userCharsMax).optional(),
  password: z.string().min(1).max(mailLimits.passwordCharsMax).optional(),
  from: plain(mailLimits.fromCharsMax),
  dkim: z.strictObject({ ...dkimNames, key: z.string().min(1).max(mailLimits.keyCharsMax).optional() }).optional(),
});
export type MailServerInput = z.infer<typeof mailServerInput>;

const states = ['waiting', 'sent', 'failed', 'suppressed', 'unwanted', 'not_sent_mail_off', 'inbox'] as const;
export const mailState = z.enum(states);
export type MailStateName = z.infer<typeof mailState>;

export const mailSettings = z.object({
  is_on: z.boolean(),
  /** `inbox`: a desk for development or a demo, whose mail goes into a page of its own. */
  source: z.enum(['environment', 'app', 'none', 'inbox']),
  /** The server of the environment, which wins. */
  environment: z.object({ host: z.string(), port: z.number(), tls, from: z.string() }).nullable(),
  saved: z
    .object({
      host: z.string(),
      port: z.number(),
      tls,
      user: z.string().nullable(),
      has_password: z.boolean(),
      from: z.string(),
      dkim: z.object(dkimNames).nullable(),
      changed_at: z.string(),
    })
    .nullable(),
  /** `words` are the server's, where the process that answers was told them. */
  trouble: z.object({ at: z.string(), reason: z.string(), words: z.string().nullable() }).nullable(),
  /** Messages of the last seven days by what became of them. */
  counts: z.record(mailState, z.number()),
  /** Not sent because mail was off, with their words still here. */
  kept: z.number(),
});
export type MailSettings = z.infer<typeof mailSettings>;

export const mailTest = z.object({ ok: z.boolean(), answer: z.string(), to: z.string() });
export type MailTest = z.infer<typeof mailTest>;

export const sentMail = z.object({
  mail: z.array(
    z.object({
      id: z.number(),
      template: z.string(),
      kind: z.enum(['service', 'alert', 'report']),
      state: mailState,
      reason: z.string().nullable(),
      /** Null when its key was destroyed. */
      to: z.string().nullable(),
      at: z.string(),
      /** When a waiting message is tried next, otherwise when its state was decided. */
      decided_at: z.string().nullable(),
    }),
  ),
  /** Pass it as `before` for older ones. */
  next: z.number().nullable(),
});
export type SentMail = z.infer<typeof sentMail>;

export const ownSuppressions = z.object({
  suppressions: z.array(
    z.object({
      id: z.number(),
      organisation: z.string().nullable(),
      kind: z.enum(['alert', 'report']).nullable(),
      reason: z.enum(['hard_bounce', 'complaint', 'unsubscribed', 'erasure']),
      at: z.string(),
    }),
  ),
});
export type OwnSuppressions = z.infer<typeof ownSuppressions>;

const inboxHead = {
  id: z.number(),
  to: z.string(),
  subject: z.string(),
  template: z.string(),
  kind: z.string(),
  at: z.string(),
};
export const inboxList = z.object({ messages: z.array(z.object(inboxHead)) });
export type InboxList = z.infer<typeof inboxList>;
export const inboxLetter = z.object({ ...inboxHead, text: z.string(), unsubscribe: z.string().nullable() });
export type InboxLetter = z.infer<typeof inboxLetter>;

export const noticeKinds = ['security', 'documents', 'organisation', 'mail', 'exports', 'imports', 'relay'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

export const notifications = z.object({
  unread: z.number(),
  notifications: z.array(
    z.object({
      id: z.number(),
      kind: z.enum(noticeKinds),
      sentence: z.string(),
      /** A path of this desk. */
      link: z.string().nullable(),
      organisation: z.string().nullable(),
      at: z.string(),
      read: z.boolean(),
    }),
  ),
  next: z.number().nullable(),
});
export type Notifications = z.infer<typeof notifications>;
export const unreadCount = z.object({
  unread: z.number(),
  /** The newest unread word about a document that has changed: it stands over every page until it is read (rule R16). */
  document: z.object({ id: z.number(), sentence: z.string(), link: z.string().nullable() }).nullable(),
});
export type UnreadCount = z.infer<typeof unreadCount>;

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'it is no time such as 22:00');
export const quietHours = z.strictObject({ from: clockTime, until: clockTime, timezone: z.string().min(1).max(64) });
export type QuietHours = z.infer<typeof quietHours>;

export const noticePreferences = z.object({
  quiet: quietHours.nullable(),
  /** Without a mail server nothing comes by mail, whatever is chosen. */
  mail_is_on: z.boolean(),
  kinds: z.array(
    z.object({
      kind: z.enum(noticeKinds),
      in_app: z.boolean(),
      mail: z.boolean(),
      /** Its mail is about the person's own access, and goes out whatever is chosen. */
      mail_fixed: z.boolean(),
    }),
  ),
});
export type NoticePreferences = z.infer<typeof noticePreferences>;

export const noticePreferencesChange = z.strictObject({
  quiet: quietHours.nullable().optional(),
  kinds: z
    .array(z.strictObject({ kind: z.enum(noticeKinds), in_app: z.boolean(), mail: z.boolean() }))
    .max(noticeKinds.length)
    .optional(),
});
export type NoticePreferencesChange = z.infer<typeof noticePreferencesChange>;
