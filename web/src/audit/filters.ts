import { navigate } from '../address/navigate.tsx';

/** What the page can be narrowed by, as it stands in the address and goes to the desk. */
export const filterNames = ['q', 'group', 'action', 'actor', 'target', 'outcome', 'from', 'to'] as const;
export type FilterName = (typeof filterNames)[number];
export type Filters = Partial<Record<FilterName, string>>;

export function readFilters(search: string): Filters {
  const given = new URLSearchParams(search);
  const found: Filters = {};
  for (const name of filterNames) {
    const value = given.get(name);
    if (value !== null && value !== '') found[name] = value;
  }
  return found;
}

/** As it stands in the address, or, with the zone of its days, as it goes to the desk. */
export function filterQuery(filters: Filters, timezone?: string): string {
  const given = new URLSearchParams();
  for (const name of filterNames) if (filters[name] !== undefined) given.set(name, filters[name]);
  if (timezone !== undefined) given.set('timezone', timezone);
  return given.toString();
}

/** Goes to the same page with other filters; an empty one is taken away. */
export function setFilters(path: string, before: Filters, change: { [name in FilterName]?: string | undefined }): void {
  const next: Filters = {};
  for (const name of filterNames) {
    const value = name in change ? change[name] : before[name];
    if (value !== undefined && value !== '') next[name] = value;
  }
  const query = filterQuery(next);
  navigate(query === '' ? path : `${path}?${query}`);
}

/** Groups of acts, in the words of people. */
export const groupWords: Record<string, string> = {
  session: 'Sign-in',
  password: 'Passwords',
  email: 'E-mail addresses',
  second_factor: 'Second factor',
  passkey: 'Passkeys',
  identity: 'Linked identities',
  person: 'People',
  terms: 'Terms',
  member: 'Members',
  invitation: 'Invitations',
  role: 'Roles',
  team: 'Teams',
  organisation: 'Organisation',
  site: 'Sites',
  key: 'API keys',
  secret: 'Secrets',
  vault: 'Vault',
  subject: 'Erasure',
  share: 'Shares',
  report: 'Reports',
  mail: 'Mail',
  notification: 'Notifications',
  export: 'Exports',
  import: 'Imports',
  goal: 'Goals',
  shield: 'Shields',
  annotation: 'Notes',
  foreign_id: 'Foreign ids',
  contact_clicks: 'Contact clicks',
  profiles: 'Profiles',
  relay: 'Conversion relay',
  audit: 'Audit log',
  access_log: 'Access log',
  operator: 'The operator',
};

export function groupsOf(actions: readonly { name: string }[]): string[] {
  return [...new Set(actions.map(({ name }) => name.split('.')[0] as string))];
}
