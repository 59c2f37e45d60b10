import { isLoopback } from './config.ts';

/** A place for backups that speaks the S3 protocol. */
export interface ObjectStoreSettings {
  /** Scheme, host and port. */
  endpoint: string;
  bucket: string;
  /** Before each name: empty, or ends with a slash. */
  prefix: string;
  region: string;
  accessKey: string;
  secretKey: string;
}

const names = {
  url: 'FAIRLEAD_BACKUP_S3_URL',
  key: 'FAIRLEAD_BACKUP_S3_KEY',
  secret: 'FAIRLEAD_BACKUP_S3_SECRET',
  region: 'FAIRLEAD_BACKUP_S3_REGION',
} as const;

/** The object store that the operator names for backups; undefined when none is. */
export function readObjectStore(read: {
  text: (name: string) => string | undefined;
  wrong: (variable: string, problem: string, fix: string) => void;
}): ObjectStoreSettings | undefined {
  const { text, wrong } = read;
  const address = text(names.url);
  const accessKey = text(names.key);
  const secretKey = text(names.secret);
  if (address === undefined) {
    for (const name of [names.key, names.secret, names.region])
      if (text(name) !== undefined)
        wrong(names.url, `it is missing while ${name} is set.`, `Set it too, or take ${name} out.`);
    return undefined;
  }
  for (const [name, value] of [
    [names.key, accessKey],
    [names.secret, secretKey],
  ] as const)
    if (value === undefined)
      wrong(name, `it is missing while ${names.url} is set.`, 'Write what the provider of the store gave you.');
  const region = text(names.region) ?? 'us-east-1';
  if (!/^[a-z0-9-]{1,40}$/.test(region))
    wrong(names.region, 'it is not a region.', 'Write it as the provider does, such as eu-central-1 or auto.');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const [bucket = '', ...folders] = url?.pathname.split('/').filter((part) => part !== '') ?? [];
  const isSpelt = [bucket, ...folders].every((part) => /^[\w.-]{1,100}$/.test(part) && part !== '..');
  if (
    url === undefined ||
    // In clear only to this machine: the files are sealed, and the list of them is not.
    !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) ||
    [url.username, url.password, url.search, url.hash].some((part) => part !== '') ||
    !isSpelt ||
    !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)
  ) {
    wrong(
      names.url,
      'it is not the address of a bucket.',
      'Write one such as https://s3.eu-central-1.amazonaws.com/bucket/folder, without a key in it.',
    );
    return undefined;
  }
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return {
    endpoint: url.origin,
    bucket,
    prefix: folders.map((part) => `${part}/`).join(''),
    ...{ region, accessKey, secretKey },
  };
}
