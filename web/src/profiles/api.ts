import type { ProfileList, ProfilePage } from '../../../contract/profiles.ts';
import { call } from '../desk/api.ts';

export type { ProfileList, ProfilePage } from '../../../contract/profiles.ts';
export type Profile = ProfileList['profiles'][number];
export type Browser = ProfilePage['browsers'][number];
export type Act = ProfilePage['timeline'][number];

/** As the desk has them in contract/profiles.ts, which brings zod along. */
export const limits = { searchChars: 320 } as const;

export const profilesPath = (domain: string, rest = '') => `/api/sites/${encodeURIComponent(domain)}/profiles${rest}`;

/** The calls about visitors of storage mode. */
export const profiles = {
  list: (domain: string, search: string, before?: string) => {
    const query = new URLSearchParams({
      ...(search === '' ? {} : { search }),
      ...(before === undefined ? {} : { before }),
    }).toString();
    return call<ProfileList>('GET', profilesPath(domain, query === '' ? '' : `?${query}`));
  },
  one: (domain: string, id: string, before?: string) =>
    call<ProfilePage>(
      'GET',
      profilesPath(domain, `/${encodeURIComponent(id)}${before === undefined ? '' : `?before=${before}`}`),
    ),
};
