import type {
  Disclosure,
  DisclosuresAnswer,
  NewDisclosureEntry,
  newDisclosure,
} from '../../../contract/disclosures.ts';
import type {
  affectedAnswer,
  DraftDecision,
  IncidentAnswer,
  IncidentDraft,
  incidentDrafts,
  incidentEntry,
  incidentReport,
  incidentsAnswer,
  newIncident,
} from '../../../contract/incidents.ts';
import { call } from '../desk/api.ts';

type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];
type Read<T extends { _zod: { output: unknown } }> = T['_zod']['output'];
export type NewIncident = Sent<typeof newIncident>;
export type Incident = IncidentAnswer;
export type Incidents = Read<typeof incidentsAnswer>;
export type Draft = IncidentDraft;
export type Affected = Read<typeof affectedAnswer>;

const at = (organisation: number, rest = '') => `/api/organisations/${organisation}/incidents${rest}`;

type Drafts = Read<typeof incidentDrafts>;

/** The calls about incidents, in a part of their own. */
export const incidents = {
  list: (organisation: number, before?: number) =>
    call<Incidents>('GET', at(organisation, before === undefined ? '' : `?before=${before}`)),
  read: (organisation: number, id: number) => call<Incident>('GET', at(organisation, `/${id}`)),
  open: (organisation: number, body: NewIncident) => call<Incident>('POST', at(organisation), { body }),
  affected: (organisation: number, id: number) => call<Affected>('GET', at(organisation, `/${id}/affected`)),
  add: (organisation: number, id: number, body: Sent<typeof incidentEntry>) =>
    call<Incident>('POST', at(organisation, `/${id}/entries`), { body }),
  report: (organisation: number, id: number, body: Sent<typeof incidentReport>) =>
    call<Incident>('PUT', at(organisation, `/${id}/report`), { body }),
  drafts: (organisation: number) => call<Drafts>('GET', `/api/organisations/${organisation}/incident-drafts`),
  judge: (organisation: number, draft: number, body: DraftDecision) =>
    call<Drafts>('PUT', `/api/organisations/${organisation}/incident-drafts/${draft}`, { body }),
  close: (organisation: number, id: number, said: string) =>
    call<Incident>('PUT', at(organisation, `/${id}/closing`), { body: { said } }),
};

const disclosuresAt = (organisation: number, rest = '') => `/api/organisations/${organisation}/disclosures${rest}`;

/** The calls about disclosures to authorities. */
export const disclosures = {
  list: (organisation: number, before?: number) =>
    call<DisclosuresAnswer>('GET', disclosuresAt(organisation, before === undefined ? '' : `?before=${before}`)),
  enter: (organisation: number, body: Sent<typeof newDisclosure>) =>
    call<Disclosure>('POST', disclosuresAt(organisation), { body }),
  add: (organisation: number, id: number, body: NewDisclosureEntry) =>
    call<Disclosure>('POST', disclosuresAt(organisation, `/${id}/entries`), { body }),
};
