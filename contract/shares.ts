import { z } from 'zod';
import { words } from './api.ts';

/** What shares of a site may be: how many, how long, how often looked at. */
export const shareLimits = {
  perSiteMax: 50,
  nameCharsMax: 80,
  hostsMax: 20,
  hostCharsMax: 253,
  passwordCharsMin: 8,
  passwordCharsMax: 200,
  /** How long who gave the password is not asked for it again. */
  sessionHours: 12,
  /** Numbers of one share and period are asked for once in so many seconds, however many look. */
  freshSeconds: 30,
  /** Views of one share in a minute; what is beyond gets 429. */
  viewsPerMinuteMax: 600,
} as const;

/** `public`: whoever has the link. `password`: and knows the word. `widget`: shown inside pages of the hosts it names. */
export const shareKinds = ['public', 'password', 'widget'] as const;
export type ShareKind = (typeof shareKinds)[number];

/** What can be shown, in the order in which it is shown. Each stands for questions that the server alone writes. */
export const sharePanels = [
  'totals',
  'revenue',
  'series',
  'channels',
  'sources',
  'campaigns',
  'pages',
  'entry_pages',
  'exit_pages',
  'goals',
  'countries',
  'cities',
  'devices',
  'browsers',
  'systems',
] as const;
export type SharePanel = (typeof sharePanels)[number];

/** What fits into a widget. */
export const widgetPanels = ['totals', 'series'] as const satisfies readonly SharePanel[];

/** The periods that a viewer can be offered; they mean what they mean on the overview. */
export const sharePeriods = ['today', '7d', '28d', '90d', 'mtd', '12mo'] as const;
export type SharePeriod = (typeof sharePeriods)[number];

export const share = z.object({
  id: z.number().int(),
  name: z.string(),
  kind: z.enum(shareKinds),
  panels: z.array(z.enum(sharePanels)),
  /** The first is shown when the link is opened. */
  periods: z.array(z.enum(sharePeriods)),
  /** Hosts whose pages may show a widget; empty for the other kinds. */
  hosts: z.array(z.string()),
  /** The last day, in the zone of the site, on which the link opens; null: until it is revoked. */
  expires_on: z.string().nullable(),
  expired: z.boolean(),
  created_at: z.string(),
  /** When the link that opens it now was made. */
  link_made_at: z.string(),
  /** E-mail address of a colleague; null when they are none any more. */
  created_by: z.string().nullable(),
  views_30_days: z.number().int(),
  /** Day in the zone of the site; null: never. */
  last_opened_on: z.string().nullable(),
});
export type Share = z.infer<typeof share>;

/** GET /api/sites/:domain/shares */
export const shareList = z.object({ shares: z.array(share), limits: z.object({ shares: z.number().int() }) });
export type ShareList = z.infer<typeof shareList>;

const day = z.iso.date();
const name = words(shareLimits.nameCharsMax);
const panels = z.array(z.enum(sharePanels)).min(1).max(sharePanels.length);
const periods = z.array(z.enum(sharePeriods)).min(1).max(sharePeriods.length);
const password = z.string().min(shareLimits.passwordCharsMin).max(shareLimits.passwordCharsMax);
const hosts = z.array(z.string().trim().min(1).max(shareLimits.hostCharsMax)).max(shareLimits.hostsMax);

/** POST /api/sites/:domain/shares. `password` with the kind of that name, `hosts` with a widget, and not otherwise. */
export const newShare = z.strictObject({
  name,
  kind: z.enum(shareKinds),
  panels,
  periods,
  expires_on: day.optional(),
  password: password.optional(),
  hosts: hosts.optional(),
});
/**
 * PATCH /api/sites/:domain/shares/:id. A page becomes one with a password by `password`, and a public one by null; its
 * link stays. A widget stays a widget, since its link is another.
 */
export const shareChange = z.strictObject({
  name: name.optional(),
  panels: panels.optional(),
  periods: periods.optional(),
  expires_on: day.nullable().optional(),
  password: password.nullable().optional(),
  hosts: hosts.optional(),
});
export type ShareChange = z.infer<typeof shareChange>;
/** The link is said in this answer and never again: the desk keeps a digest of it. */
export const madeShare = z.object({ share, link: z.string() });
export type MadeShare = z.infer<typeof madeShare>;

/** GET /api/sites/:domain/share-preview: a page of HTML, as the viewer of such a share gets it. */
export const sharePreviewQuestion = z.strictObject({
  kind: z.enum(shareKinds),
  panels: z.string().max(400),
  periods: z.string().max(100),
  theme: z.enum(['light', 'dark']).optional(),
});
