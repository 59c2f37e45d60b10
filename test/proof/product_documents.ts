import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PaperKind } from '../../contract/documents.ts';
import { readConfig } from '../../src/platform/config.ts';
import { shippedBases } from '../../src/trust/consent/index.ts';
import {
  activities,
  asMarkdown,
  drawMap,
  type Facts,
  linesUnder,
  measures,
  nobody,
  storage,
  storedClasses,
  visitorStorage,
  writePaper,
} from '../../src/trust/documents/index.ts';
import { receiversOf } from '../../src/trust/register/index.ts';
import { firstPolicy } from '../../src/trust/windows/index.ts';
import { repository } from './kit.ts';

/** Everything that an operator can set up to receive something. */
const everything = {
  FAIRLEAD_DATA_DIR: '/data/fairlead',
  FAIRLEAD_KEY_FILE: '/keys/fairlead/key',
  FAIRLEAD_PUBLIC_URL: 'https://desk.example',
  FAIRLEAD_LOG_URL: 'https://logs.example/lines',
  FAIRLEAD_SENTRY_DSN: 'https://key@errors.example/1',
  FAIRLEAD_POSTHOG_KEY: 'key',
  FAIRLEAD_POSTHOG_HOST: 'https://numbers.example',
  FAIRLEAD_GOOGLE_CLIENT_ID: 'a',
  FAIRLEAD_GOOGLE_CLIENT_SECRET: 'b',
  FAIRLEAD_GITHUB_CLIENT_ID: 'a',
  FAIRLEAD_GITHUB_CLIENT_SECRET: 'b',
  FAIRLEAD_OIDC_CLIENT_ID: 'a',
  FAIRLEAD_OIDC_CLIENT_SECRET: 'b',
  FAIRLEAD_OIDC_ISSUER: 'https://people.example',
  FAIRLEAD_OIDC_NAME: 'an identity provider of the settings',
  FAIRLEAD_BACKUP_S3_URL: 'https://store.example/backups',
  FAIRLEAD_BACKUP_S3_KEY: 'a',
  FAIRLEAD_BACKUP_S3_SECRET: 'b',
  DATABASE_URL: 'postgres://desk@database.example/desk?sslmode=verify-full',
  DATABASE_MIGRATION_URL: 'postgres://owner@database.example/desk?sslmode=verify-full',
  CLICKHOUSE_URL: 'https://warehouse.example',
  FAIRLEAD_ACME_DOMAINS: 'desk.example',
  FAIRLEAD_ACME_EMAIL: 'ops@desk.example',
};

const files: Readonly<Record<PaperKind, string>> = {
  'privacy-notice': 'privacy-notice.md',
  cookies: 'cookie-consent-disclosure.md',
  retention: 'data-processing-and-retention-policy.md',
  'record-of-processing': 'record-of-processing.md',
  'processing-agreement': 'dpa.md',
  'data-map': 'data-map.md',
};

export function productFacts(): Facts {
  return {
    organisation: undefined,
    operator: nobody,
    activities,
    bases: shippedBases(),
    classes: storedClasses(),
    lines: linesUnder(firstPolicy),
    receivers: receiversOf(readConfig(everything), 'mail.example').map((row) => ({
      ...{ label: row.label, role: row.role, why: row.why, sent: row.sent, classes: row.classes },
      ...{ legalName: row.legalName ?? null, country: row.country ?? null, basis: row.basis ?? null },
      ...{ policyUrl: row.policyUrl ?? null, termsUrl: row.termsUrl ?? null, contract: null, checkedOn: null },
      onlyIf:
        row.byOrganisation === true
          ? 'Only where the organisation has set it up as a destination.'
          : 'Only where the operator has set it up.',
    })),
    visitorFields: visitorFields(),
    storage,
    visitorStorage,
    measures: measures(),
  };
}

/** Of the published list, which the proof of COL-10 holds against the engine. */
function visitorFields(): Facts['visitorFields'] {
  const text = readFileSync(join(repository, 'docs/guides/stored-data.md'), 'utf8');
  const events = text.slice(text.indexOf('## Events: `events`'), text.indexOf('## Visits: `visits`'));
  return [...events.matchAll(/^\| `(\w+)` \| (D\d+) \| (.+) \|$/gm)].map(([, column = '', of = '', means = '']) => ({
    ...{ column, class: of, means: means.replaceAll('`', '') },
  }));
}

/** Every document of the product, by its path in the repository. */
export function productDocuments(): { path: string; text: string }[] {
  const known = productFacts();
  const source = 'Made by node test/proof/write_documents.ts from the data map. An edit by hand fails the suite.';
  const papers = (Object.keys(files) as PaperKind[]).map((kind) => writePaper(kind, known).paper);
  const map = papers
    .flatMap(({ sections }) => sections.flatMap(({ blocks }) => blocks))
    .find((one) => one.kind === 'map');
  return [
    ...papers.map((paper) => ({ path: `docs/policies/${files[paper.kind]}`, text: asMarkdown(paper, source) })),
    {
      path: 'docs/policies/data-map.svg',
      text: map === undefined ? '' : `${drawMap(map.columns, map.ways, 'Data map')}\n`,
    },
  ];
}
