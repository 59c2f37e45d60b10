/** What an emulated Google Ads knows of accounts: who is whose manager, and what counts as a conversion in each. */
export interface AdsAccount {
  /** Digits. */
  id: string;
  name: string;
  currency: string;
  timeZone: string;
  isManager?: boolean;
  /** The manager right above it. */
  parent?: string;
  status?: 'ENABLED' | 'CANCELED' | 'SUSPENDED' | 'CLOSED';
  /** The account whose conversion actions count here; itself unless it is said. */
  conversionCustomer?: string;
  acceptedCustomerDataTerms?: boolean;
  enhancedConversionsForLeads?: boolean;
  actions?: AdsAction[];
}

export interface AdsAction {
  id: string;
  name: string;
  type: 'UPLOAD_CLICKS' | 'UPLOAD_CALLS' | 'WEBPAGE';
  status?: 'ENABLED' | 'HIDDEN' | 'REMOVED';
  counting?: 'ONE_PER_CLICK' | 'MANY_PER_CLICK';
  category?: string;
  /** Milliseconds since 1970; long ago unless it is said. */
  createdAt?: number;
}

/** Row of a resource as the API gives it: names in camel case, int64 as text. */
export type AdsRow = Record<string, Record<string, unknown>>;

/** The resources that the fixed queries of account discovery ask for. */
export const resources: Readonly<Record<string, (account: AdsAccount, all: readonly AdsAccount[]) => AdsRow[]>> = {
  customer: (account) => [{ customer: customerOf(account) }],
  customer_client: (account, all) =>
    below(account, all).map(({ account: each, level }) => ({
      customerClient: {
        resourceName: `customers/${account.id}/customerClients/${each.id}`,
        ...{ clientCustomer: `customers/${each.id}`, id: each.id, level: String(level), hidden: false },
        ...{ manager: each.isManager === true, testAccount: false, descriptiveName: each.name },
        ...{ currencyCode: each.currency, timeZone: each.timeZone, status: each.status ?? 'ENABLED' },
      },
    })),
  conversion_action: (account) =>
    (account.actions ?? []).map((action) => ({
      conversionAction: {
        resourceName: `customers/${account.id}/conversionActions/${action.id}`,
        ...{ id: action.id, name: action.name, type: action.type, status: action.status ?? 'ENABLED' },
        ...{ countingType: action.counting ?? 'MANY_PER_CLICK', category: action.category ?? 'PURCHASE' },
        ...{ ownerCustomer: `customers/${account.id}`, primaryForGoal: true, clickThroughLookbackWindowDays: '30' },
      },
    })),
};

function customerOf(account: AdsAccount): Record<string, unknown> {
  return {
    resourceName: `customers/${account.id}`,
    ...{ id: account.id, descriptiveName: account.name, currencyCode: account.currency, timeZone: account.timeZone },
    ...{ manager: account.isManager === true, testAccount: false, status: account.status ?? 'ENABLED' },
    conversionTrackingSetting: {
      conversionTrackingId: account.id,
      conversionTrackingStatus:
        account.conversionCustomer === undefined
          ? 'CONVERSION_TRACKING_MANAGED_BY_SELF'
          : 'CONVERSION_TRACKING_MANAGED_BY_ANOTHER_MANAGER',
      googleAdsConversionCustomer: `customers/${account.conversionCustomer ?? account.id}`,
      acceptedCustomerDataTerms: account.acceptedCustomerDataTerms ?? true,
      enhancedConversionsForLeadsEnabled: account.enhancedConversionsForLeads ?? true,
    },
  };
}

/** The account itself, at level 0, and all that it manages. */
function below(account: AdsAccount, all: readonly AdsAccount[], level = 0): { account: AdsAccount; level: number }[] {
  const children = all.filter(({ parent }) => parent === account.id);
  return [{ account, level }, ...children.flatMap((child) => below(child, all, level + 1))];
}

/** Whether access that somebody has to a manager opens the account. */
export function isBelow(id: string, manager: string, all: readonly AdsAccount[]): boolean {
  const parent = all.find((each) => each.id === id)?.parent;
  return parent !== undefined && (parent === manager || isBelow(parent, manager, all));
}
