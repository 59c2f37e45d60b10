import type { Examples } from './example.ts';

/** The server that the example names is nobody's: 203.0.113.0/24 is for documents. */
const newServer = () => ({
  host: 'mail.desk.example',
  port: 587,
  tls: 'starttls',
  from: 'Fairlead <desk@desk.example>',
});

export const examples: Examples = ({ server, organisation, people, call }) => {
  const suppressions = () => server().desk.house.mail.suppressions;
  const token = (of: number | undefined, to: string, kind: 'alert' | 'report') =>
    suppressions().token({ organisationId: of, digest: suppressions().digest(to), kind });
  const unsubscribe = () => `/api/mail/unsubscribe/${token(organisation(), 'reader@shop.example', 'report')}`;
  const forget = () => call('DELETE', '/api/mail/server', people.owner);
  /** Of the owner, whose own list it is: to everybody else it is a number of nothing. */
  const ended = async () => {
    await call('POST', `/api/mail/unsubscribe/${token(undefined, 'owner@shop.example', 'alert')}`, {});
    return (await suppressions().of('owner@shop.example'))[0]?.id;
  };
  return {
    'GET /api/mail/settings': { path: () => '/api/mail/settings', status: 200 },
    'PUT /api/mail/server': {
      path: () => '/api/mail/server',
      body: newServer,
      status: 200,
      badValues: [
        ['host', ''],
        ['host', 'mail.example\r\nx'],
        ['host', 'a b'],
        ['port', 0],
        ['port', 65_536],
        ['port', 25.5],
        ['tls', 'none'],
        ['from', 'nobody'],
        ['from', 'Desk <desk@desk.example>\r\nBcc: thief@rival.example'],
        ['user', ''],
        ['password', ''],
        ['dkim', { domain: 'desk.example', selector: 'a', key: 'no key' }],
        ['dkim', { domain: 'desk.example' }],
      ],
    },
    'DELETE /api/mail/server': { path: () => '/api/mail/server', status: 204 },
    // The desk of the test has no server by then.
    'POST /api/mail/tests': {
      path: async () => {
        await forget();
        return '/api/mail/tests';
      },
      body: () => ({}),
      status: 409,
    },
    'POST /api/mail/releases': {
      path: async () => {
        await forget();
        return '/api/mail/releases';
      },
      body: () => ({}),
      status: 409,
    },
    'GET /api/mail/sent': {
      path: () => '/api/mail/sent',
      status: 200,
      own: true,
      badParams: [
        ['/api/mail/sent?before=yesterday', 'before'],
        ['/api/mail/sent?before=0', 'before'],
      ],
    },
    'GET /api/mail/suppressions': { path: () => '/api/mail/suppressions', status: 200, own: true },
    'DELETE /api/mail/suppressions/:id': {
      path: async () => `/api/mail/suppressions/${await ended()}`,
      status: 204,
      own: true,
      badParams: [['/api/mail/suppressions/first', 'id']],
    },
    'GET /api/mail/unsubscribe/:token': { path: () => unsubscribe(), status: 200 },
    'POST /api/mail/unsubscribe/:token': { path: () => unsubscribe(), status: 200 },
    'GET /api/notifications': {
      path: () => '/api/notifications',
      status: 200,
      own: true,
      badParams: [['/api/notifications?unread=maybe', 'unread']],
    },
    'GET /api/notifications/count': { path: () => '/api/notifications/count', status: 200, own: true },
    'POST /api/notifications/readings': {
      path: () => '/api/notifications/readings',
      body: () => ({ id: 1, and_older: true }),
      status: 200,
      own: true,
    },
    'GET /api/notification-preferences': { path: () => '/api/notification-preferences', status: 200, own: true },
    'PATCH /api/notification-preferences': {
      path: () => '/api/notification-preferences',
      body: () => ({ kinds: [{ kind: 'exports', in_app: true, mail: false }] }),
      status: 200,
      own: true,
      badValues: [
        ['quiet', { from: '22:00', until: '22:00', timezone: 'UTC' }],
        ['quiet', { from: '25:00', until: '07:00', timezone: 'UTC' }],
        ['quiet', { from: '22:00', until: '07:00', timezone: 'Mars/Olympus' }],
        ['kinds', [{ kind: 'security', in_app: true, mail: false }]],
        ['kinds', [{ kind: 'gossip', in_app: true, mail: true }]],
      ],
    },
  };
};
