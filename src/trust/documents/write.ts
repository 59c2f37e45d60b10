import type { PaperKind } from '../../../contract/documents.ts';
import type { Facts } from './facts.ts';
import { cookieDisclosure, privacyNotice } from './notices.ts';
import type { Paper } from './paper.ts';
import { dataMap, processingAgreement, recordOfProcessing, retentionPolicy } from './records.ts';
import { openPen, type Pen } from './words.ts';

const writers: Readonly<Record<PaperKind, (pen: Pen, facts: Facts) => Paper>> = {
  'privacy-notice': privacyNotice,
  cookies: cookieDisclosure,
  retention: retentionPolicy,
  'record-of-processing': recordOfProcessing,
  'processing-agreement': processingAgreement,
  'data-map': dataMap,
};

/** A document from the facts alone, and what they do not say that it has to. */
export function writePaper(kind: PaperKind, facts: Facts): { paper: Paper; gaps: string[] } {
  const pen = openPen();
  const paper = writers[kind](pen, facts);
  return { paper, gaps: pen.gaps };
}
