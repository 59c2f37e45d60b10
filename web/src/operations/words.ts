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
  self_check: 'to see whether it is reached',
  snippet_check: 'to look for the snippet',
  mail: 'to deliver mail',
  backup: 'to keep a backup there',
  acme: 'for a certificate',
  'alerts.post': 'to post an alert',
  logs: 'for its log',
  'report.error': 'to report a fault',
  'report.event': 'to report an event',
  'sign_in.discovery': 'for a sign-in',
  'sign_in.keys': 'for a sign-in',
  'sign_in.token': 'for a sign-in',
  'sign_in.profile': 'for a sign-in',
  'opendsr.callback': 'to say how a request stands',
  'provider.read': 'to read accounts',
  'provider.token': 'for a token',
};
