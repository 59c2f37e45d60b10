import { kept, open, partly, type Requirement } from './requirement.ts';

const noStorageMode = 'Storage mode is not built yet: every site is measured in memory mode.';

/** What happens on visitors' devices, and that nobody is recognised over days (ledger 3.1 and 3.2). */
export const visitors: readonly Requirement[] = [
  kept(
    'COL-01',
    'D2',
    'In the default mode the tracker reads and writes nothing on the device of a visitor.',
    'The tracker has no code for cookies or storage, and the desk answers its calls without a cookie or an ETag.',
  ),
  kept(
    'COL-02',
    'D2',
    'What a page knows of its visitor is gone when the tab closes or reloads.',
    'The tracker keeps one variable in the memory of the page.',
  ),
  kept(
    'COL-03',
    'D2',
    'The default mode needs no banner: the tracker shows nothing and asks for no consent.',
    'The tracker adds one name to the page and nothing else.',
  ),
  open('COL-04', 'D2', 'Storage mode starts only where data-persistence="storage" is set.', noStorageMode),
  open(
    'COL-05',
    'D2',
    'Storage mode keeps a random id and the data of the visit on the device, and nothing else.',
    noStorageMode,
  ),
  open('COL-06', 'D2', 'Links across domains need storage mode and a list of allowed host names.', noStorageMode),
  open('COL-07', 'D2', 'A link across domains carries two documented parameters and no cookie.', noStorageMode),
  open('COL-08', 'D2', 'These parameters are removed before any event or referrer leaves the page.', noStorageMode),
  kept(
    'COL-09',
    'D2',
    'In memory mode links lead where they led: nothing is added and nothing is read.',
    'The tracker never touches a link.',
  ),
  kept(
    'COL-10',
    'D3',
    'What is stored of visitors is exactly what the published list names.',
    'The columns of the warehouse are held against the list in “What is stored” (docs/guides/stored-data.md).',
  ),
  kept(
    'COL-11',
    'D4',
    'The address of a mail link is stored only where the site has switched that on.',
    'Settings of a site, contact clicks; off by default.',
  ),
  kept(
    'COL-12',
    'D4',
    'The number of a phone link is stored only where the site has switched that on.',
    'Settings of a site, contact clicks; off by default.',
  ),
  kept(
    'COL-13',
    'D1',
    'The raw User-Agent is not stored, only browser, system and kind of device.',
    'It is read in the memory of the request that brought it, and dropped.',
  ),
  kept(
    'COL-14',
    'D3',
    'A place is never more exact than a city and one decimal of a degree.',
    'Coordinates are rounded before an event leaves the request.',
  ),
  kept(
    'COL-15',
    'D1',
    'Places are looked up in a file on this machine, never over the network.',
    'The table of places is part of the installation.',
  ),
  kept(
    'COL-16',
    'D3',
    'Amounts are stored only where the site measures revenue.',
    'Settings of a site, currency; empty by default.',
  ),
  kept(
    'COL-17',
    'D4',
    'Nothing that autofill or a script puts into a form leaves the page.',
    'The tracker has no code that reads a form.',
  ),
  kept(
    'COL-18',
    'D3',
    'No value of a field, no password and no text of an input is ever sent.',
    'The tracker sends names of what was clicked, never contents of fields.',
  ),
  kept(
    'COL-19',
    'D3',
    'Of a query string only campaign parameters and the kind of a click id are kept.',
    'Addresses are cut to host and path before an event leaves the request.',
  ),
  partly(
    'COL-20',
    'D23',
    'Global Privacy Control and Do Not Track switch off storage mode, identity and links across domains.',
    'Both signals reach the desk; in memory mode there is nothing that they could switch off.',
    'Storage mode and identify calls, which they must switch off, and a site’s choice to drop such visits.',
  ),

  kept(
    'PSE-01',
    'D2',
    'A visitor id is SHA-256 over address, User-Agent, the salt of the day and the site, each in its own place.',
    'The id is computed in the memory of the request.',
  ),
  kept(
    'PSE-02',
    'D2',
    'The salt is 256 random bits, never made of a date or a lasting secret.',
    'The desk asks the operating system for them once a day.',
  ),
  kept(
    'PSE-03',
    'D2',
    'The salt changes every 24 hours, and the old one is destroyed within ten minutes.',
    'A file of its own beside the keys, overwritten at UTC midnight and ten minutes.',
  ),
  kept(
    'PSE-04',
    'D1',
    'The address of a visitor is stored nowhere: no table, log, queue, cache or backup.',
    'The address never leaves the request; the log of the collection plane has no field for it.',
  ),
  kept(
    'PSE-05',
    'D2',
    'The ids of one person on two days cannot be linked.',
    'Each day has a salt of its own, and the rows share coarse fields only.',
  ),
  kept(
    'PSE-06',
    'D2',
    'Whoever copies everything after the salt changed cannot recompute the ids of yesterday.',
    'The salt of yesterday is nowhere any more.',
  ),
  kept(
    'PSE-07',
    'D2',
    'The salt is in its own file and nowhere else: no database, backup, log or core file.',
    'It lies beside the key file, outside the data directory; core files are switched off.',
  ),
  kept(
    'PSE-08',
    'D1',
    'An address is dropped in the moment in which its place was looked up.',
    'What leaves the request has no field for an address.',
  ),
  kept('PSE-09', 'D2', 'The same visitor has unrelated ids on two sites.', 'The site is part of what is hashed.'),
  kept(
    'PSE-10',
    'D1',
    'The address of a client comes from a trusted proxy or the connection, never from what the client writes.',
    'Setting FAIRLEAD_TRUSTED_PROXIES.',
  ),
];
