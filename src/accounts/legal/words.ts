import type { DocumentKind } from '../../../contract/sign_up.ts';

/** What people call each document. */
export const documentNames: Readonly<Record<DocumentKind, string>> = {
  terms: 'Terms of service',
  privacy: 'Privacy notice',
  processing: 'Data processing terms',
};

export function pathOf(kind: DocumentKind, version: string): string {
  return `/legal/${kind}/${version}`;
}
