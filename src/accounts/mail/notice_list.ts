import type { NoticeKind } from '../../../contract/mail.ts';
import { dayText } from '../people/when.ts';

/** One thing that people are told: which kind it is, and its sentence from the facts at hand. */
interface NoticeWords {
  kind: NoticeKind;
  /** @param locale how its reader writes days and numbers */
  sentence(facts: Facts, locale?: string): string;
  /** A mail of kind `alert` goes with it. Not where the act itself sends a service mail. */
  mails?: { subject(facts: Facts): string; button: string };
  /**
   * It is posted to the organisation's address for alerts, with these facts and the organisation and no other: none names a
   * person or is free text of somebody, but for the names of settings.
   */
  posts?: readonly string[];
  /** These are all that its sentence needs, so it is posted whole. */
  postsAll?: true;
}
export type Facts = Readonly<Record<string, string | number>>;

const text = (facts: Facts, name: string) => String(facts[name] ?? '');
/** Things by their number: `1 request`, `2 requests`. */
const counted = (facts: Facts, name: string, one: string, many = `${one}s`) =>
  `${text(facts, name)} ${Number(facts[name]) === 1 ? one : many}`;
const countText = (facts: Facts, name: string, locale = 'en') => Number(facts[name] ?? 0).toLocaleString(locale);

/** Every notice there is. A row keeps its name for ever: notifications of the past are shown by it. */
export const noticeList = {
  new_device: {
    kind: 'security',
    sentence: (facts) =>
      `You signed in with a new device: ${text(facts, 'device')}. If this was not you, end the session and set a new password.`,
  },
  session_copied: {
    kind: 'security',
    sentence: () => 'A session was ended because its token was used twice: somebody may have copied it.',
  },
  second_factor_on: { kind: 'security', sentence: () => 'The second factor of your account was switched on.' },
  second_factor_off: { kind: 'security', sentence: () => 'The second factor of your account was switched off.' },
  password_changed: { kind: 'security', sentence: () => 'The password of your account was changed.' },

  closing_taken_back: {
    kind: 'security',
    sentence: () => 'You signed in, so your account is not closed any more. Everything is as it was.',
  },
  security_alert: { kind: 'security', sentence: (facts) => text(facts, 'what') },
  backup_failed: {
    kind: 'security',
    sentence: (facts) =>
      `The backup of this desk was not made. ${text(facts, 'problem')} It is tried again every hour.`,
    mails: { subject: () => 'The backup of this desk was not made', button: 'See the backups' },
  },
  check_red: { kind: 'security', sentence: (facts) => `A check of this desk turned red. ${text(facts, 'what')}` },

  invitation_accepted: {
    kind: 'organisation',
    sentence: (facts) => `${text(facts, 'who')} accepted your invitation to ${text(facts, 'organisation')}.`,
    mails: {
      subject: (facts) => `${text(facts, 'who')} joined ${text(facts, 'organisation')}`,
      button: 'See the members',
    },
  },
  role_changed: {
    kind: 'organisation',
    sentence: (facts) => `Your role in ${text(facts, 'organisation')} is now ${text(facts, 'role')}.`,
  },
  organisation_suspended: {
    kind: 'organisation',
    sentence: (facts) =>
      `${text(facts, 'organisation')} was suspended: ${text(facts, 'reason').replace(/\.$/, '')}. Nothing is collected meanwhile; exports stay open.`,
  },
  organisation_resumed: {
    kind: 'organisation',
    sentence: (facts) => `${text(facts, 'organisation')} collects again.`,
  },

  document_changed: {
    kind: 'documents',
    sentence: (facts, locale?: string) =>
      `${text(facts, 'organisation')} has published version ${text(facts, 'version')} of its ${text(facts, 'document').toLowerCase()}. It holds from ${dayText(text(facts, 'day'), locale)}.`,
    mails: {
      subject: (facts) =>
        `${text(facts, 'document')} of ${text(facts, 'organisation')}, version ${text(facts, 'version')}`,
      button: 'Read it',
    },
  },
  subprocessor_coming: {
    kind: 'documents',
    sentence: (facts, locale?: string) =>
      `From ${dayText(text(facts, 'day'), locale)} this desk, where ${text(facts, 'organisation')} is, has somebody new who receives data: ${text(facts, 'who')}. You can object until then.`,
    mails: { subject: () => 'Somebody new will receive data of this desk', button: 'See the list' },
  },
  subprocessors_changed: {
    kind: 'documents',
    sentence: (facts, locale?: string) =>
      `The list of those who receive data of this desk, where ${text(facts, 'organisation')} is, has a version ${text(facts, 'version')}, from ${dayText(text(facts, 'day'), locale)}. Nobody is new in it.`,
    mails: { subject: () => 'The list of who receives data of this desk has changed', button: 'See the list' },
  },
  controller_changes: {
    kind: 'documents',
    sentence: (facts, locale?: string) =>
      `From ${dayText(text(facts, 'day'), locale)} ${text(facts, 'who')} is the controller of ${text(facts, 'organisation')}. What was promised about its data goes along; until then it can be withdrawn.`,
    mails: {
      subject: (facts) => `${text(facts, 'organisation')} passes to ${text(facts, 'who')}`,
      button: 'Read who that is',
    },
  },
  controller_stays: {
    kind: 'documents',
    sentence: (facts) =>
      `${text(facts, 'organisation')} does not pass to ${text(facts, 'who')}: the transfer was withdrawn.`,
    mails: {
      subject: (facts) => `${text(facts, 'organisation')} does not pass to ${text(facts, 'who')}`,
      button: 'Read who it is',
    },
  },
  controller_changed: {
    kind: 'documents',
    sentence: (facts) =>
      `${text(facts, 'who')} is the controller of ${text(facts, 'organisation')} from today. ${text(facts, 'documents') === '' ? '' : `These documents have a version that says so: ${text(facts, 'documents')}. `}Others that name the one before are to be published anew.`,
    mails: {
      subject: (facts) => `${text(facts, 'who')} is the controller of ${text(facts, 'organisation')}`,
      button: 'Read who that is',
    },
  },
  relay_silence: {
    kind: 'relay',
    sentence: (facts) =>
      `${text(facts, 'name')} of ${text(facts, 'organisation')} sent ${counted(facts, 'today', 'conversion')} in the last 24 hours, where ${text(facts, 'usual')} a day are usual. Look whether its sender still calls the address.`,
    mails: { subject: (facts) => `No conversions from ${text(facts, 'name')}`, button: 'See the relay' },
    ...{ posts: ['name', 'today', 'usual'], postsAll: true },
  },
  relay_unmapped: {
    kind: 'relay',
    sentence: (facts) =>
      `${text(facts, 'name')} of ${text(facts, 'organisation')} has ${counted(facts, 'requests', 'request')} that its mapping could not read. What does not map is kept for seven days, and taken once the mapping is right.`,
    mails: {
      subject: (facts) => `Requests to ${text(facts, 'name')} do not fit its mapping`,
      button: 'See the relay',
    },
    ...{ posts: ['name', 'requests'], postsAll: true },
  },
  relay_dead: {
    kind: 'relay',
    sentence: (facts) =>
      `${text(facts, 'name')} of ${text(facts, 'organisation')} did not take ${text(facts, 'count')} of ${text(facts, 'all')} conversions of the last 24 hours. The reasons stand with each of them; they can be sent again.`,
    mails: { subject: (facts) => `${text(facts, 'name')} refuses conversions`, button: 'See the relay' },
    ...{ posts: ['name', 'count', 'all'], postsAll: true },
  },
  relay_withheld: {
    kind: 'relay',
    sentence: (facts) =>
      `From ${text(facts, 'name')} of ${text(facts, 'organisation')} ${text(facts, 'count')} of ${text(facts, 'all')} conversions of the last 24 hours were withheld, more than is usual. Look whether their sender still says what visitors agreed to.`,
    mails: { subject: (facts) => `Conversions are withheld from ${text(facts, 'name')}`, button: 'See the relay' },
    ...{ posts: ['name', 'count', 'all'], postsAll: true },
  },
  relay_match: {
    kind: 'relay',
    sentence: (facts) =>
      `Of ${text(facts, 'name')} of ${text(facts, 'organisation')} ${text(facts, 'today')} % of the conversions had an address or a number in the last 24 hours, where ${text(facts, 'usual')} % are usual: platforms will find fewer people by them.`,
    mails: { subject: (facts) => `${text(facts, 'name')} sends fewer identifiers`, button: 'See the relay' },
    ...{ posts: ['name', 'today', 'usual'], postsAll: true },
  },
  relay_late: {
    kind: 'relay',
    sentence: (facts) =>
      `The oldest conversion that waits for ${text(facts, 'name')} of ${text(facts, 'organisation')} is ${text(facts, 'hours')} hours old, and after ${text(facts, 'limit')} hours it is not taken any more.`,
    mails: {
      subject: (facts) => `Conversions for ${text(facts, 'name')} are getting too old`,
      button: 'See the relay',
    },
    ...{ posts: ['name', 'hours', 'limit'], postsAll: true },
  },
  relay_stopped: {
    kind: 'relay',
    sentence: (facts) =>
      `Nothing is sent to ${text(facts, 'name')} of ${text(facts, 'organisation')}: ${text(facts, 'state') === 'reconnect' ? 'its access is not good any more, connect it again' : 'the platform does not accept how it is set up'}${text(facts, 'reason') === '' ? '' : ` (${text(facts, 'reason')})`}. What is to be sent waits meanwhile.`,
    mails: { subject: (facts) => `Nothing is sent to ${text(facts, 'name')}`, button: 'See the relay' },
    ...{ posts: ['name', 'state', 'reason'], postsAll: true },
  },
  credits_low: {
    kind: 'relay',
    sentence: (facts, locale?: string) =>
      `${text(facts, 'organisation')} has ${countText(facts, 'left', locale)} ${Number(facts.left) === 1 ? 'credit' : 'credits'} left, which is less than its deliveries used in the last seven days. When none is left, conversions wait and are sent once credits are added.`,
    mails: {
      subject: (facts) => `${text(facts, 'organisation')} is running low on credits`,
      button: 'See the credits',
    },
  },
  credits_out: {
    kind: 'relay',
    sentence: (facts) =>
      `${text(facts, 'organisation')} has no credits left. Conversions are still taken in and wait; they are sent once credits are added, as long as their platforms take them by their age.`,
    mails: { subject: (facts) => `${text(facts, 'organisation')} has no credits left`, button: 'See the credits' },
  },
  hold_review_due: {
    kind: 'security',
    sentence: (facts, locale?: string) =>
      `The legal hold ${text(facts, 'hold')} of ${text(facts, 'organisation')} on ${text(facts, 'what')} is to be looked at by ${dayText(text(facts, 'review_on'), locale)}: keep it until another day, or release it. Until then it stays in force.`,
    mails: { subject: (facts) => `The legal hold ${text(facts, 'hold')} is to be looked at`, button: 'See the holds' },
    ...{ posts: ['hold', 'review_on'] },
  },
  access_review_due: {
    kind: 'security',
    sentence: (facts, locale?: string) =>
      `The review of access of ${text(facts, 'organisation')} for ${text(facts, 'quarter')} is due by ${dayText(text(facts, 'day'), locale)}: confirm or remove each member, role, key and shared page.`,
    mails: {
      subject: (facts) => `Who has access to ${text(facts, 'organisation')}? The review of ${text(facts, 'quarter')}`,
      button: 'Review access',
    },
    ...{ posts: ['quarter', 'day'], postsAll: true },
  },
  access_review_overdue: {
    kind: 'security',
    sentence: (facts, locale?: string) =>
      `The review of access of ${text(facts, 'organisation')} for ${text(facts, 'quarter')} was due on ${dayText(text(facts, 'day'), locale)} and is not done. Proof shows it red until it is.`,
    mails: {
      subject: (facts) => `The review of access of ${text(facts, 'organisation')} is overdue`,
      button: 'Review access',
    },
    ...{ posts: ['quarter', 'day'], postsAll: true },
  },
  incident_due: {
    kind: 'security',
    sentence: (facts) =>
      `Incident ${text(facts, 'incident')} of ${text(facts, 'organisation')} (${text(facts, 'title')}) is not decided: ${counted(facts, 'hours', 'hour is', 'hours are')} left to tell the authority, or to say why none has to be told.`,
    mails: {
      subject: (facts) => `${counted(facts, 'hours', 'hour')} left for incident ${text(facts, 'incident')}`,
      button: 'See the incident',
    },
    ...{ posts: ['incident', 'hours'] },
  },
  incident_overdue: {
    kind: 'security',
    sentence: (facts) =>
      `The 72 hours of incident ${text(facts, 'incident')} of ${text(facts, 'organisation')} (${text(facts, 'title')}) are over, and nobody has said whether an authority was told. Tell it now, and say why it is late.`,
    mails: {
      subject: (facts) => `The 72 hours of incident ${text(facts, 'incident')} are over`,
      button: 'See the incident',
    },
    ...{ posts: ['incident'] },
  },
  concern_came: {
    kind: 'security',
    sentence: (facts) =>
      `Somebody reported a concern to ${text(facts, 'organisation')} by the form; ${text(facts, 'concerns')} came since you were last told. Say whether it is an incident.`,
    mails: { subject: (facts) => `A concern was reported to ${text(facts, 'organisation')}`, button: 'Read it' },
    ...{ posts: ['concerns'], postsAll: true },
  },
  request_came: {
    kind: 'organisation',
    sentence: (facts, locale?: string) =>
      `Request ${text(facts, 'request')} of a data subject (${text(facts, 'kind')}) came to ${text(facts, 'organisation')} and has to be answered by ${dayText(text(facts, 'day'), locale)}.`,
    mails: {
      subject: (facts) => `Request ${text(facts, 'request')} of a data subject came`,
      button: 'Open the request',
    },
    ...{ posts: ['request', 'kind', 'day'], postsAll: true },
  },
  request_due: {
    kind: 'organisation',
    sentence: (facts, locale?: string) =>
      `Request ${text(facts, 'request')} of a data subject (${text(facts, 'kind')}) at ${text(facts, 'organisation')} has to be answered by ${dayText(text(facts, 'day'), locale)}.`,
    mails: { subject: (facts) => `Request ${text(facts, 'request')} is due soon`, button: 'Open the requests' },
    ...{ posts: ['request', 'kind', 'day'], postsAll: true },
  },
  request_overdue: {
    kind: 'organisation',
    sentence: (facts, locale?: string) =>
      `Request ${text(facts, 'request')} of a data subject (${text(facts, 'kind')}) at ${text(facts, 'organisation')} was due on ${dayText(text(facts, 'day'), locale)} and is not answered.`,
    mails: { subject: (facts) => `Request ${text(facts, 'request')} is overdue`, button: 'Open the requests' },
    ...{ posts: ['request', 'kind', 'day'], postsAll: true },
  },

  site_renamed: {
    kind: 'organisation',
    sentence: (facts) =>
      `${text(facts, 'who')} renamed ${text(facts, 'before')} to ${text(facts, 'site')}. What still names the old domain is counted.`,
  },
  site_former_domain_removed: {
    kind: 'organisation',
    sentence: (facts) =>
      `${text(facts, 'who')} let ${text(facts, 'before')} go: what still names it is no longer counted for ${text(facts, 'site')}.`,
  },
  site_emptied: {
    kind: 'organisation',
    sentence: (facts) => `Everything that was collected of ${text(facts, 'site')} was removed. It goes on collecting.`,
  },
  site_deleting: {
    kind: 'organisation',
    sentence: (facts, locale?: string) =>
      `${text(facts, 'who')} deleted ${text(facts, 'site')}. It collects nothing any more, and its numbers go on ${dayText(text(facts, 'day'), locale)}.`,
  },
  site_kept: {
    kind: 'organisation',
    sentence: (facts) =>
      `${text(facts, 'who')} took the deletion of ${text(facts, 'site')} back. It collects again; nothing was removed.`,
  },
  site_deleted: {
    kind: 'organisation',
    sentence: (facts) => `${text(facts, 'site')} is deleted, with everything that was collected of it.`,
  },
  site_moved: {
    kind: 'organisation',
    sentence: (facts) =>
      `${text(facts, 'site')} moved to ${text(facts, 'to')}. Nobody of ${text(facts, 'from')} reaches it any more.`,
  },
  site_received: {
    kind: 'organisation',
    sentence: (facts) => `${text(facts, 'site')} moved here from ${text(facts, 'from')}.`,
  },

  alerts_not_taken: {
    kind: 'organisation',
    sentence: (facts, locale?: string) =>
      `The address at ${text(facts, 'host')} to which alerts of ${text(facts, 'organisation')} are posted has taken none since ${dayText(text(facts, 'day'), locale)} (${text(facts, 'why')}). Each is tried ten times over three days.`,
    mails: {
      subject: (facts) => `Alerts of ${text(facts, 'organisation')} do not arrive at ${text(facts, 'host')}`,
      button: 'See the alerts',
    },
  },
  connection_ended: {
    kind: 'organisation',
    sentence: (facts) =>
      `The connection ${text(facts, 'connection')} (${text(facts, 'platform')}) of ${text(facts, 'organisation')} has to be authorised again: ${text(facts, 'why')}. What waits to be sent there waits.`,
    mails: {
      subject: (facts) => `${text(facts, 'platform')} of ${text(facts, 'organisation')} has to be authorised again`,
      button: 'Authorise it again',
    },
    ...{ posts: ['platform'] },
  },
  connection_paused: {
    kind: 'organisation',
    sentence: (facts) =>
      `The connection ${text(facts, 'connection')} (${text(facts, 'platform')}) of ${text(facts, 'organisation')} is paused: ${text(facts, 'why')}. Nothing is sent there until somebody authorises it again.`,
    mails: {
      subject: (facts) => `${text(facts, 'platform')} of ${text(facts, 'organisation')} is paused`,
      button: 'Authorise it again',
    },
    ...{ posts: ['platform'] },
  },
  connection_ending: {
    kind: 'organisation',
    sentence: (facts) =>
      `The connection ${text(facts, 'connection')} (${text(facts, 'platform')}) of ${text(facts, 'organisation')} ends in ${text(facts, 'days')}. Authorise it again before, and nothing has to wait.`,
    mails: {
      subject: (facts) => `${text(facts, 'platform')} of ${text(facts, 'organisation')} ends in ${text(facts, 'days')}`,
      button: 'Authorise it again',
    },
    ...{ posts: ['platform', 'days'] },
  },

  mail_refused: {
    kind: 'mail',
    sentence: (facts) =>
      `The mail server does not take mail of this desk (${text(facts, 'reason').replaceAll('_', ' ')}). Messages wait and are tried again.`,
  },

  export_ready: {
    kind: 'exports',
    sentence: (facts) =>
      `The export of ${text(facts, 'site')} is ready. Its file is kept for ${text(facts, 'days')} days.`,
    mails: { subject: (facts) => `Your export of ${text(facts, 'site')} is ready`, button: 'Open the exports' },
  },
  export_failed: {
    kind: 'exports',
    sentence: (facts) => `The export of ${text(facts, 'site')} failed. ${text(facts, 'reason')}`.trim(),
    mails: { subject: (facts) => `Your export of ${text(facts, 'site')} failed`, button: 'Open the exports' },
  },
  archive_ready: {
    kind: 'exports',
    sentence: (facts) =>
      `The archive of ${text(facts, 'organisation')} is ready. Its file is kept for ${text(facts, 'days')} days.`,
    mails: { subject: (facts) => `The archive of ${text(facts, 'organisation')} is ready`, button: 'Fetch it' },
  },
  archive_failed: {
    kind: 'exports',
    sentence: (facts) => `The archive of ${text(facts, 'organisation')} was not made. ${text(facts, 'reason')}`.trim(),
    mails: { subject: (facts) => `The archive of ${text(facts, 'organisation')} was not made`, button: 'Try again' },
  },
  import_done: {
    kind: 'imports',
    sentence: (facts) => `The import into ${text(facts, 'site')} is done.`,
    mails: { subject: (facts) => `Your import into ${text(facts, 'site')} is done`, button: 'Open the imports' },
  },
  import_failed: {
    kind: 'imports',
    sentence: (facts) => `The import into ${text(facts, 'site')} failed. ${text(facts, 'reason')}`.trim(),
    mails: { subject: (facts) => `Your import into ${text(facts, 'site')} failed`, button: 'Open the imports' },
  },
} as const satisfies Record<string, NoticeWords>;

export type NoticeName = keyof typeof noticeList;

export function wordsOf(name: string): NoticeWords | undefined {
  return Object.hasOwn(noticeList, name) ? noticeList[name as NoticeName] : undefined;
}
