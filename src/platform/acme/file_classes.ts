import type { FileClass } from '../spool/index.ts';

/** What ACME keeps beside the key file, in `acme/<authority>/`. Nothing of it lies in the data directory. */
export const acmeFiles: readonly FileClass[] = [
  {
    path: 'acme/*/account.pem*',
    classes: ['D8'],
    window: 'as long as the account; a closed one until the operator removes it',
    purpose: 'the private key that is the account at the certificate authority',
  },
  {
    path: 'acme/*/*.certificate.pem*',
    classes: ['D8'],
    window: 'until it is renewed',
    purpose: 'the certificate and its private key',
  },
  {
    path: 'acme/*/state.json*',
    classes: ['D16'],
    window: 'until the next attempt',
    purpose: 'how the last attempts went, for the operator: names of this desk, times, a sentence',
  },
];
