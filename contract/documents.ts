/** Documents that are made from what the desk stores and whom it calls, as the pages under Trust and the API say them. */
export const paperKinds = [
  'privacy-notice',
  'cookies',
  'retention',
  'record-of-processing',
  'processing-agreement',
  'data-map',
] as const;
export type PaperKind = (typeof paperKinds)[number];

export const paperNames: Readonly<Record<PaperKind, string>> = {
  'privacy-notice': 'Privacy notice',
  cookies: 'Cookies and consent',
  retention: 'Processing and retention',
  'record-of-processing': 'Record of processing',
  'processing-agreement': 'Processing agreement',
  'data-map': 'Data map',
};
