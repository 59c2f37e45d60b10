import { randomUUID } from 'node:crypto';
import type { RequestDetail } from '../../contract/requests.ts';
import type { Examples } from './example.ts';

/** Requests of data subjects, in the register of the organisation. */
export const examples: Examples = ({ organisation, call, people, next, server }) => {
  /** Made for the first who asks: to look at it uses nothing up, and an erasure takes the desk's time. */
  let receipt: Promise<string> | undefined;
  let archive: Promise<string> | undefined;
  let seen: Promise<string> | undefined;
  const of = () => `/api/organisations/${organisation()}/requests`;
  const today = () => new Date().toISOString().slice(0, 10);
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const wish = () => ({ kind: 'access', received_on: today(), email: `asks-${next()}@visitor.example` });
  const entered = async () => String((await call('POST', of(), people.owner, wish())).body.id);
  /** One that asks for erasure, of which it was made sure who asks, and on which work began. */
  async function erasable(kind = 'erasure'): Promise<string> {
    const id = String((await call('POST', of(), people.owner, { ...wish(), kind })).body.id);
    for (const step of [{ to: 'checked', check: 'mailbox' }, { to: 'working' }])
      await call('PUT', `${of()}/${id}/state`, people.owner, step);
    return id;
  }
  async function erased(): Promise<string> {
    const id = await erasable();
    await call('POST', `${of()}/${id}/erasure`, people.owner);
    // The desk goes on with it by itself; whoever comes second waits for nothing.
    for (let tries = 0; tries < 500; tries += 1) {
      const { erasure } = (await call('GET', `${of()}/${id}`, people.owner)).body as unknown as RequestDetail;
      if (erasure?.state !== 'running') break;
      await server().desk.requests.erase();
    }
    return `${of()}/${id}/receipts/1`;
  }
  async function archived(): Promise<string> {
    const id = await erasable();
    await call('POST', `${of()}/${id}/archive`, people.owner);
    return `${of()}/${id}/archive`;
  }
  const once = new Map<string, Promise<string>>();
  const kept = (kind: string) => {
    const id = once.get(kind) ?? erasable(kind);
    once.set(kind, id);
    return id;
  };
  const openDsr = () => `/api/organisations/${organisation()}/opendsr/v2`;
  const handedIn = () => ({
    ...{ regulation: 'gdpr', subject_request_id: randomUUID(), subject_request_type: 'access' },
    submitted_time: new Date().toISOString(),
    subject_identities: [{ identity_type: 'email', identity_value: 'x@visitor.example', identity_format: 'raw' }],
  });
  async function handIn(): Promise<string> {
    const body = handedIn();
    await call('POST', `${openDsr()}/requests`, people.owner, body);
    return `${openDsr()}/requests/${body.subject_request_id}`;
  }
  let status: Promise<string> | undefined;
  return {
    'GET /api/organisations/:organisation/opendsr/v2/discovery': {
      path: () => `${openDsr()}/discovery`,
      status: 200,
      badParams: [['/api/organisations/x/opendsr/v2/discovery', 'organisation']],
    },
    'GET /api/opendsr/key': { path: () => '/api/opendsr/key', status: 200 },
    'POST /api/organisations/:organisation/opendsr/v2/requests': {
      path: () => `${openDsr()}/requests`,
      body: handedIn,
      status: 201,
      badValues: [
        ['regulation', 'lgpd'],
        ['subject_request_id', 'A7551968-D5D6-44B2-9831-815AC9017798'],
        ['subject_request_type', 'gossip'],
        ['submitted_time', 'yesterday'],
        ['submitted_time', new Date(Date.now() - 61 * 86_400_000).toISOString()],
        ['subject_identities', []],
        ['subject_identities', [{ identity_type: 'email', identity_value: 'nobody', identity_format: 'raw' }]],
        ['subject_identities', [{ identity_type: 'email', identity_value: 'x', identity_format: 'sha256' }]],
        ['status_callback_urls', ['http://elsewhere.example/hook']],
        ['status_callback_urls', ['https://name:word@elsewhere.example/hook']],
      ],
    },
    'GET /api/organisations/:organisation/opendsr/v2/requests/:request': {
      path: () => (status ??= handIn()),
      status: 200,
      badParams: [['/api/organisations/1/opendsr/v2/requests/x', 'request']],
    },
    'DELETE /api/organisations/:organisation/opendsr/v2/requests/:request': {
      path: handIn,
      status: 202,
      badParams: [['/api/organisations/1/opendsr/v2/requests/x', 'request']],
    },
    'POST /api/organisations/:organisation/requests/:request/corrections': {
      path: async () => `${of()}/${await kept('rectification')}/corrections`,
      body: () => ({ corrections: [{ field: 'name', value: 'Ada Ashford' }] }),
      status: 201,
      badValues: [
        ['corrections', []],
        ['corrections', [{ field: 'password', value: 'x' }]],
        ['corrections', [{ field: 'email', value: 'nobody' }]],
        ['corrections', [{ field: 'picture', value: 'javascript:alert(1)' }]],
      ],
      badParams: [['/api/organisations/1/requests/x/corrections', 'request']],
    },
    'PUT /api/organisations/:organisation/requests/:request/restriction': {
      async path() {
        const id = await kept('restriction');
        await call('PUT', `${of()}/${id}/restriction`, people.owner, { to: 'in-force' });
        return `${of()}/${id}/restriction`;
      },
      body: () => ({ to: 'in-force' }),
      status: 200,
      badValues: [['to', 'over']],
      badParams: [['/api/organisations/1/requests/x/restriction', 'request']],
    },
    'GET /api/organisations/:organisation/requests': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/1/requests?after=first', 'after']],
    },
    'POST /api/organisations/:organisation/requests': {
      path: of,
      body: wish,
      status: 201,
      badValues: [
        ['kind', 'gossip'],
        ['came_by', 'form'],
        ['email', 'nobody'],
        ['received_on', inDays(3)],
        ['received_on', inDays(-61)],
        ['phone', 'call me'],
        ['external_id', ' '],
      ],
    },
    'GET /api/organisations/:organisation/requests/:request': {
      async path() {
        seen ??= entered();
        return `${of()}/${await seen}`;
      },
      status: 200,
      badParams: [['/api/organisations/1/requests/x', 'request']],
    },
    'PUT /api/organisations/:organisation/requests/:request/state': {
      path: async () => `${of()}/${await entered()}/state`,
      body: () => ({ to: 'checked', check: 'mailbox' }),
      status: 200,
      badValues: [
        ['to', 'gone'],
        ['check', 'a hunch'],
      ],
      badParams: [['/api/organisations/1/requests/x/state', 'request']],
    },
    'POST /api/organisations/:organisation/requests/:request/erasure': {
      path: async () => `${of()}/${await erasable()}/erasure`,
      status: 202,
      badParams: [['/api/organisations/1/requests/x/erasure', 'request']],
    },
    'GET /api/organisations/:organisation/requests/:request/receipts/:number': {
      path: () => (receipt ??= erased()),
      status: 200,
      badParams: [
        ['/api/organisations/1/requests/x/receipts/1', 'request'],
        ['/api/organisations/1/requests/1/receipts/last', 'number'],
      ],
    },
    'POST /api/organisations/:organisation/requests/:request/archive': {
      path: async () => `${of()}/${await kept('access')}/archive`,
      status: 201,
      badParams: [['/api/organisations/1/requests/x/archive', 'request']],
    },
    'GET /api/organisations/:organisation/requests/:request/archive': {
      path: () => (archive ??= archived()),
      status: 200,
      badParams: [['/api/organisations/1/requests/x/archive', 'request']],
    },
    'GET /request/:organisation': { path: () => '/request/nobody-of-this-name', status: 404 },
    'POST /request/:organisation': { path: () => '/request/nobody-of-this-name', status: 404 },
    'GET /request/:organisation/confirm/:token': { path: () => '/request/nobody-of-this-name/confirm/x', status: 404 },
    'POST /request/:organisation/confirm/:token': { path: () => '/request/nobody-of-this-name/confirm/x', status: 404 },
    'GET /request/:organisation/archive/:token': { path: () => '/request/nobody-of-this-name/archive/x', status: 404 },
    'PUT /api/organisations/:organisation/requests/:request/extension': {
      path: async () => `${of()}/${await entered()}/extension`,
      body: () => ({ until: inDays(50), reason: 'Three archives have to be searched.' }),
      status: 200,
      badValues: [
        ['until', 'later'],
        ['until', inDays(10)],
        ['until', inDays(120)],
        ['reason', ' '],
      ],
    },
  };
};
