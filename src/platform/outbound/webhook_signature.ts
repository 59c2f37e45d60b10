import { createHmac } from 'node:crypto';

/**
 * How a webhook is signed, and under which header: Standard Webhooks 1.0.0 (github.com/standard-webhooks). The body is signed
 * as it is sent, byte for byte, with `webhook-id`, which is the same over retries, and `webhook-timestamp`, the time of this
 * attempt in seconds.
 */
export const webhookSignature = {
  header: 'webhook-signature',
  /** @param body the text that is sent @param secrets as they are shown, with `whsec_`; two while one is being replaced */
  sign({ headers }: { readonly headers: Readonly<Record<string, string>> }, body: string, secrets: readonly string[]) {
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    return secrets
      .map((secret) => {
        const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
        return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
      })
      .join(' ');
  },
} as const;
