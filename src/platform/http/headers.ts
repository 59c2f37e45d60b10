/**
 * What every answer of the account plane tells the browser (ledger R5, COK-03; trust reference, "Headers"). The
 * collection plane has rules of its own (analytics/ingest/door.ts), and so has the tracker's file.
 */

/** Where a browser says that a page tried what its policy forbids. */
export const policyReportPath = '/api/csp-reports';

/**
 * Features of a browser that nothing here uses: each is switched off for the page and for whatever it might frame.
 * Passkeys and copying a link are used, by our own pages only.
 */
const featuresOff = [
  'accelerometer',
  'autoplay',
  'browsing-topics',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'screen-wake-lock',
  'serial',
  'storage-access',
  'usb',
  'xr-spatial-tracking',
];
const featuresOwn = ['clipboard-write', 'publickey-credentials-create', 'publickey-credentials-get'];
const permissionsPolicy = [
  ...featuresOff.map((name) => `${name}=()`),
  ...featuresOwn.map((name) => `${name}=(self)`),
].join(', ');

function always(secure: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': permissionsPolicy,
    ...(secure ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  };
}

/** The same as frame-ancestors 'none', for browsers that do not know that. */
const noFrames = { 'x-frame-options': 'DENY' };

/**
 * A page of the dashboard and its files. Scripts run when they carry the nonce of this answer or were imported by one
 * that does; whatever turns text into code is refused (Trusted Types), which costs nothing because nothing here does.
 */
export function pageHeaders(page: { secure: boolean; nonce: string }): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${page.nonce}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    // The inbox of a desk for development shows messages in a frame, whose own policy leaves it no power.
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    `report-uri ${policyReportPath}`,
  ].join('; ');
  return {
    ...always(page.secure),
    'content-security-policy': policy,
    'cross-origin-resource-policy': 'same-site',
    ...noFrames,
  };
}

/**
 * An answer of the API: no script ever, and no other origin may load it, not even one of the same site.
 * @param own headers of the call, which go over these; a page that some may frame by its own policy says nothing else
 * about frames
 */
export function apiHeaders(secure: boolean, own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const policy = own['content-security-policy'] ?? apiPolicy;
  return {
    ...always(secure),
    'content-security-policy': policy,
    'cross-origin-resource-policy': 'same-origin',
    ...(policy.includes("frame-ancestors 'none'") ? noFrames : {}),
    'cache-control': 'no-store',
    ...own,
  };
}

const apiPolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
