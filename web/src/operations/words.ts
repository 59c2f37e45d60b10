/** What a job of the operations log is, by its name there; a test looks whether each has words. */
export const jobWords: Readonly<Record<string, string>> = {
  retention: 'The nightly run',
  backup: 'A backup',
  export: 'An export',
  archive: 'An archive of the organisation',
  import: 'An import',
  report: 'A report by mail',
  site_removal: 'A site was emptied or deleted',
  closing: 'Accounts were closed',
  mail: 'A mail did not go',
  proof: 'The live checks',
};

/** What the desk calls another host for, by the purpose of the call. */
export const callWords: Readonly<Record<string, string>> = {
  self_check: 'to see whether it is reached under its own address',
  snippet_check: 'to see whether the snippet is on the page',
  mail: 'to deliver mail',
  backup: 'to keep a backup there',
  acme: 'for a certificate',
  logs: 'to hand over its log',
  'report.error': 'to report a fault',
  'report.event': 'to count an event of the product',
  'sign_in.discovery': 'for how people sign in there',
  'sign_in.keys': 'for the keys of a sign-in',
  'sign_in.token': 'to end a sign-in',
  'sign_in.profile': 'for who signs in',
};
