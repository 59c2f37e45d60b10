import type {
  Connection,
  ConnectionOffer,
  ConnectionsAnswer,
  connectionAccounts,
  connectionTargets,
  DisconnectionPreview,
} from '../../contract/connections.ts';
import { pastedPlatforms } from '../../contract/destinations.ts';
import {
  noEnhancedLeads,
  notEnabled,
  oncePerClick,
  permissionMissing,
  termsMissing,
} from '../../src/providers/problems.ts';

type ConnectionAccounts = (typeof connectionAccounts)['_zod']['output'];
type ConnectionTargets = (typeof connectionTargets)['_zod']['output'];

const dayMs = 86_400_000;
const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();

const one = (of: Pick<Connection, 'id' | 'provider' | 'label'> & Partial<Connection>): Connection => ({
  ...{ kind: 'oauth', state: 'connected', reason: null, scopes: [], accounts: [], created_at: at(-40), created_by: 1 },
  ...{ authorised_at: at(-40), refreshed_at: null, expires_at: null, trouble: null, renews: true },
  ...of,
});

const connections: Connection[] = [
  one({
    ...{ id: 6, provider: 'linkedin', label: 'LinkedIn Ads', state: 'needs_attention', reason: 'revoked' },
    ...{ scopes: ['rw_conversions', 'r_ads'], accounts: [{ id: '512345678', name: 'Cedar & Loom' }] },
    trouble: { class: 'auth', answer: 'invalid_grant', at: at(-1) },
  }),
  one({
    ...{ id: 5, provider: 'google', label: 'Google Ads', refreshed_at: at(-0.01) },
    scopes: ['https://www.googleapis.com/auth/datamanager'],
  }),
  one({
    ...{ id: 4, provider: 'meta', label: 'Meta, shop in Europe', expires_at: at(23), refreshed_at: at(-0.4) },
    ...{ scopes: ['ads_read', 'ads_management'] },
    accounts: [
      { id: '10211', name: 'Cedar & Loom EU' },
      { id: '10212', name: 'Cedar & Loom, wholesale' },
    ],
  }),
  one({
    ...{ id: 3, provider: 'microsoft', label: 'Microsoft Advertising', expires_at: at(6), refreshed_at: at(-84) },
    scopes: ['https://ads.microsoft.com/msads.manage'],
    trouble: { class: 'retry', answer: 'http_502', at: at(-0.02) },
  }),
  one({ ...{ id: 2, provider: 'snap', label: 'Snapchat Ads', kind: 'pasted', renews: false } }),
  one({
    ...{ id: 1, provider: 'webhook', label: 'Till of the shop', kind: 'pasted', renews: false },
    ...{ state: 'disconnected', reason: 'by_hand' },
  }),
];

const scope = (id: string, label: string, why: string, first: boolean) => ({ id, label, why, first });
const offer = (
  provider: ConnectionOffer['provider'],
  label: string,
  more: Partial<ConnectionOffer>,
): ConnectionOffer => ({ provider, label, oauth: null, pasted: null, ...more });
const oauth = (name: string, scopes: ReturnType<typeof scope>[], isSetUp = true) => ({
  ...{ is_set_up: isSetUp, scopes, lists_accounts: true },
  variables: [`FAIRLEAD_${name}_CLIENT_ID`, `FAIRLEAD_${name}_CLIENT_SECRET`],
});
const pasted = (what: string, where: string) => ({ pasted: { what, where } });
const pixel = 'Events manager, the pixel, "Conversions API"';

const offers: ConnectionOffer[] = [
  offer('google', 'Google Ads', {
    oauth: oauth('GOOGLE', [
      scope('datamanager', 'Send conversions', 'Sends conversions by the Data Manager API. It reads nothing.', true),
      scope('adwords', 'Read accounts and campaigns', 'Lists accounts and conversion actions.', false),
    ]),
  }),
  offer('meta', 'Meta', {
    oauth: oauth('META', [
      scope(
        'ads_read',
        'Read accounts and insights',
        'Lists ad accounts and pixels, and reads what campaigns cost.',
        true,
      ),
      scope('ads_management', 'Send conversions', 'Sends conversions to the pixels of the account.', false),
    ]),
    ...pasted('access token of the Conversions API', 'Events Manager, the dataset, Settings, "Generate access token"'),
  }),
  offer('linkedin', 'LinkedIn Ads', {
    oauth: oauth('LINKEDIN', [
      scope('rw_conversions', 'Send conversions', 'Sends conversions to the rules of an account.', true),
      scope('r_ads', 'Read accounts', 'Lists ad accounts; LinkedIn wants it for sending, too.', true),
    ]),
  }),
  offer('microsoft', 'Microsoft Advertising', {
    oauth: oauth('MICROSOFT', [scope('ads', 'Read accounts and campaigns', 'Lists accounts and UET tags.', true)]),
    ...pasted('access token of the UET tag', 'Tools, UET tag, "Conversions API"'),
  }),
  offer('tiktok', 'TikTok Ads', {
    oauth: oauth('TIKTOK', [scope('app', 'What the app may do', 'What was chosen for the app.', true)], false),
    ...pasted('access token of the Events API', pixel),
  }),
  ...pastedPlatforms.map(({ id, platform, what, where }) => offer(id, platform, pasted(what, where))),
];

/** Connections in every state; a new organisation has none, and nobody has set up a platform for it. */
export function connectionsOf(
  path: string,
  isEmpty: boolean,
): ConnectionsAnswer | DisconnectionPreview | ConnectionAccounts | ConnectionTargets | undefined {
  const [, id, list] = /\/connections\/(\d+)\/(accounts|targets)$/.exec(path) ?? [];
  if (list === 'accounts')
    return {
      accounts: ['Cedar & Loom', 'Cedar & Loom, wholesale'].map((name, place) => ({
        ...{ id: String(1_234_567_890 + place), name, currency: 'EUR', timezone: 'Europe/Berlin' },
        ...{ through: id === '5' ? '9876543210' : null, problems: [] },
      })),
      left_off: 0,
    };
  if (list === 'targets')
    return {
      problems:
        id === '5' ? [termsMissing('Google Ads, Goals, Settings'), noEnhancedLeads()] : [permissionMissing('x')],
      targets: [
        { id: '42', name: 'Purchase, shop', problems: [oncePerClick()] },
        { id: '43', name: 'Lead', problems: [] },
        { id: '44', name: 'Purchase, old', problems: [notEnabled('conversion action')] },
      ],
      left_off: 0,
    };
  if (/\/connections\/\d+\/disconnection$/.test(path))
    return { revokes: true, cancels: [{ what: 'queued sends', count: 1_204 }] };
  if (!/^\/api\/organisations\/[^/]+\/connections$/.test(path)) return undefined;
  if (!isEmpty) return { connections, offers };
  return {
    connections: [],
    offers: offers.map((each) => ({
      ...each,
      oauth: each.oauth === null ? null : { ...each.oauth, is_set_up: false },
    })),
  };
}
