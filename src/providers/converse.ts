import type { Outbound } from '../platform/outbound/index.ts';
import type { ProviderAnswer, ProviderRequest, Talk } from './provider.ts';

/** Slower than this, and the platform counts as away for now. */
const answerMs = 10_000;
const answerBytesMax = 4 * 1024 * 1024;
/** A conversation of more requests than this was built wrongly. */
const requestsMax = 120;

/** Why something goes out: words that the register of receivers knows. */
export type TalkPurpose = 'provider.token' | 'provider.read';

/**
 * Holds a conversation with a platform: sends each request through the one door and goes on with its answer. No redirect is
 * followed, since what is sent are secrets. An answer that did not come is one of the status 0.
 *
 * @throws Trouble as the platform's file reads it
 */
export async function converse<Result>(
  outbound: Pick<Outbound, 'send'>,
  talk: Talk<Result>,
  by: { purpose: TalkPurpose; receiver: string },
): Promise<Result> {
  let step = talk.next();
  for (let count = 0; step.done !== true; count++) {
    if (count === requestsMax) throw new Error(`A conversation with ${by.receiver} does not end.`);
    step = talk.next(await ask(outbound, step.value, by));
  }
  return step.value;
}

async function ask(
  outbound: Pick<Outbound, 'send'>,
  { method, url, headers, body }: ProviderRequest,
  { purpose, receiver }: { purpose: TalkPurpose; receiver: string },
): Promise<ProviderAnswer> {
  const answer = await outbound.send({
    ...{ method, url, purpose, receiver, timeoutMs: answerMs, answerBytesMax, redirectsMax: 0 },
    ...(headers !== undefined && { headers: { ...headers } }),
    ...(body !== undefined && { body }),
  });
  if ('failed' in answer) return { status: 0, headers: {}, body: undefined };
  const text = answer.body.toString('utf8');
  return { status: answer.status, headers: answer.headers, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
