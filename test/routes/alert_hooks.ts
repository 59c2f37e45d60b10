import type { Examples } from './example.ts';

/** The address for alerts. What becomes of posts is looked at in journeys/alert_hooks.test.ts; here the address leads nowhere. */
export const examples: Examples = ({ organisation, call, people }) => {
  const prefix = '/api/organisations/:organisation/alert-hook';
  const path = () => `/api/organisations/${organisation()}/alert-hook`;
  const address = { url: 'https://10.0.0.1/alerts' };
  const set =
    (rest = '') =>
    async () => {
      await call('PUT', path(), people.owner, address);
      return path() + rest;
    };
  return {
    [`GET ${prefix}`]: { path, status: 200 },
    [`PUT ${prefix}`]: {
      path,
      body: () => address,
      status: 200,
      badValues: [
        ['url', 'http://receiver.example/'],
        ['url', 'https://a:b@receiver.example/'],
        ['kinds', []],
        ['kinds', ['mail']],
        ['is_active', 'yes'],
      ],
    },
    [`POST ${prefix}/secrets`]: { path: set('/secrets'), status: 201 },
    [`POST ${prefix}/tests`]: { path: set('/tests'), status: 200 },
    [`DELETE ${prefix}`]: { path: set(), status: 204 },
  };
};
