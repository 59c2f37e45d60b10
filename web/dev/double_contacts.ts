import type { ContactClicks } from '../../contract/api.ts';

/** Clicks on mail and phone links of a site that keeps what they say; others have none. */
export function contactClicksOf(domain: string, isMasked: boolean): ContactClicks {
  if (domain !== 'shop.example') return { clicks: [] };
  const kept = [
    { page: '/contact', kind: 'mail', value: 'orders@shop.example', masked: '•••@shop.example' },
    { page: '/imprint', kind: 'phone', value: '+49 30 5550 1234', masked: '••• 34' },
    {
      page: '/team/of-the-long-name-that-goes-on-and-on',
      kind: 'mail',
      value: 'ada.ashford@team.shop.example',
      masked: '•••@team.shop.example',
    },
    { page: '/contact', kind: 'mail', value: null, masked: null },
    { page: '/contact', kind: null, value: null, masked: null },
  ] as const;
  return {
    clicks: kept.map(({ page, kind, value, masked }, at) => ({
      ...{ time: new Date(Date.now() - (at + 1) * 7_900_000).toISOString(), name: 'contact', hostname: 'shop.example' },
      ...{ page, kind, value: isMasked ? masked : value },
    })),
  };
}
