import type { ImportKind, SiteImport } from '../../../contract/imports.ts';

/** Each kind of file: what it is called, where one finds it, and what becomes of it. */
export const kindWords: Readonly<Record<ImportKind, { name: string; where: string; becomes: string; accept: string }>> =
  {
    plausible: {
      name: 'Plausible',
      where: 'In the settings of the site there: Imports & exports, Export data. The ZIP it sends is chosen as it is.',
      becomes: 'Sums by day: visitors, sources, pages, places, devices, goals.',
      accept: '.zip',
    },
    umami: {
      name: 'Umami',
      where:
        'The ZIP of its data export. From an installation of your own: website_event.csv, with session.csv and event_data.csv in one ZIP if you have them.',
      becomes: 'Events and visits, which answer every question.',
      accept: '.zip,.csv',
    },
    ga4: {
      name: 'Google Analytics 4',
      where:
        'In Explore, with Analytics in English: a free-form exploration with Date and Active users in it, and what you want to keep, such as Page path or Country. Then Export data, CSV. One table in each file.',
      becomes: 'Sums by day of that one table.',
      accept: '.csv',
    },
    'access-log': {
      name: 'Access log of a web server',
      where: 'A log in the combined format, as nginx and Apache write it; also with the host in front, also .gz.',
      becomes: 'Page views and visits. Addresses are used to tell visitors apart, and are not kept.',
      accept: '.log,.txt,.gz',
    },
    events: {
      name: 'Events, NDJSON',
      where: 'What the page of exports here writes as “Events, NDJSON”, or lines of your own in the same words.',
      becomes: 'Events and visits, as they were. Days that have numbers already are not left out.',
      accept: '.ndjson,.jsonl,.json',
    },
  };

export const kindNames = Object.keys(kindWords) as ImportKind[];

export const isUnfinished = ({ state, size }: SiteImport): boolean =>
  state === 'undoing' || (size !== null && ['uploading', 'checking', 'ready', 'running'].includes(state));

/** Something happens that can be watched. */
export const isBusy = ({ state }: SiteImport): boolean => ['checking', 'running', 'undoing'].includes(state);

export const tableWords: Readonly<Record<string, string>> = {
  visitors: 'Visitors',
  sources: 'Sources',
  pages: 'Pages',
  entry_pages: 'Entry pages',
  exit_pages: 'Exit pages',
  custom_events: 'Events',
  locations: 'Places',
  devices: 'Devices',
  browsers: 'Browsers',
  operating_systems: 'Operating systems',
};
