import { destinationReceivers } from '../../../contract/destinations.ts';
import type { ReceiverRow } from './receivers.ts';

const sent =
  'Conversions of people who did not deny it: event, time, value, click ids, and addresses, phone numbers and names as SHA-256 hashes';
const sentOfClicks =
  'Conversions of people who did not deny it: event, order, value and the click id, and nothing else of a person';

/**
 * Where conversions go that an organisation sends on: each of them only once the organisation has set it up as a
 * destination. Whoever runs the desk may put another address in a platform's place, of which nothing is known then.
 */
export function relayReceivers(relay: Readonly<Record<string, string>> = {}): ReceiverRow[] {
  const rows = Object.entries(destinationReceivers).map(
    ([id, { label, host, variable: _, getsHashes, ...company }]): ReceiverRow => {
      const other = relay[id];
      return {
        ...{
          id,
          label,
          role: 'controller',
          byOrganisation: true,
          purposes: [`relay.${id}`],
          classes: getsHashes ? ['D5', 'D6'] : ['D6'],
          sent: getsHashes ? sent : sentOfClicks,
        },
        hosts: [other === undefined ? host : new URL(other).hostname.replace(/^\[|\]$/g, '')],
        why: 'Gets the conversions that an organisation sends to its account there.',
        ...(other === undefined ? { ...company, country: 'US' } : {}),
      };
    },
  );
  return [
    {
      ...{ id: 'webhook', label: 'Webhooks of organisations', role: 'own', byOrganisation: true },
      ...{ purposes: ['relay.webhook'], hosts: { chosenBy: 'who sets up a webhook as a destination' } },
      why: 'Gets the conversions that an organisation sends to a system of its own.',
      ...{ sent, classes: ['D5', 'D6'] },
    },
    ...rows,
  ];
}
