import type { AccessReview, Kind } from './api.ts';

export const kinds: readonly { kind: Kind; title: string; none: string; removing: string }[] = [
  {
    kind: 'member',
    title: 'Members',
    none: 'no members',
    removing: 'They are out with their next request, and get a mail.',
  },
  {
    kind: 'invitation',
    title: 'Invitations',
    none: 'no open invitations',
    removing: 'Its link opens nothing any more.',
  },
  {
    kind: 'role',
    title: 'Roles of your own',
    none: 'no roles of your own',
    removing: 'Nobody can be given it any more.',
  },
  { kind: 'key', title: 'API keys', none: 'no API keys', removing: 'Whatever sends with it is refused from now on.' },
  { kind: 'share', title: 'Shared pages', none: 'no shared pages', removing: 'Its link opens nothing any more.' },
  {
    kind: 'source',
    title: 'Addresses of sources',
    none: 'no addresses of sources',
    removing: 'Its address takes nothing any more. The source, its mapping and its routes stay.',
  },
  {
    kind: 'connection',
    title: 'Connections',
    none: 'no connections',
    removing: 'It is revoked at the platform and its tokens are destroyed. What waits for it is cancelled.',
  },
];

export const quarterWords = (quarter: string) => quarter.replace(/^(\d+)-(Q\d)$/, '$2 $1');

export const stateWords = {
  open: ['idle', 'open'],
  overdue: ['bad', 'overdue'],
  missed: ['bad', 'not done'],
  done: ['ok', 'done'],
} as const satisfies Record<AccessReview['state'], readonly [string, string]>;
