/** What is kept of a User-Agent (COL-13): names, versions and a class of device. '' is unknown. */
export type Agent = {
  readonly browser: string;
  readonly browser_version: string;
  readonly os: string;
  readonly os_version: string;
  readonly device: 'Desktop' | 'Mobile' | 'Tablet' | '';
};

/** Lower-case request header names to values, as Node gives them. Only the ones named here are read. */
export type AgentHeaders = {
  readonly 'sec-ch-ua'?: string | string[] | undefined;
  readonly 'sec-ch-ua-platform'?: string | string[] | undefined;
  readonly 'sec-ch-ua-mobile'?: string | string[] | undefined;
};

/** Reads browser, system and device from a raw User-Agent and, where sent, the low-entropy client hints. */
export function readAgent(_userAgent: string, _headers?: AgentHeaders): Agent {
  throw new Error('not written yet');
}
