import type { moveContents, SiteContent, SiteLife, SiteMove, SiteRemoval } from '../../../contract/site_life.ts';
import { call } from '../desk/api.ts';

export type { SiteContent, SiteLife, SiteMove, SiteRemoval };

type MoveContents = (typeof moveContents)['_zod']['output'];

const ofSite = (domain: string, rest: string) => `/api/sites/${encodeURIComponent(domain)}${rest}`;
const ofOrganisation = (organisation: number, rest: string) => `/api/organisations/${organisation}/site-moves${rest}`;

/** The calls about a site as a whole, in a part of their own: who looks at numbers does not load them. */
export const siteLives = {
  read: (domain: string) => call<SiteLife>('GET', ofSite(domain, '/life')),
  contents: (domain: string) =>
    call<{ contents: SiteContent[] }>('GET', ofSite(domain, '/contents')).then(({ contents }) => contents),
  rename: (domain: string, to: string) => call<SiteLife>('PUT', ofSite(domain, '/domain'), { body: { domain: to } }),
  letGo: (domain: string, former: string) =>
    call<undefined>('DELETE', ofSite(domain, `/former-domains/${encodeURIComponent(former)}`)),
  empty: (domain: string) => call<SiteRemoval>('POST', ofSite(domain, '/emptyings'), { body: { domain } }),
  remove: (domain: string) => call<SiteRemoval>('PUT', ofSite(domain, '/deletion'), { body: { domain } }),
  keep: (domain: string) => call<SiteRemoval>('DELETE', ofSite(domain, '/deletion')),
  offer: (domain: string, to: string) => call<SiteMove>('POST', ofSite(domain, '/moves'), { body: { to } }),
  withdraw: (domain: string, move: number) => call<undefined>('DELETE', ofSite(domain, `/moves/${move}`)),
  offered: (organisation: number) =>
    call<{ received: SiteMove[]; given: SiteMove[] }>('GET', ofOrganisation(organisation, '')),
  contentsOfMove: (organisation: number, move: number) =>
    call<MoveContents>('GET', ofOrganisation(organisation, `/${move}`)),
  accept: (organisation: number, move: number) =>
    call<SiteMove>('PUT', ofOrganisation(organisation, `/${move}/acceptance`)),
  refuse: (organisation: number, move: number) =>
    call<SiteMove>('PUT', ofOrganisation(organisation, `/${move}/refusal`)),
};
